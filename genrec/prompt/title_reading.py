"""Deciding which words of a text name a title."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from genrec.prompt.words import FUNCTION_WORDS, Word, gap, starts_sentence, word_set

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CUES = word_set(
    """like liked likes love loved loves enjoy enjoyed adore adored hate hated dislike disliked detest
    detested favorite favorites favourite favourites similar to watched saw seen read bought finished fan fans fond
    keen crazy mad hooked obsessed adoring admire admired admirer resembling resembles resemble comparable akin
    reminiscent reminds recalls echoes successor sequel vein style spirit"""
)
FANS = word_set("fan fans lover lovers addict addicts admirer admirers enthusiast enthusiasts devotee buff freak")
_FILLERS = word_set("a an the movie movies film films book books and or also both is are of about on me by with")
_AFTER_TITLE = word_set("and or but from with in a an the please too yesterday")
_QUOTES = "\"'\u2018\u2019\u201c\u201d\u00ab\u00bb"
SPAN = 8
"""Most words of a title with a typo."""
LEAST_FUZZY = 6
"""Letters of the shortest words that may be a title with a typo; capitalised, one less."""
LEAST_UNCUED = 9
"""The same where nothing but a strange word hints at a title."""


class TitleReader:
    """Decides whether words that equal a title name it."""

    def __init__(self, text: str, words: Sequence[Word], taken: NDArray[np.bool_]) -> None:
        self.text = text
        self.words = words
        self.taken = taken
        capitals = sum(word.capital for word in words)
        # In a text that is mostly capitalised, capitals say nothing.
        self.capitals_tell = capitals <= 0.7 * len(words)

    def names_title(self, first: int, last: int, is_value: bool) -> bool:
        """Whether the words ``first .. last - 1``, which equal a title, name it."""
        if self._quoted(first, last):
            return True
        if is_value:
            return False
        telling = [word for word in self.words[first:last] if word.key not in FUNCTION_WORDS]
        if len(telling) >= 2:
            return True
        capital = bool(telling) and all(word.capital for word in telling)
        if self._before_fans(last) and telling:
            return True
        if self._after_cue(first) and telling:
            return capital or last - first > 1 or self._ends_phrase(last)
        if self._whole_segment(first, last):
            if telling and self._listed_with_title(first, last):
                return True
            return (capital or last - first > 1) and (bool(telling) or last == len(self.words))
        if capital and self.capitals_tell and not starts_sentence(self.text, self.words, first):
            return True
        return last - first == 1 and len(self.words[first].key) >= 9

    def bracketed_years(self) -> Iterator[int]:
        """Words that are a year in brackets and part of no title."""
        for at, word in enumerate(self.words):
            around = self.text[max(word.start - 1, 0) : word.start] + self.text[word.end : word.end + 1]
            if around == "()" and len(word.key) == 4 and word.key.isdigit() and at and not self.taken[at]:
                yield at

    def unexplained(self, is_value: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Spans that may name a title although none equals them, longest first at each place.

        They start after a cue, after a quote, where two capitalised words begin a phrase, or where a capitalised word
        stands amid others.
        """
        for first in range(len(self.words)):
            if self.taken[first] or not (
                self._after_cue(first) or self._quote_before(first) or self._opens_capitalised(first)
            ):
                continue
            if self.words[first].key in CUES - {"to"} or (first and self.words[first].key in ("and", "or")):
                continue
            least = LEAST_FUZZY - self.words[first].capital
            for last in range(self._phrase_end(first), first, -1):
                if not self._plain(first, last, is_value) and len(joined(self.words, first, last)) >= least:
                    yield first, last

    def strange(self, known: frozenset[str], is_value: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Spans around words that no title has, longest first, those that begin in front first.

        Parameters
        ----------
        known
            Words of titles.
        is_value
            Keys of attribute values.
        """
        for at, word in enumerate(self.words):
            forms = {word.key, word.singular}
            if self.taken[at] or forms & known or forms & (FUNCTION_WORDS | CUES) or forms & is_value:
                continue
            start = at
            while start > max(at - SPAN // 2, 0) and not self.taken[start - 1] and self._one_name(start):
                start -= 1
            for first in range(start, at + 1):
                for last in range(self._phrase_end(first), at, -1):
                    if len(joined(self.words, first, last)) >= LEAST_UNCUED and not self._plain(first, last, is_value):
                        yield first, last

    def _phrase_end(self, first: int) -> int:
        stop = first + 1
        while stop < min(len(self.words), first + SPAN) and not self.taken[stop] and self._one_name(stop):
            stop += 1
        return stop

    def _plain(self, first: int, last: int, is_value: frozenset[str]) -> bool:
        return all(word.key in FUNCTION_WORDS or word.key in is_value for word in self.words[first:last])

    def _opens_capitalised(self, first: int) -> bool:
        if not self.words[first].capital:
            return False
        if first and self._same_phrase(first) and self.words[first - 1].key not in ("and", "or"):
            return self.capitals_tell and not self.words[first - 1].capital and self.words[first].key != "i"
        pair = self.words[first : first + 2]
        return len(pair) == 2 and all(word.capital for word in pair)

    def _before_fans(self, last: int) -> bool:
        return last < len(self.words) and self.words[last].key in FANS and self._same_phrase(last)

    def _quoted(self, first: int, last: int) -> bool:
        end = self.words[last - 1].end
        after = self.text[end : end + 2].lstrip(".,!?")
        return self._quote_before(first) and after[:1] in tuple(_QUOTES)

    def _quote_before(self, first: int) -> bool:
        start = self.words[first].start
        return start > 0 and self.text[start - 1] in _QUOTES

    def _after_cue(self, first: int) -> bool:
        for at in range(first - 1, max(first - 7, -1), -1):
            if re.search(r"[.!?;\n(]", gap(self.text, self.words, at + 1)):
                return False
            if self.taken[at]:
                return at < first - 1 or bool(gap(self.text, self.words, first).strip())
            if self.words[at].key in CUES:
                return True
            if self.words[at].key not in _FILLERS:
                return False
        return False

    def _ends_phrase(self, last: int) -> bool:
        return last == len(self.words) or not self._same_phrase(last) or self.words[last].key in _AFTER_TITLE

    def _same_phrase(self, at: int) -> bool:
        return not set(gap(self.text, self.words, at)) & set(",.!?;:\n()" + _QUOTES[:1])

    def _one_name(self, at: int) -> bool:
        """Whether word ``at`` may go on with the name of the word before: after a colon or ``vs.``, too."""
        between = gap(self.text, self.words, at)
        if len(self.words[at - 1].key) <= 3:
            between = between.replace(".", "")
        return not set(between) & set(",.!?;\n()" + _QUOTES[:1])

    def _listed_with_title(self, first: int, last: int) -> bool:
        """Whether a title stands beside the words in a list."""
        before = first - 1 - (first > 0 and self.words[first - 1].key in ("and", "or"))
        after = last + (last < len(self.words) and self.words[last].key in ("and", "or"))
        return (before >= 0 and bool(self.taken[before])) or (after < len(self.words) and bool(self.taken[after]))

    def _whole_segment(self, first: int, last: int) -> bool:
        opens = first == 0 or self.words[first - 1].key in ("and", "or") or not self._same_phrase(first)
        closes = last == len(self.words) or self.words[last].key in ("and", "or") or not self._same_phrase(last)
        return opens and closes


def joined(words: Sequence[Word], first: int, last: int) -> str:
    """Keys of the words ``first .. last - 1``, joined by spaces."""
    return " ".join([word.key for word in words[first:last]])
