"""Words of a request that stand in some titles: for whoever names a product by a part of its title."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genrec.prompt.words import singular, split_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from genrec.prompt.understanding import Understood

SHARE, FEWEST = 0.05, 10
"""A word tells items apart if no larger share of the titles has it, or no more titles than that."""
SHORTEST = 3


class TitleWords:
    """The words of a catalog's titles that tell items apart.

    Parameters
    ----------
    titles
        Of the N items.

    Examples
    --------
    >>> words = TitleWords(["Bergkäse klein", "Bergkäse gross", "Merlot 2019"])
    >>> words.count(["Bergkäse"]).tolist(), words.count(["merlots", "gross"]).tolist()
    ([1, 1, 0], [0, 1, 1])
    """

    def __init__(self, titles: Sequence[str]) -> None:
        self._num_items = len(titles)
        items: defaultdict[str, list[int]] = defaultdict(list)
        for item, title in enumerate(titles):
            for key in {singular(word.key) for word in split_words(title)}:
                items[key].append(item)
        most = max(FEWEST, SHARE * len(titles))
        self._items = {key: some for key, some in items.items() if len(key) >= SHORTEST and len(some) <= most}

    def count(self, words: Iterable[str]) -> NDArray[np.int64]:
        """How many of some words each title has, int64 (N,)."""
        found = [self._items.get(singular(word.key), []) for said in words for word in split_words(said)]
        return np.bincount(
            np.array([item for some in found for item in some], dtype=np.int64), minlength=self._num_items
        )

    def explain(self, understood: Understood) -> Understood:
        """Take the words that nothing else explains for words of titles, where titles have them."""
        known = [word for word in understood.rest if self.count([word]).any()]
        return replace(
            understood,
            title_words=tuple(word for word in known if word not in understood.unwanted_rest),
            unwanted_title_words=tuple(word for word in known if word in understood.unwanted_rest),
            rest=tuple(word for word in understood.rest if word not in known),
        )
