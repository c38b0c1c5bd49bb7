"""How people point at items of the last answer: ``the second``, ``number 3 and the last one``, ``these``."""

from __future__ import annotations

import re

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_COUNTS = ("two", "three", "four", "five")
_THING = r"(?:\s+(?:ones?|items?|movies?|films?|books?|products?))?"
_SOME = rf"(?:first|last)\s+(?:{'|'.join(_COUNTS)})"
_PLACE = rf"(?:the\s+)?(?:{_SOME}|{'|'.join(_ORDINALS)}|last|\d{{1,3}}(?:st|nd|rd|th)){_THING}"
_NUMBER = r"(?:number|no\.?|nr\.?|item|#)\s*\d{1,3}"
_POINTING = r"(?:that|this)(?:\s+one)?|it|(?:all\s+of\s+)?(?:these|those|them)(?:\s+ones)?"


def _several(one: str) -> str:
    one = rf"(?:{one})(?!\w)"
    return rf"{one}(?:(?:\s*,\s*(?:and\s+|n?or\s+)?|\s+and\s+|\s+n?or\s+){one})*"


BY_PLACE = _several(rf"{_PLACE}|{_NUMBER}")
"""Pattern of words that point at items by their place."""
ITEMS = _several(rf"{_PLACE}|{_NUMBER}|{_POINTING}")
"""Pattern of words that point at items."""
POINTS_ONLY = re.compile(rf"(?:{_POINTING})\Z", re.I)
"""Words that point without saying a place; after a title, they may mean the title."""
_WORD = re.compile(rf"{_SOME}|\d+|[a-z]+")


def places(words: str, count: int) -> list[int]:
    """Places, from 0, that words of the pattern :data:`ITEMS` point at.

    Parameters
    ----------
    words
        What matched.
    count
        How many items were shown; ``last`` is the last of them. Places beyond it are returned too.

    Examples
    --------
    >>> places("the first, number 3 and the last one", count=5)
    [0, 2, 4]
    >>> places("that one", count=5), places("all of these", count=3), places("the last two", count=5)
    ([0], [0, 1, 2], [3, 4])
    """
    found: list[int] = []
    for word in _WORD.findall(words.lower()):
        which, *some = word.split()
        if some:
            number = _COUNTS.index(some[0]) + 2
            found += range(number) if which == "first" else range(count - number, count)
        elif word.isdigit():
            found.append(int(word) - 1)
        elif word in _ORDINALS:
            found.append(_ORDINALS.index(word))
        elif word == "last":
            found.append(count - 1)
        elif word in ("that", "this", "it"):
            found.append(0)
        elif word in ("these", "those", "them"):
            found += range(count)
    return list(dict.fromkeys(found))
