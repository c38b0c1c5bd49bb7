"""What is said for one recommended item; every field is a fact that can be computed again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from genrec.prompt.match import Kind

Plain = str | int | float | bool | list[Any] | None


@dataclass(frozen=True)
class HistoryReason:
    """What one item of the history does for a recommended item.

    Parameters
    ----------
    item_id, title
        The item of the history.
    delta
        Score of the recommended item with the whole history, less that with the history without this item: above 0, it
        speaks for the recommendation. Scores are log-probabilities, plus what guides the search.
    place_without
        Place that the recommended item would have among the items of the answer, from 1.
    guided
        The part of `delta` that is not the generator's, but that of scorers that guide its search. Default 0.
    """

    item_id: str
    title: str
    delta: float
    place_without: int
    guided: float = 0.0


@dataclass(frozen=True)
class WordReason:
    """Words of the prompt that the recommended item answers to.

    Parameters
    ----------
    start, end
        Their characters in the prompt as it was read (:func:`genrec.prompt.builder.clean`).
    text
        The words.
    kind
        ``liked``, a title that joined the history; ``wanted``, a value that the item has; ``unwanted``, a value
        that it has not; ``limit``, a year or a price that it keeps to.
    what
        The title, the value, or the filter expression.
    expression
        Filter expression that they became; empty for titles.
    values
        The item's values in the columns that a limit speaks of.
    """

    start: int
    end: int
    text: str
    kind: Kind
    what: str
    expression: str
    values: dict[str, Plain]


@dataclass(frozen=True)
class PeopleReason:
    """What other people did who met an item of the history.

    Parameters
    ----------
    item_id, title
        The item of the history.
    both
        People who met it and the recommended item.
    people
        People who met it.
    met, everyone
        People who met the recommended item, of how many there are.
    """

    item_id: str
    title: str
    both: int
    people: int
    met: int
    everyone: int


@dataclass(frozen=True)
class FilterReason:
    """A filter that the item passes, and the values that let it pass, by column."""

    expression: str
    values: dict[str, Plain]


@dataclass(frozen=True)
class BoostReason:
    """A boost that the item gets, and its log-weight."""

    expression: str
    weight: float


@dataclass(frozen=True)
class Explanation:
    """Why one item stands where it stands.

    Parameters
    ----------
    item_id, title
        The recommended item.
    place, of
        Its place in the answer, from 1, and how many items the answer has.
    score, logprob
        As in the answer.
    history
        The items of the history that were left out in turn, each once, those first that speak for the item most.
    words
        The words of the prompt that the item answers to, in the order they stand there.
    evidence
        Items of the history whose people met the recommended item more often than people at large, most telling
        first.
    filters, boosts
        The filters and boosts that let it pass and lifted it.
    sentence
        The main facts above in plain words.
    """

    item_id: str
    title: str
    place: int
    of: int
    score: float
    logprob: float
    history: tuple[HistoryReason, ...]
    words: tuple[WordReason, ...]
    evidence: tuple[PeopleReason, ...]
    filters: tuple[FilterReason, ...]
    boosts: tuple[BoostReason, ...]
    sentence: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Everything as dicts, lists, strings and numbers, ready for JSON."""
        fields: dict[str, Any] = asdict(self)
        return {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
