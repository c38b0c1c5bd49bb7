"""Finding the catalog's titles in a text."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.prompt.title_reading import TitleReader, joined
from genrec.prompt.title_typos import AlmostTitles
from genrec.prompt.titles import spoken, without_year
from genrec.prompt.words import Word, normal

if TYPE_CHECKING:
    from genrec.data.catalog import Catalog
    from genrec.prompt.attributes import ItemAttributes

_ARTICLES = ("the ", "a ", "an ")
MAX_WORDS = 20
MAX_BRACKETED = 80
"""Longer titles are descriptions of products, whose brackets hold no other title."""


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
        self.words = frozenset(word for key in self._items for word in key.split())
        """Every word of every title."""
        self._longest: dict[str, int] = {}  # number of words of the longest title that begins with a word
        for key in self._items:
            first = key.split(" ", 1)[0]
            self._longest[first] = max(self._longest.get(first, 0), key.count(" ") + 1)
        self._almost = AlmostTitles(self._items)

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
        reader = TitleReader(text, words, taken)
        found: list[TitleSpan] = []
        candidates = self._candidates(words)
        # Twice: words in a list with a title that is found later name one, too.
        for first, last in [*candidates, *candidates]:
            key = joined(words, first, last)
            value = not is_value.isdisjoint((key, key.removeprefix("the ")))
            if not taken[first:last].any() and reader.names_title(first, last, value):
                taken[first:last] = True
                found.append(TitleSpan(first, last, self._items[key]))
        found += [TitleSpan(*span) for span in self._almost.find(words, reader, is_value)]
        return sorted(found, key=lambda span: span.first)

    def _candidates(self, words: Sequence[Word]) -> list[tuple[int, int]]:
        """Spans that equal a title, longest first."""
        spans = [
            (first, last)
            for first, word in enumerate(words)
            for last in range(first + 1, min(first + self._longest.get(word.key, 0), len(words)) + 1)
            if joined(words, first, last) in self._items
        ]
        return sorted(spans, key=lambda span: (span[0] - span[1], span[0]))


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
