"""Finding attribute values, such as categories and brands, in a text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA

from genrec.columns import CATEGORIES
from genrec.prompt.words import FUNCTION_WORDS, Word, normal, singular, stem, word_set

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.prompt.attributes import ItemAttributes

# What people say for values that many catalogs have under another word; each counts only where the catalog has it.
SYNONYMS = {
    "funny": "comedy", "comic": "comedy", "humor": "comedy", "humour": "comedy", "hilarious": "comedy",
    "scary": "horror", "spooky": "horror", "creepy": "horror", "love story": "romance", "kids": "children",
    "kid": "children", "science fiction": "sci fi", "cartoon": "animation", "suspense": "thriller", "noir": "film noir",
    "detective": "mystery", "true story": "documentary", "perfume": "fragrance", "cosmetics": "makeup",
}  # fmt: skip
MAX_WORDS = 6
LEAST_FUZZY, TWO_SLIPS = 5, 9
"""Letters of the shortest word that is known with a typo, and with two."""
MAX_FUZZY, MAX_FUZZY_FORMS = 30, 2_000
"""Most words of a text that are looked at for typos; catalogs of more values have some for every typo."""
# Words whose stem meets that of another word by chance.
_NO_STEM = word_set("fantastic drive general generic relative native")


class ValueIndex:
    """The attribute values of a catalog by their words.

    A value is known by its words exactly, by their singular forms, by synonyms, and, for categories, by their
    stems and by the parts of a list such as ``Creams, Gels & Lotions``. A closer form hides a looser one. One letter
    too many, too few, wrong or swapped is forgiven in words of five or more that begin alike, two in long words.

    Parameters
    ----------
    attributes
        The values.
    spared
        Words that are no typos, such as those of titles. Default none.
    """

    def __init__(self, attributes: ItemAttributes, spared: frozenset[str] = frozenset()) -> None:
        self._attributes = attributes
        self._spared = spared
        self._exact: dict[str, list[int]] = defaultdict(list)
        self._singular: dict[str, list[int]] = defaultdict(list)
        self._stem: dict[str, list[int]] = defaultdict(list)
        parts: dict[str, list[int]] = defaultdict(list)
        for value, text in enumerate(attributes.values):
            key = normal(text)
            if not key or key in FUNCTION_WORDS or ("'" in text and '"' in text):
                continue
            for form in {key, key.replace(" ", "")}:
                self._exact[form].append(value)
            self._singular[_each(singular, key)].append(value)
            if attributes.columns[value] == CATEGORIES:
                self._stem[_each(stem, key)].append(value)
                for part in re.split(r"[,&/]| and ", text)[: None if len(key.split()) > 1 else 0]:
                    parts[_each(singular, normal(part))].append(value)
        for key, values in parts.items():
            if key not in FUNCTION_WORDS:
                self._singular.setdefault(key, values)
        for said, meant in SYNONYMS.items():
            known = self._exact.get(meant) or self._singular.get(meant)
            if known and said not in self._exact:
                self._exact[said] = known
                self._singular.setdefault(_each(singular, said), known)
        self._vocabulary = sorted(
            {word for form in (*self._exact, *self._singular) for word in form.split() if len(word) >= LEAST_FUZZY}
            if len(self._exact) <= MAX_FUZZY_FORMS
            else ()
        )
        self._first_words = {form.split()[0] for index in (self._exact, self._singular, self._stem) for form in index}
        self.keys = frozenset(self._exact) | frozenset(self._singular)
        """Forms that equal a value."""

    def find(self, words: Sequence[Word], taken: NDArray[np.bool_]) -> Iterator[tuple[int, int, list[int]]]:
        """Yield first word, end and values of each match, longer ones first, none overlapping another or ``taken``."""
        taken = taken.copy()
        words = self._corrected(words, taken)
        starts = [at for at, word in enumerate(words) if not self._first_words.isdisjoint(word.forms)]
        for length in range(min(MAX_WORDS, len(words)), 0, -1):
            for first in starts:
                if first + length <= len(words) and not taken[first : first + length].any():
                    values = self._look_up(words[first : first + length])
                    if values:
                        taken[first : first + length] = True
                        yield first, first + length, values

    def texts(self, values: Iterable[int]) -> tuple[str, ...]:
        """Texts of values, each once: two columns may share one."""
        return tuple(dict.fromkeys(self._attributes.values[value] for value in values))

    def expression(self, value: int) -> str:
        """Filter expression of the items that have a value."""
        column, text = self._attributes.columns[value], self._attributes.values[value]
        column = column if re.fullmatch(r"\w+", column) else f'"{column}"'
        return f'{column}="{text}"' if "'" in text else f"{column}='{text}'"

    def _corrected(self, words: Sequence[Word], taken: NDArray[np.bool_]) -> list[Word]:
        """The words, those that are nobody's but for a slip put right."""
        corrected = list(words)
        looked_at = 0
        for at, word in enumerate(words):
            known = (
                not self._first_words.isdisjoint(word.forms) or word.key in FUNCTION_WORDS or word.key in self._spared
            )
            if taken[at] or known or len(word.key) < LEAST_FUZZY - 1 or looked_at == MAX_FUZZY:
                continue
            looked_at += 1
            alike = [form for form in self._vocabulary if form[0] == word.key[0]]
            found = process.extractOne(word.key, alike, scorer=OSA.distance, score_cutoff=2)
            if found is not None and found[1] <= (2 if len(found[0]) >= TWO_SLIPS else 1):
                corrected[at] = replace(word, key=found[0])
        return corrected

    def _look_up(self, words: Sequence[Word]) -> list[int] | None:
        key = " ".join([word.key for word in words])
        if key in FUNCTION_WORDS:
            return None
        found = self._exact.get(key) or self._singular.get(" ".join([word.singular for word in words]))
        if found or any(word.key in _NO_STEM for word in words):
            return found
        return self._stem.get(" ".join([word.stem for word in words]))


def _each(form: Callable[[str], str], key: str) -> str:
    return " ".join(form(word) for word in key.split())
