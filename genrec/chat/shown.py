"""How people point at items of the last answer: ``the second``, ``number 3 and the last one``, ``these``."""

from __future__ import annotations

import re

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_THING = r"(?:\s+(?:ones?|items?|movies?|films?|books?|products?))?"
_BY_PLACE = rf"(?:{'|'.join(_ORDINALS)}|last|\d{{1,3}}(?:st|nd|rd|th)){_THING}"
_NUMBER = r"(?:number|no\.?|nr\.?|item|#)\s*\d{1,3}"
_POINTING = r"(?:that|this)(?:\s+one)?|it|(?:all\s+of\s+)?(?:these|those|them)(?:\s+ones)?"
_ONE = rf"(?:(?:the\s+)?(?:{_BY_PLACE})|{_NUMBER}|{_POINTING})(?!\w)"

ITEMS = rf"{_ONE}(?:(?:\s*,\s*(?:and\s+|n?or\s+)?|\s+and\s+|\s+n?or\s+){_ONE})*"
"""Pattern of words that point at items."""
POINTS_ONLY = re.compile(rf"(?:{_POINTING})\Z", re.I)
"""Words that point without saying a place; after a title, they may mean the title."""


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
    >>> places("that one", count=5), places("all of these", count=3)
    ([0], [0, 1, 2])
    """
    found: list[int] = []
    for word in re.findall(r"\d+|[a-z]+", words.lower()):
        if word.isdigit():
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
