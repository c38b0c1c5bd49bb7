"""Finding the catalog's titles in a text."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import fuzz, process

from genrec.prompt.titles import spoken, without_year
from genrec.prompt.words import FUNCTION_WORDS, Word, gap, normal, starts_sentence, word_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog
    from genrec.prompt.attributes import ItemAttributes

CUES = word_set(
    """like liked likes love loved loves enjoy enjoyed adore adored hate hated dislike disliked detest
    detested favorite favorites favourite favourites similar to watched saw seen read bought finished"""
)
_FILLERS = word_set("a an the movie movies film films book books and or also both is are of")
_AFTER_TITLE = word_set("and or but from with in a an the please too yesterday")
_QUOTES = "\"'\u2018\u2019\u201c\u201d\u00ab\u00bb"
_ARTICLES = ("the ", "a ", "an ")
MAX_WORDS = 20
FUZZY_CUTOFF = 88.0
MAX_BRACKETED = 80
"""Longer titles are descriptions of products, whose brackets hold no other title."""
MAX_FUZZY = 12
"""Most spans of one text that are compared with all titles."""


@dataclass(frozen=True)
class TitleSpan:
    """Item named by the words ``first .. last - 1`` of a text."""

    first: int
    last: int
    item: int


class TitleIndex:
    """The titles of a catalog by their words.

    A title is known by its full text, without its year in brackets, with its article in front or dropped, by what
    stands in and outside brackets, and, if no other title shares it, by what stands before a colon. Where two
    titles claim the same words the fuller form wins, then the earlier item.

    Parameters
    ----------
    catalog
        The items.
    attributes
        Their years tell items of the same title apart.
    """

    def __init__(self, catalog: Catalog, attributes: ItemAttributes) -> None:
        self._items: dict[str, int] = {}
        levels: list[list[tuple[str, int]]] = [[], [], []]
        for item, title in enumerate(catalog.titles):
            for looseness, form in _forms(html.unescape(title), int(attributes.years[item])):
                key = normal(form)
                if key and key.count(" ") < MAX_WORDS:
                    levels[looseness].append((key, item))
        heads = Counter(key for key, _ in levels[2])
        for key, item in (*levels[0], *levels[1], *(head for head in levels[2] if heads[head[0]] == 1)):
            self._items.setdefault(key, item)
        self._longest: dict[str, int] = {}  # number of words of the longest title that begins with a word
        for key in self._items:
            first = key.split(" ", 1)[0]
            self._longest[first] = max(self._longest.get(first, 0), key.count(" ") + 1)
        self._by_length = sorted((key for key in self._items if len(key) >= 6), key=len)
        self._lengths = np.array([len(key) for key in self._by_length])

    def find(self, text: str, words: Sequence[Word], is_value: frozenset[str]) -> list[TitleSpan]:
        """Titles named in ``text``, in the order they stand there.

        Parameters
        ----------
        text, words
            The text and its words.
        is_value
            Keys of attribute values: a title that is also one of them must be quoted.
        """
        taken = np.zeros(len(words) + 1, dtype=np.bool_)
        reader = _Reader(text, words, taken)
        found: list[TitleSpan] = []
        for first, last in self._candidates(words):
            key = _joined(words, first, last)
            if not taken[first:last].any() and reader.names_title(first, last, key in is_value):
                taken[first:last] = True
                found.append(TitleSpan(first, last, self._items[key]))
        for first, last in islice(reader.unexplained(is_value), MAX_FUZZY):
            if not taken[first:last].any():
                found += self._fuzzy(words, first, last, taken)
        return sorted(found, key=lambda span: span.first)

    def _candidates(self, words: Sequence[Word]) -> list[tuple[int, int]]:
        """Spans that equal a title, longest first."""
        spans = [
            (first, last)
            for first, word in enumerate(words)
            for last in range(first + 1, min(first + self._longest.get(word.key, 0), len(words)) + 1)
            if _joined(words, first, last) in self._items
        ]
        return sorted(spans, key=lambda span: (span[0] - span[1], span[0]))

    def _fuzzy(self, words: Sequence[Word], first: int, last: int, taken: NDArray[np.bool_]) -> list[TitleSpan]:
        key = _joined(words, first, last)
        low, high = np.searchsorted(self._lengths, [int(0.85 * len(key)), int(1.15 * len(key)) + 2])
        match = process.extractOne(key, self._by_length[low:high], scorer=fuzz.ratio, score_cutoff=FUZZY_CUTOFF)
        if match is None:
            return []
        taken[first:last] = True
        return [TitleSpan(first, last, self._items[match[0]])]


class _Reader:
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
        if self._after_cue(first) and telling:
            return capital or last - first > 1 or self._ends_phrase(last)
        if self._whole_segment(first, last):
            return (capital or last - first > 1) and (bool(telling) or last == len(self.words))
        if capital and self.capitals_tell and not starts_sentence(self.text, self.words, first):
            return True
        return last - first == 1 and len(self.words[first].key) >= 9

    def unexplained(self, is_value: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Spans that may name a title although none equals them, longest first at each place.

        They start after a cue, after a quote, or where two capitalised words begin a phrase.
        """
        for first in range(len(self.words)):
            if self.taken[first] or not (
                self._after_cue(first) or self._quote_before(first) or self._opens_capitalised(first)
            ):
                continue
            if self.words[first].key in CUES or (first and self.words[first].key in ("and", "or")):
                continue
            stop = first + 1
            while stop < min(len(self.words), first + 8) and not self.taken[stop] and self._same_phrase(stop):
                stop += 1
            for last in range(stop, first, -1):
                span = self.words[first:last]
                plain = all(word.key in FUNCTION_WORDS or word.key in is_value for word in span)
                if not plain and len(_joined(self.words, first, last)) >= 6:
                    yield first, last

    def _opens_capitalised(self, first: int) -> bool:
        if first and self._same_phrase(first) and self.words[first - 1].key not in ("and", "or"):
            return False
        pair = self.words[first : first + 2]
        return len(pair) == 2 and all(word.capital for word in pair)

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

    def _whole_segment(self, first: int, last: int) -> bool:
        opens = first == 0 or self.words[first - 1].key in ("and", "or") or not self._same_phrase(first)
        closes = last == len(self.words) or self.words[last].key in ("and", "or") or not self._same_phrase(last)
        return opens and closes


def _forms(title: str, year: int) -> Iterator[tuple[int, str]]:
    """Ways a title may be written, with how loosely each stands for it (0 = full title)."""
    name, said = without_year(title), spoken(title)
    yield from ((0, title), (0, name), (0, said))
    if year:
        yield from ((0, f"{name} {year}"), (0, f"{said} {year}"))
    outside = re.sub(r"\([^)]*\)", " ", said)
    if outside != said and len(said) <= MAX_BRACKETED:
        yield 1, outside
        yield from ((1, inside) for inside in re.findall(r"\(([^)]{4,})\)", said) if re.search("[a-z]", inside))
    for article in _ARTICLES:
        if outside.lower().startswith(article):
            yield 1, outside[len(article) :]
    head = outside.split(":")[0]
    if ":" in outside and (" " in head.strip() or len(head) >= 6):
        yield 2, head


def _joined(words: Sequence[Word], first: int, last: int) -> str:
    return " ".join([word.key for word in words[first:last]])
