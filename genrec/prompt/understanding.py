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
    rest
        Words that nothing of the above explains.
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
    liked_titles: tuple[str, ...] = ()
    disliked_titles: tuple[str, ...] = ()
    matches: tuple[Match, ...] = ()
    together: bool = False

    def __str__(self) -> str:
        disliked = f"disliked={list(self.disliked_titles)}, " if self.disliked else ""
        return (
            f"understood: liked={list(self.liked_titles)}, {disliked}wanted={list(self.wanted)}, "
            f"filters={list(self.filters)}"
        )


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
        text = clean(text[:MAX_CHARS])
        words = split_words(text, limit=MAX_WORDS)
        titles = self._titles.find(text, words, self._values.keys)
        taken = np.zeros(len(words), dtype=np.bool_)
        for span in titles:
            taken[span.first : span.last] = True
        in_title = taken.copy()
        title_spans = [(words[s.first].start, words[s.last - 1].end) for s in titles]
        quantities = self._quantities(text, title_spans)
        times = _covered(text, words, quantities)
        taken |= times
        named = list(self._values.find(words, taken))
        explicit = bool(titles or named)
        if not explicit:
            named = list(self._moods.find(words, taken))
        said = [(s.first, s.last) for s in titles] + [(first, last) for first, last, _ in named] + _runs(times)
        negative = negative_words(text, words, in_title, said)
        if negative.any() and quantities:
            quantities = self._quantities(text, title_spans, _not_meant(text, words, negative, said))
        wanted: dict[int, None] = {}
        unwanted: dict[int, None] = {}
        values: list[tuple[int, int, bool, int]] = []  # first word, end, whether it is not wanted, value
        for first, last, found in named:
            taken[first:last] = True
            (unwanted if negative[first] else wanted).update(dict.fromkeys(found))
            values += [(first, last, bool(negative[first]), value) for value in found]
        together = explicit and _together(text, words, [span for span in named if not negative[span[0]]])
        if self._meaning is not None and not (explicit or named or quantities or negative.any()) and _telling(words):
            found = self._meaning.values(text)
            taken |= bool(found)
            wanted.update(dict.fromkeys(found))
            values += [(0, len(words), False, value) for value in found]
        excluded = [value for value in unwanted if value not in wanted]
        liked = tuple(dict.fromkeys(span.item for span in titles if not negative[span.first]))
        disliked = tuple(dict.fromkeys(s.item for s in titles if negative[s.first] and s.item not in liked))
        kept = [entry for entry in values if not entry[2] or entry[3] in excluded]
        matches = [
            *self._title_matches(text, words, titles, negative, liked),
            *(self._value_match(text, words, *entry) for entry in kept),
            *(Match(a, b, text[a:b], "limit", q.expression, q.expression) for q in quantities for a, b in q.spans),
        ]
        return Understood(
            liked=liked,
            disliked=disliked,
            wanted=self._values.texts(wanted),
            unwanted=self._values.texts(excluded),
            filters=(
                *(f"not {self._values.expression(value)}" for value in excluded),
                *(quantity.expression for quantity in quantities),
            ),
            wanted_filters=tuple(self._values.expression(value) for value in wanted),
            rest=tuple(
                text[word.start : word.end]
                for word, known in zip(words, taken, strict=True)
                if not known and word.key not in _GRAMMAR
            ),
            liked_titles=tuple(self._catalog_titles[item] for item in liked),
            disliked_titles=tuple(self._catalog_titles[item] for item in disliked),
            matches=tuple(sorted(matches, key=lambda match: match.start)),
            together=together,
        )

    def _title_matches(
        self,
        text: str,
        words: Sequence[Word],
        titles: Sequence[TitleSpan],
        negative: NDArray[np.bool_],
        liked: Sequence[int],
    ) -> Iterator[Match]:
        for span in titles:
            if negative[span.first] and span.item in liked:
                continue
            kind: Kind = "disliked" if negative[span.first] else "liked"
            start, end = words[span.first].start, words[span.last - 1].end
            yield Match(start, end, text[start:end], kind, self._catalog_titles[span.item], item=span.item)

    def _value_match(self, text: str, words: Sequence[Word], first: int, last: int, no: bool, value: int) -> Match:
        start, end = words[first].start, words[last - 1].end
        kind: Kind = "unwanted" if no else "wanted"
        expression = self._values.expression(value)
        expression = f"not {expression}" if no else expression
        return Match(start, end, text[start:end], kind, self._values.texts([value])[0], expression)

    def _quantities(
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
    text: str, words: Sequence[Word], negative: NDArray[np.bool_], said: Sequence[tuple[int, int]]
) -> NDArray[np.bool_]:
    """Characters of unwanted words, bool (chars + 1,), as far as nothing else was turned down before in the clause.

    In *a comedy without war from the nineties* the time belongs to the comedy.
    """
    marked = np.zeros(len(text) + 1, dtype=np.bool_)
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
