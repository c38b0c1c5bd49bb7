"""What a data set has that prompts can speak of."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from genrec.columns import TEXT
from genrec.prompt.attributes import ItemAttributes
from genrec.prompt.titles import spoken
from genrec.prompt.words import FUNCTION_WORDS, normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.benchmark.prompts.phrasings import Theme
    from genrec.data.dataset import Dataset

MAX_TITLE_WORDS = 12
"""Titles of products can be paragraphs, which nobody would type."""
TOPIC_ITEMS = (3, 0.05)
"""A word is a topic if at least so many items, and at most this share of them, have it in their text."""
TOPIC_LETTERS = 5


@dataclass(frozen=True)
class KnownTheme:
    """A theme, and the indices of the catalog's values that it stands for."""

    values: tuple[int, ...]
    phrases: tuple[str, ...]


class Source:
    """A data set, seen from what a prompt can say about its items.

    Parameters
    ----------
    dataset
        Users and items.
    themes
        Those of which the catalog has a value are kept.

    Examples
    --------
    >>> from genrec.benchmark.prompts.development import DEVELOPMENT
    >>> from genrec.testing import toy_dataset
    >>> source = Source(toy_dataset(), DEVELOPMENT.themes)
    >>> [source.attributes.values[value] for value in source.values(1)]
    ['Adventure', 'Comedy']
    >>> source.themes[0].phrases[0]
    'I could do with some laughs'
    """

    def __init__(self, dataset: Dataset, themes: Sequence[Theme]) -> None:
        self.dataset = dataset
        self.attributes = ItemAttributes.of_catalog(dataset.catalog)
        self._informative = self.attributes.informative
        self.themes = [known for theme in themes if (known := self._known(theme)).values and known.phrases]

    def values(self, item: int) -> list[int]:
        """Values of an item that tell items apart, ascending."""
        values = self.attributes.of_item(item)
        return [int(value) for value in values[self._informative[values]]]

    @cached_property
    def sayable(self) -> NDArray[np.bool_]:
        """Items whose title somebody might type, bool (N,)."""
        return np.array([1 <= len(title.split()) <= MAX_TITLE_WORDS for title in self.dataset.catalog.titles])

    @cached_property
    def ambiguous(self) -> NDArray[np.bool_]:
        """Items that share their title, less its year, with another: these are named in full, bool (N,)."""
        keys = [normal(spoken(title)) for title in self.dataset.catalog.titles]
        counts = Counter(keys)
        return np.array([counts[key] > 1 for key in keys])

    def topics(self, item: int) -> list[str]:
        """Words of an item's text that few other items have, in alphabetical order."""
        return self._topics[item] if self._topics else []

    @cached_property
    def _topics(self) -> list[list[str]]:
        catalog = self.dataset.catalog
        if TEXT not in catalog.table.column_names:
            return []
        words = [
            {word for word in re.findall(r"[a-z]+", (text or "").lower()) if len(word) >= TOPIC_LETTERS}
            for text in catalog.column(TEXT).to_pylist()
        ]
        counts = Counter(word for item in words for word in item if word not in FUNCTION_WORDS)
        least, share = TOPIC_ITEMS
        return [sorted(word for word in item if least <= counts[word] <= share * len(words)) for item in words]

    def _known(self, theme: Theme) -> KnownTheme:
        keys = [normal(value) for value in self.attributes.values]
        found = tuple(at for at, key in enumerate(keys) if key in theme.values and self._informative[at])
        return KnownTheme(found, theme.phrases)
