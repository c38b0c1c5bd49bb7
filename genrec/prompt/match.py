"""Which words of a request said what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["liked", "disliked", "wanted", "unwanted", "limit"]


@dataclass(frozen=True)
class Match:
    """Words of a request, and what they were understood as.

    Parameters
    ----------
    start, end
        The characters of the words in the cleaned text (:func:`genrec.prompt.builder.clean`).
    text
        These characters.
    kind
        ``liked`` or ``disliked`` for a title, ``wanted`` or ``unwanted`` for an attribute value, ``limit`` for years
        and prices.
    what
        The title, the value as the catalog writes it, or the filter expression.
    expression
        Filter expression of the items that the words speak of; empty for titles.
    item
        Item index of a title, else -1.

    Examples
    --------
    >>> Match(0, 8, "comedies", "wanted", "Comedy", "categories='Comedy'").item
    -1
    """

    start: int
    end: int
    text: str
    kind: Kind
    what: str
    expression: str = ""
    item: int = -1
