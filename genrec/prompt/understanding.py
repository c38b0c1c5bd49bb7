"""What a request in plain words says about a catalog: titles, attribute values, years, prices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genrec.prompt.attributes import ItemAttributes
from genrec.prompt.builder import clean
from genrec.prompt.match import Kind, Match
from genrec.prompt.mood_meaning import MoodMeaning
from genrec.prompt.moods import MoodIndex
from genrec.prompt.negation import DISLIKES, NEGATORS, TURNS, WISHES, negative_words
from genrec.prompt.quantities import Quantity, find_prices, find_years
from genrec.prompt.title_matching import TitleIndex, TitleSpan
from genrec.prompt.title_reading import CUES
from genrec.prompt.value_matching import ValueIndex
from genrec.prompt.words import FUNCTION_WORDS, Word, split_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog

MAX_CHARS = 10_000
MAX_WORDS = 1_500
_YEAR_OF_TITLE = re.compile(r"\b[A-Z]\S*\s(\([12]\d{3}\))")
# Between two values: either will do. A comma alone leaves it open.
_EITHER = re.compile(r"\bor\b|[;.!?/]|^\s*,\s*$", re.I)
_GRAMMAR = FUNCTION_WORDS | CUES | NEGATORS | DISLIKES | WISHES | TURNS


@dataclass(frozen=True)
class Understood:
    """What a request says.

    Parameters
    ----------
    liked, disliked
        Item indices of the titles it names, in the order it names them.
    wanted, unwanted
        Attribute values, as the catalog writes them.
    filters
        Filter expressions for what is stated exactly: years, prices, and unwanted values.
    wanted_filters
        One expression for each wanted value; an item that satisfies more of them fits better.
    rest, unwanted_rest
        Words that nothing of the above explains, and those of them that are said of what is not wanted.
    title_words, unwanted_title_words
        What :class:`~genrec.prompt.title_words.TitleWords` takes from `rest`, for models that read no words themselves.
    liked_titles, disliked_titles
        Titles of the items.
    matches
        The words that say each of the above, in the order they stand there.
    together
        Whether an item shall have all of the wanted values, as in *a romantic comedy*; else one of them is enough, as
        in *comedy or drama*.

    Examples
    --------
    >>> str(Understood(wanted=("Comedy",), filters=("year<1980",)))
    "understood: liked=[], wanted=['Comedy'], filters=['year<1980']"
    """

    liked: tuple[int, ...] = ()
    disliked: tuple[int, ...] = ()
    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    wanted_filters: tuple[str, ...] = ()
    rest: tuple[str, ...] = ()
    unwanted_rest: tuple[str, ...] = ()
    title_words: tuple[str, ...] = ()
    unwanted_title_words: tuple[str, ...] = ()
    liked_titles: tuple[str, ...] = ()
    disliked_titles: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    together: bool = False

    def __str__(self) -> str:
        disliked = f"disliked={list(self.disliked_titles)}, " if self.disliked else ""
        words = f", title words={list(self.title_words)}" if self.title_words else ""
        unwanted = f", unwanted title words={list(self.unwanted_title_words)}" if self.unwanted_title_words else ""
        return (
            f"understood: liked={list(self.liked_titles)}, {disliked}wanted={list(self.wanted)}, "
            f"filters={list(self.filters)}{words}{unwanted}"
        )


@dataclass(frozen=True, eq=False)
class _Reading:
    """What was found in a text of W words."""

    text: str
    words: Sequence[Word]
    taken: NDArray[np.bool_]
    """Words that say something, bool (W,)."""

    negative: NDArray[np.bool_]
    """Words that say what is not wanted, bool (W,)."""

    titles: Sequence[TitleSpan]
    values: Sequence[tuple[int, int, list[int]]]
    """First word, end and values."""

    limits: Sequence[Quantity]
    together: bool


class Matcher:
    """Finds a catalog's titles and attribute values, and years and prices, in free text.

    Titles, categories and other shared string values are read from the catalog, years from an integer column
    ``year``, prices from a numeric column ``price``; moods (*makes me laugh*) count for the categories they suggest,
    where the catalog has these and the request names none. Work is bounded: of a text, the first
    10,000 characters and 1,500 words are read.

    Parameters
    ----------
    catalog
        The items.
    meaning
        Whether a request in which nothing else is found is compared with moods by a sentence encoder, which then is
        loaded. Default False.

    Examples
    --------
    >>> from genrec.data.catalog import Catalog
    >>> table = pa.table({
    ...     "item_id": ["a", "b", "c"], "title": ["Heat (1995)", "Airplane! (1980)", "Big (1988)"],
    ...     "categories": [["Action"], ["Comedy"], ["Comedy"]], "year": [1995, 1980, 1988],
    ... })
    >>> print(Matcher(Catalog(table)).understand("funny like airplane, no action, not before 1980"))
    understood: liked=['Airplane! (1980)'], wanted=['Comedy'], filters=["not categories='Action'", 'year>=1980']
    """

    def __init__(self, catalog: Catalog, *, meaning: bool = False) -> None:
        attributes = ItemAttributes.of_catalog(catalog)
        self._catalog_titles = catalog.titles
        self._titles = TitleIndex(catalog, attributes)
        self._values = ValueIndex(attributes, spared=self._titles.words | _GRAMMAR)
        self._moods = MoodIndex(attributes)
        self._meaning = MoodMeaning(attributes) if meaning else None
        self.year_column = attributes.year_column
        self.price_column = _price_column(catalog)

    def understand(self, text: str) -> Understood:
        """Read a request. Never raises, whatever the text."""
        reading = self._read(clean(text[:MAX_CHARS]))
        text, words, negative = reading.text, reading.words, reading.negative
        wanted: dict[int, None] = {}
        unwanted: dict[int, None] = {}
        for first, _, found in reading.values:
            (unwanted if negative[first] else wanted).update(dict.fromkeys(found))
        excluded = [value for value in unwanted if value not in wanted]
        liked = tuple(dict.fromkeys(span.item for span in reading.titles if not negative[span.first]))
        disliked = tuple(dict.fromkeys(s.item for s in reading.titles if negative[s.first] and s.item not in liked))
        unexplained = [
            (word, no)
            for word, no, known in zip(words, negative, reading.taken, strict=True)
            if not known and word.key not in _GRAMMAR
        ]
        matches = [
            *self._title_matches(reading, liked),
            *self._value_matches(reading, excluded),
            *(Match(a, b, text[a:b], "limit", q.expression, q.expression) for q in reading.limits for a, b in q.spans),
        ]
        return Understood(
            liked=liked,
            disliked=disliked,
            wanted=self._values.texts(wanted),
            unwanted=self._values.texts(excluded),
            filters=(
                *(f"not {self._values.expression(value)}" for value in excluded),
                *(limit.expression for limit in reading.limits),
            ),
            wanted_filters=tuple(self._values.expression(value) for value in wanted),
            rest=tuple(text[word.start : word.end] for word, _ in unexplained),
            unwanted_rest=tuple(text[word.start : word.end] for word, no in unexplained if no),
            liked_titles=tuple(self._catalog_titles[item] for item in liked),
            disliked_titles=tuple(self._catalog_titles[item] for item in disliked),
            matches=tuple(sorted(matches, key=lambda match: match.start)),
            together=reading.together,
        )

    def _read(self, text: str) -> _Reading:
        """Find titles, times and prices, values, and where there are none of these that is wanted, moods."""
        words = split_words(text, limit=MAX_WORDS)
        titles = self._titles.find(text, words, self._values.keys)
        in_title = np.zeros(len(words), dtype=np.bool_)
        for span in titles:
            in_title[span.first : span.last] = True
        title_spans = [(words[span.first].start, words[span.last - 1].end) for span in titles]
        limits = self._limits(text, title_spans)
        timed = _covered(text, words, limits)
        values = list(self._values.find(words, in_title | timed))
        said = (
            [(span.first, span.last) for span in titles] + _runs(timed) + [(first, last) for first, last, _ in values]
        )
        negative = negative_words(text, words, in_title, said)
        together = _together(text, words, [span for span in values if not negative[span[0]]])
        if not values and all(negative[span.first] for span in titles):
            values = list(self._moods.find(words, in_title | timed))
            said += [(first, last) for first, last, _ in values]
            negative = negative_words(text, words, in_title, said)
        if not (titles or limits or values or negative.any()) and self._meaning is not None and _telling(words):
            found = self._meaning.values(text)
            values = [(0, len(words), found)] if found else []
        if limits and negative.any():
            limits = self._limits(text, title_spans, _not_meant(words, negative, said, len(text)))
        taken = in_title | timed
        for first, last, _ in values:
            taken[first:last] = True
        return _Reading(text, words, taken, negative, titles, values, limits, together)

    def _title_matches(self, reading: _Reading, liked: Sequence[int]) -> Iterator[Match]:
        for span in reading.titles:
            no = bool(reading.negative[span.first])
            if no and span.item in liked:
                continue
            start, end = reading.words[span.first].start, reading.words[span.last - 1].end
            title = self._catalog_titles[span.item]
            yield Match(start, end, reading.text[start:end], "disliked" if no else "liked", title, item=span.item)

    def _value_matches(self, reading: _Reading, excluded: Sequence[int]) -> Iterator[Match]:
        for first, last, found in reading.values:
            no = bool(reading.negative[first])
            start, end = reading.words[first].start, reading.words[last - 1].end
            for value in found:
                if no and value not in excluded:
                    continue
                kind: Kind = "unwanted" if no else "wanted"
                expression = self._values.expression(value)
                expression = f"not {expression}" if no else expression
                yield Match(start, end, reading.text[start:end], kind, self._values.texts([value])[0], expression)

    def _limits(
        self, text: str, titles: Sequence[tuple[int, int]], no: NDArray[np.bool_] | None = None
    ) -> list[Quantity]:
        """Years and prices stated outside of titles, each statement once; `no` marks characters said to be unwanted."""
        for start, end in (*titles, *(match.span(1) for match in _YEAR_OF_TITLE.finditer(text))):
            text = text[:start] + "\0" * (end - start) + text[end:]
        found = [] if self.year_column is None else find_years(text, self.year_column, no)
        if self.price_column is not None:
            for start, end in (span for quantity in found for span in quantity.spans):
                text = text[:start] + "\0" * (end - start) + text[end:]
            found += find_prices(text, self.price_column, no)
        return list({quantity.expression: quantity for quantity in found}.values())


def _together(text: str, words: Sequence[Word], wanted: Sequence[tuple[int, int, list[int]]]) -> bool:
    """Whether values that are said one after the other are meant of the same item."""
    spans = sorted((first, last) for first, last, _ in wanted)
    between = [text[words[a[1] - 1].end : words[b[0]].start] for a, b in pairwise(spans)]
    many = all(words[last - 1].singular != words[last - 1].key for _, last in spans)
    return bool(between) and not many and not any(_EITHER.search(gap) for gap in between)


def _telling(words: Sequence[Word]) -> bool:
    return any(word.key not in _GRAMMAR for word in words)


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First word and end of each run of marked words."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def _not_meant(
    words: Sequence[Word], negative: NDArray[np.bool_], said: Sequence[tuple[int, int]], chars: int
) -> NDArray[np.bool_]:
    """Characters of unwanted words, bool (chars + 1,), as far as nothing else was turned down before in the clause.

    In *a comedy without war from the nineties* the time belongs to the comedy.
    """
    marked = np.zeros(chars + 1, dtype=np.bool_)
    for first, last in _runs(negative):
        inside = sorted(span for span in said if first < span[1] <= last)
        stop = inside[0][1] if inside else last
        marked[words[first].start : words[stop - 1].end] = True
    return marked


def _covered(text: str, words: Sequence[Word], quantities: Sequence[Quantity]) -> NDArray[np.bool_]:
    """Words that are part of a quantity, bool (W,)."""
    inside = np.zeros(len(text) + 1, dtype=np.bool_)
    for start, end in (span for quantity in quantities for span in quantity.spans):
        inside[start:end] = True
    return inside[[word.start for word in words]] if words else np.zeros(0, dtype=np.bool_)


def _price_column(catalog: Catalog) -> str | None:
    numeric = [f.name for f in catalog.table.schema if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)]
    return next((n for n in numeric if n == "price"), next((n for n in numeric if n.endswith("price")), None))
