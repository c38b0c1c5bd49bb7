"""Finding titles that a text has with a typo."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA

from genrec.prompt.title_reading import TitleReader, joined

if TYPE_CHECKING:
    from genrec.prompt.words import Word

CUTOFF = 88.0
SHORTEST = 5
"""Letters of the shortest title that is looked for."""
MAX_SPANS, MAX_COMPARED = 150, 1_000_000
"""Most spans of one text that are compared with titles, and most titles in all that they are compared with."""
YEAR_WORDS = 12
"""Words before a year in brackets that may be a title."""


class AlmostTitles:
    """Titles by their length and year, for comparing them with words that equal none.

    Parameters
    ----------
    items
        Item of each title key.
    """

    def __init__(self, items: Mapping[str, int]) -> None:
        self._items = items
        self._by_length = sorted((key for key in items if len(key) >= SHORTEST), key=len)
        self._lengths = np.array([len(key) for key in self._by_length])
        self._words = frozenset(word for key in items for word in key.split())
        self._of_year: dict[str, list[str]] = {}
        for key in items:
            if re.search(r" \d{4}$", key):
                self._of_year.setdefault(key[-4:], []).append(key)

    def find(
        self, words: Sequence[Word], reader: TitleReader, is_value: frozenset[str]
    ) -> Iterator[tuple[int, int, int]]:
        """Yield first word, end and item, and mark the words as taken.

        Parameters
        ----------
        words
            Of the text.
        reader
            Knows which words are taken and where titles may stand.
        is_value
            Keys of attribute values, which alone make no title.
        """
        for at in islice(reader.bracketed_years(), MAX_SPANS):
            best = self._of_year_before(words, at, reader)
            if best is not None:
                reader.taken[best[0] : best[1]] = True
                yield best
        compared = 0
        spans = chain(reader.unexplained(is_value), reader.strange(self._words, is_value))
        for first, last in islice(spans, MAX_SPANS):
            if reader.taken[first:last].any() or compared > MAX_COMPARED:
                continue
            found, looked_at = self._nearest(joined(words, first, last))
            compared += looked_at
            if found is not None:
                reader.taken[first:last] = True
                yield first, last, found

    def _nearest(self, key: str) -> tuple[int | None, int]:
        """The title that a key is almost, and the number of titles looked at."""
        low, high = np.searchsorted(self._lengths, [int(0.85 * len(key)), int(1.15 * len(key)) + 2])
        titles = self._by_length[low:high]
        alike = process.extractOne(key, titles, scorer=fuzz.ratio, score_cutoff=CUTOFF)
        # Two letters that changed places cost a short word more than the cut-off allows.
        slipped = None if alike else process.extractOne(key, titles, scorer=OSA.distance, score_cutoff=1)
        title = alike[0] if alike else slipped[0] if slipped else None
        return None if title is None else self._items[title], int(high - low)

    def _of_year_before(self, words: Sequence[Word], at: int, reader: TitleReader) -> tuple[int, int, int] | None:
        """The title of a year that the words before it, in brackets at word ``at``, are almost."""
        titles = self._of_year.get(words[at].key, [])
        best: tuple[float, tuple[int, int, int]] | None = None
        for first in range(at - 1, max(at - 1 - YEAR_WORDS, -1), -1):
            if reader.taken[first]:
                break
            match = process.extractOne(joined(words, first, at + 1), titles, scorer=fuzz.ratio, score_cutoff=CUTOFF)
            if match is not None and (best is None or match[1] > best[0]):
                best = match[1], (first, at + 1, self._items[match[0]])
        return None if best is None else best[1]
