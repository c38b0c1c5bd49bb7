"""Hear what a turn asks for beside new wishes: take something back, like the second, cheaper, others, why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrec.chat import phrases
from genrec.chat.shown import POINTS_ONLY, places

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.prompt.match import Match

_TITLE = "\ufffc"
"""Stands for the letters of titles, years and prices, in which no command is looked for."""
_POINT_ENDS = re.compile(r"\s*(?:$|[.,;!?]|(?:and|but|please|though|either|at\s+all|again|too)\b)", re.I)
_NEXT_WISH = re.compile(
    r"\s+(?:but|instead)\b|\s+(?:and|then)\s+(?:i|show|give|make|let|no|not|rather|instead|now|recommend|find|want)\b",
    re.I,
)


@dataclass(frozen=True)
class Compared:
    """``cheaper``, ``newer than the second``: what, in which direction, than which place (-1: than most)."""

    word: str
    of_price: bool
    less: bool
    place: int


@dataclass(frozen=True)
class Heard:
    """What a turn asks for.

    Parameters
    ----------
    start_over, undo, more
        Forget everything; forget what the last turn said; show others than these.
    forget
        First character and end of what is to be forgotten.
    liked, disliked, passed, why
        Places from 0 of shown items that were pointed at; they may lie beyond what was shown.
    compared
        Comparisons with shown items.
    rest
        The text less all of the above.
    """

    start_over: bool
    undo: bool
    more: bool
    forget: tuple[tuple[int, int], ...]
    liked: tuple[int, ...]
    disliked: tuple[int, ...]
    passed: tuple[int, ...]
    why: tuple[int, ...]
    compared: tuple[Compared, ...]
    rest: str


def listen(text: str, matches: Sequence[Match], count: int, is_column: Callable[[str], bool]) -> Heard:
    """Hear what a turn asks for.

    Parameters
    ----------
    text
        The turn, cleaned.
    matches
        What the catalog's matcher found in it: no command is looked for inside of titles.
    count
        Items of the last answer.
    is_column
        Whether words name a column of the catalog: ``any year`` takes back, ``any comedy`` does not.

    Examples
    --------
    >>> heard = listen("not the first, more like the second. Cheaper please, comedy", [], 5, lambda words: False)
    >>> heard.disliked, heard.liked, heard.compared[0].word
    ((0,), (1,), 'cheaper')
    >>> "comedy" in heard.rest, "second" in heard.rest
    (True, False)
    """
    ear = _Ear(text, matches, count, is_column)
    start_over, undo = ear.takes(phrases.START_OVER), ear.takes(phrases.UNDO)
    why = ear.why()
    passed, disliked, liked = (ear.items(p) for p in (phrases.SEEN, phrases.DISLIKE, phrases.LIKE))
    forget = tuple(ear.forgotten())
    compared = tuple(ear.comparisons())
    more = ear.takes(phrases.MORE)
    return Heard(start_over, undo, more, forget, liked, disliked, passed, why, compared, ear.rest)


class _Ear:
    """Finds commands, and takes what it found out of the text."""

    def __init__(self, text: str, matches: Sequence[Match], count: int, is_column: Callable[[str], bool]) -> None:
        self.rest = self._heard = text
        self._count = count
        self._is_column = is_column
        self._names_titles = any(match.item >= 0 for match in matches)
        for match in matches:
            if match.kind in ("liked", "disliked", "limit"):
                self._heard = _replaced(self._heard, match.start, match.end, _TITLE)

    def takes(self, pattern: re.Pattern[str]) -> bool:
        """Whether the pattern stands there."""
        return sum(1 for _ in self._found(pattern)) > 0

    def items(self, pattern: re.Pattern[str]) -> tuple[int, ...]:
        """Places of items in what the pattern matches."""
        return tuple(dict.fromkeys(p for match in self._found(pattern) for p in places(_group(match)[1], self._count)))

    def why(self) -> tuple[int, ...]:
        """Places of the items that are asked about; the first if none is named."""
        asked = [places(match["items"] or "it", self._count) for match in self._found(phrases.WHY)]
        return tuple(dict.fromkeys(place for some in asked for place in some))

    def forgotten(self) -> Iterator[tuple[int, int]]:
        """First character and end of each thing to forget."""
        for match in self._found(phrases.FORGET):
            name, words = _group(match)
            yield match.start(name), match.start(name) + len(words)

    def comparisons(self) -> Iterator[Compared]:
        """Comparisons with what was shown."""
        for match in self._found(phrases.COMPARE):
            word = " ".join(match["word"].lower().split())
            pointed = places(match["items"], self._count) if match["items"] else []
            less = any(part in phrases.DOWN for part in word.split())
            of_price = any(part in phrases.OF_PRICE for part in word.split())
            yield Compared(word, of_price, less, pointed[0] if pointed else -1)

    def _found(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        for match in list(pattern.finditer(self._heard)):
            if not self._means_it(match):
                continue
            start, end = match.span()
            if pattern is phrases.FORGET:
                name, _ = _group(match)
                cut = _NEXT_WISH.search(self._heard, match.start(name), end)
                if cut is not None:
                    again = pattern.match(self._heard[: cut.start()], start)
                    if again is None:
                        continue
                    match, end = again, again.end()
            yield match
            self.rest = _replaced(self.rest, start, end, ".")
            self._heard = _replaced(self._heard, start, end, ".")

    def _means_it(self, match: re.Match[str]) -> bool:
        """Whether words such as ``that`` point at an item that was shown."""
        name, words = _group(match)
        if name == "any":
            return self._is_column(words)
        if not POINTS_ONLY.match(words) or name in _OF_OTHERS:
            return True
        last = match.end(name) == match.end()
        ends = not last or _POINT_ENDS.match(self._heard, match.end()) is not None
        return self._count > 0 and not self._names_titles and ends


_OF_OTHERS = ("forget", "careless", "mind", "need_not", "no_matter")
"""Groups that hold what is to be forgotten, not items."""


def _group(match: re.Match[str]) -> tuple[str, str]:
    """Name and words of the group that matched; empty if the pattern has none."""
    named = ((name, words) for name, words in match.groupdict().items() if words and name not in ("before", "word"))
    return next(named, ("", ""))


def _replaced(text: str, start: int, end: int, filler: str) -> str:
    """A text of the same length without some characters: a command leaves the end of a sentence."""
    return text[:start] + filler * (end - start) + text[end:]
