"""What a request in plain words says about a catalog: titles, attribute values, years, prices."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genrec.prompt.attributes import ItemAttributes
from genrec.prompt.builder import clean
from genrec.prompt.match import Kind, Match
from genrec.prompt.quantities import Quantity, find_prices, find_years
from genrec.prompt.title_matching import CUES, TitleIndex, TitleSpan
from genrec.prompt.value_matching import ValueIndex
from genrec.prompt.words import FUNCTION_WORDS, Word, gap, split_words, word_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog

MAX_CHARS = 10_000
MAX_WORDS = 1_500
_NEGATORS = word_set("not no nothing never nor neither dont didnt doesnt isnt arent cant wont none")
_DISLIKES = word_set(
    "unlike hate hated hates dislike disliked detest detested without except excluding exclude avoid minus"
)
_WISHES = word_set("""want prefer need love loved like liked enjoy enjoyed adore adored give show recommend looking""")


_TURNS = word_set("but rather instead however though although")
_GRAMMAR = FUNCTION_WORDS | CUES | _NEGATORS | _DISLIKES | _WISHES | _TURNS


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

    def __str__(self) -> str:
        disliked = f"disliked={list(self.disliked_titles)}, " if self.disliked else ""
        return (
            f"understood: liked={list(self.liked_titles)}, {disliked}wanted={list(self.wanted)}, "
            f"filters={list(self.filters)}"
        )


class Matcher:
    """Finds a catalog's titles and attribute values, and years and prices, in free text.

    It knows no domain: titles, categories and other shared string values are read from the catalog, years from an
    integer column ``year``, prices from a numeric column ``price``. Work is bounded: of a text, the first
    10,000 characters and 1,500 words are read.

    Parameters
    ----------
    catalog
        The items.

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

    def __init__(self, catalog: Catalog) -> None:
        attributes = ItemAttributes.of_catalog(catalog)
        self._catalog_titles = catalog.titles
        self._titles = TitleIndex(catalog, attributes)
        self._values = ValueIndex(attributes)
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
        negative = _negative(text, words, taken)
        quantities = self._quantities(text, [(words[s.first].start, words[s.last - 1].end) for s in titles])
        taken |= _covered(text, words, quantities)
        wanted: dict[int, None] = {}
        unwanted: dict[int, None] = {}
        values: list[tuple[int, int, bool, int]] = []  # first word, end, whether it is not wanted, value
        for first, last, found in self._values.find(words, taken):
            taken[first:last] = True
            (unwanted if negative[first] else wanted).update(dict.fromkeys(found))
            values += [(first, last, bool(negative[first]), value) for value in found]
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

    def _quantities(self, text: str, titles: Sequence[tuple[int, int]]) -> list[Quantity]:
        """Years and prices stated outside of titles, each statement once."""
        for start, end in titles:
            text = text[:start] + "\0" * (end - start) + text[end:]
        found = [] if self.year_column is None else find_years(text, self.year_column)
        if self.price_column is not None:
            for start, end in (span for quantity in found for span in quantity.spans):
                text = text[:start] + "\0" * (end - start) + text[end:]
            found += find_prices(text, self.price_column)
        return list({quantity.expression: quantity for quantity in found}.values())


def _negative(text: str, words: Sequence[Word], in_title: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether what a word says is not wanted, bool (W,): from a negator up to the end of its clause."""
    negative = np.zeros(len(words), dtype=np.bool_)
    state, negator = False, -9
    for at, word in enumerate(words):
        between = gap(text, words, at)
        between_titles = at > 0 and in_title[at - 1] and in_title[at]
        if re.search(r"[.,!?;:]", between) and not between_titles:
            state = False
        negative[at] = state
        if in_title[at]:
            continue
        if word.key in _NEGATORS or (word.key == "but" and at and words[at - 1].key in ("anything", "everything")):
            state, negator = True, at
        elif word.key in _DISLIKES:
            state, negator = True, -9
        elif word.key in _TURNS:
            state, negator = False, -9
        elif word.key in _WISHES and at - negator > 3:
            state = False
    return negative


def _covered(text: str, words: Sequence[Word], quantities: Sequence[Quantity]) -> NDArray[np.bool_]:
    """Words that are part of a quantity, bool (W,)."""
    inside = np.zeros(len(text) + 1, dtype=np.bool_)
    for start, end in (span for quantity in quantities for span in quantity.spans):
        inside[start:end] = True
    return inside[[word.start for word in words]] if words else np.zeros(0, dtype=np.bool_)


def _price_column(catalog: Catalog) -> str | None:
    numeric = [f.name for f in catalog.table.schema if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)]
    return next((n for n in numeric if n == "price"), next((n for n in numeric if n.endswith("price")), None))
