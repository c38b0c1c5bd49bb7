"""Years and prices stated in plain words, as filter expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_DECADES = {
    "twenties": 1920, "thirties": 1930, "forties": 1940, "fifties": 1950, "sixties": 1960,
    "seventies": 1970, "eighties": 1980, "nineties": 1990, "noughties": 2000,
}  # fmt: skip
_PART = {
    "first half": (0, 4), "second half": (5, 9), "latter half": (5, 9),
    "early": (0, 3), "beginning": (0, 3), "start": (0, 3), "mid": (3, 6), "late": (6, 9), "end": (6, 9),
}  # fmt: skip
_YEAR = r"(?:1[89]|20)\d\d"
_TIME = (
    r"(?:the\s+)?(?:years?\s+)?"
    r"(?:(?:early|mid|middle|late|(?:first|second|latter)\s+half|beginning|start|end)(?:\s+of\s+the\s+|\s+of\s+|[\s-]+))?"
    rf"(?:the\s+)?(?:{_YEAR}(?:['\u2019]?s|ies)?|['\u2019]?\d0(?:['\u2019]?s|ies)|{'|'.join(_DECADES)})(?!\w)"
)
_NOT = r"(?P<not>\b(?:not?|never|nothing|except|without|avoid|but\s+not)\s+(?:anything\s+|any\s+|those\s+)?)?"
_AMOUNT = (
    r"(?:[$€£]\s?)?(?:\d{1,3}(?:,\d{3})+|\d{1,9})(?:[.,]\d{1,2})?(?!\d)"
    r"(?:\s?(?:dollars?|euros?|pounds?|usd|eur|gbp|bucks|[$€£]))?"
)
_COMPLEMENT = {"<": ">=", ">=": "<", ">": "<=", "<=": ">"}


@dataclass(frozen=True)
class Quantity:
    """A filter expression and the spans of characters that state it."""

    expression: str
    spans: tuple[tuple[int, int], ...]


def _compiled(*rules: tuple[str, str]) -> list[tuple[re.Pattern[str], str]]:
    return [(re.compile(_NOT + pattern, re.I), sign) for pattern, sign in rules]


# Sign ".." is a range from a to b, "=" one point in time; others compare with a. Earlier rules win.
_YEAR_RULES = _compiled(
    (rf"\b(?:between|from)\s+(?P<a>{_TIME})\s+(?:and|to|until|till|through)\s+(?P<b>{_TIME})", ".."),
    (rf"(?<!\w)(?P<a>{_TIME})\s*(?:[-\u2013]|to|until|through)\s*(?P<b>{_TIME})", ".."),
    (
        rf"\b(?:before|older\s+than|earlier\s+than|prior\s+to|pre[\s-]|(?:pre-?dat|preced)(?:es?|ing)\b)\s*(?P<a>{_TIME})",
        "<",
    ),
    (rf"\b(?:until|till|up\s+to|by|at\s+the\s+latest|latest)(?:\s+(?:from|in|by|of))?\s+(?P<a>{_TIME})", "<="),
    (rf"\b(?:after|(?:newer|later|younger|more\s+recent|fresher)\s+than|post[\s-])\s*(?P<a>{_TIME})", ">"),
    (
        rf"\b(?:since|starting\s+(?:from|in|with)|(?:at\s+the\s+)?earliest)(?:\s+(?:from|in|by|of))?\s+(?P<a>{_TIME})",
        ">=",
    ),
    (
        rf"(?<!\w)(?:from\s+)?(?P<a>{_TIME})(?:\+|\s+(?:onwards?|on\b|upwards?|(?:or|and)\s+(?:later|newer|after|up|onwards?|beyond|younger)|at\s+the\s+earliest)\b)",
        ">=",
    ),
    (rf"(?<!\w)(?P<a>{_TIME})\s+(?:(?:or|and)\s+(?:older|earlier|before)|at\s+the\s+latest)\b", "<="),
    (rf"(?<!\w)(?:(?:in|from|of|during)\s+)?(?P<a>{_TIME})", "="),
)
_PRICE_RULES = _compiled(
    (rf"\b(?:between|from)\s+(?P<a>{_AMOUNT})\s+(?:and|to)\s+(?P<b>{_AMOUNT})", ".."),
    (rf"\b(?:under|below|less\s+than|cheaper\s+than)\s+(?P<a>{_AMOUNT})", "<"),
    (rf"\b(?:up\s+to|at\s+most|max(?:imum)?(?:\s+of)?|within)\s+(?P<a>{_AMOUNT})", "<="),
    (rf"\b(?:over|above|more\s+(?:expensive\s+)?than|pricier\s+than)\s+(?P<a>{_AMOUNT})", ">"),
    (rf"\b(?:at\s+least|min(?:imum)?(?:\s+of)?)\s+(?P<a>{_AMOUNT})", ">="),
)


def find_years(text: str, column: str, unwanted: NDArray[np.bool_] | None = None) -> list[Quantity]:
    """Time expressions of a text, as conditions on an integer column of years.

    Several single years or decades are alternatives of one another.

    Parameters
    ----------
    text, column
        The text, and the column of years.
    unwanted
        Characters that are said to be unwanted by more than the word before, bool (>= chars,). Default none.

    Examples
    --------
    >>> [found.expression for found in find_years("from the eighties or 90s, not after 1996", "year")]
    ['(year>=1980 and year<=1989) or (year>=1990 and year<=1999)', 'year<=1996']
    """
    found, points = [], []
    for sign, match in _matches(text, _YEAR_RULES):
        first, last = _span(match["a"])
        no = _negated(match, unwanted)
        if sign == "..":
            others = _span(match["b"])
            expression = _range(column, min(first, others[0]), max(last, others[1]))
        elif sign == "=":
            expression = f"{column}={first}" if first == last else _range(column, first, last)
            if not no:
                points.append(Quantity(expression, (match.span(),)))
                continue
        else:
            bound = last if sign in (">", "<=") else first
            found.append(Quantity(f"{column}{_COMPLEMENT[sign] if no else sign}{bound}", (match.span(),)))
            continue
        found.append(Quantity(f"not ({expression})" if no else expression, (match.span(),)))
    return _alternatives(points) + found


def find_prices(text: str, column: str, unwanted: NDArray[np.bool_] | None = None) -> list[Quantity]:
    """Price limits of a text, as conditions on a numeric column.

    Parameters
    ----------
    text, column
        The text, and the column of prices.
    unwanted
        As :func:`find_years` takes it.

    Examples
    --------
    >>> [found.expression for found in find_prices("cheaper than $20.50", "price")]
    ['price<20.50']
    """
    found = []
    for sign, match in _matches(text, _PRICE_RULES):
        no = _negated(match, unwanted)
        if sign == "..":
            low, high = sorted((_number(match["a"]), _number(match["b"])), key=float)
            expression = f"{column}>={low} and {column}<={high}"
            expression = f"not ({expression})" if no else expression
        else:
            expression = f"{column}{_COMPLEMENT[sign] if no else sign}{_number(match['a'])}"
        found.append(Quantity(expression, (match.span(),)))
    return found


def _negated(match: re.Match[str], unwanted: NDArray[np.bool_] | None) -> bool:
    """Whether a match is turned down, by the word before it or by what the whole text says."""
    return match["not"] is not None or (unwanted is not None and bool(unwanted[match.start("a")]))


def _matches(text: str, rules: Sequence[tuple[re.Pattern[str], str]]) -> list[tuple[str, re.Match[str]]]:
    """Find matches of the rules that do not overlap, earlier rules first."""
    found: list[tuple[str, re.Match[str]]] = []
    for pattern, sign in rules:
        found += [(sign, match) for match in pattern.finditer(text)]
        text = pattern.sub(lambda match: "\0" * len(match[0]), text)
    return found


def _alternatives(points: list[Quantity]) -> list[Quantity]:
    """One condition for all of ``points``, of which any may hold."""
    if len(points) < 2:
        return points
    points = sorted(points, key=lambda point: point.spans)
    joined = " or ".join(list(dict.fromkeys(f"({point.expression})" for point in points))[:10])
    return [Quantity(joined, tuple(span for point in points for span in point.spans))]


def _span(words: str) -> tuple[int, int]:
    """First and last year of a time expression such as ``the late 80s``."""
    words = words.lower()
    decade = next((year for name, year in _DECADES.items() if name in words), None)
    if decade is None:
        number = int(re.findall(r"\d+", words)[-1])
        if re.search(r"\d$", words):
            return number, number
        decade = number if number >= 100 else number + (1900 if number >= 20 else 2000)
    if decade % 10:
        return decade, decade
    low, high = next((_PART[part] for part in _PART if part in words), (0, 9))
    return decade + low, decade + high


def _range(column: str, first: int, last: int) -> str:
    return f"{column}>={first} and {column}<={last}"


def _number(words: str) -> str:
    digits = re.sub(r"[^\d.,]", "", words)
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", digits):
        digits = digits.replace(",", "")
    return digits.replace(",", ".")
