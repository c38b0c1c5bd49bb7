"""Titles as people say them."""

from __future__ import annotations

import re

_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")
_TRAILING_ARTICLE = re.compile(
    r"^(?P<name>.+), (?P<article>the|a|an|il|la|le|les|l'|der|die|das|el|los|las|un|une|une)(?P<rest>\s*\(.*)?$", re.I
)


def without_year(title: str) -> str:
    """``title`` less a year in brackets at its end.

    Examples
    --------
    >>> without_year("Heat (1995)")
    'Heat'
    """
    return _YEAR.sub("", title) or title


def spoken(title: str) -> str:
    """``title`` as it would be said: its article in front, no year at the end.

    Examples
    --------
    >>> spoken("Usual Suspects, The (1995)")
    'The Usual Suspects'
    """
    name = without_year(title)
    match = _TRAILING_ARTICLE.match(name)
    if match is None:
        return name
    glue = "" if match["article"].endswith("'") else " "
    return f"{match['article']}{glue}{match['name']}{match['rest'] or ''}"
