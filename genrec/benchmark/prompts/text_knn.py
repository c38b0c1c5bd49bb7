"""What a sentence encoder finds for a prompt: the baseline of the suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.baselines.matrices import history_matrix
from genrec.baselines.ranking import top_k
from genrec.items.encoder import DEFAULT_ENCODER, encode_cached
from genrec.items.vectors import text_vectors, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.benchmark.prompts.suite import Prompt
    from genrec.data.catalog import Catalog


class TextKNN:
    """Ranks items by the cosine of their text's vector with that of a prompt.

    Parameters
    ----------
    catalog
        N items; their texts are title, categories and text.
    encoder
        Folder or hub name of a sentence-transformers model. Default ``all-MiniLM-L6-v2``.

    Examples
    --------
    >>> from genrec.benchmark.prompts.suite import Prompt
    >>> from genrec.testing import toy_catalog
    >>> none = np.empty(0, dtype=np.int32)
    >>> prompt = Prompt("liked", "a green lantern", 0, none, none, np.array([1], np.int32))
    >>> catalog = toy_catalog(24)
    >>> catalog.titles[TextKNN(catalog).rank([prompt], k=1)[0, 0]]
    'Green Lantern'
    """

    def __init__(self, catalog: Catalog, encoder: str = DEFAULT_ENCODER) -> None:
        self.encoder = encoder
        self._items = text_vectors(catalog.text_of(), encoder)
        self._centred = unit_rows(self._items - self._items.mean(axis=0))

    def rank(self, prompts: Sequence[Prompt], k: int, *, with_history: bool = False) -> NDArray[np.int32]:
        """Find the k nearest items that the user has not met.

        Parameters
        ----------
        prompts
            M requests.
        k
            Items to find.
        with_history
            Add the mean vector of the history that comes with a prompt, recent items weighing more, and take the mean
            of the catalog from the items, as :class:`~genrec.baselines.content.BertKNN` does. Default False: the
            text alone, and items as they are. Either is the better way on validation items of ML-100K.

        Returns
        -------
        NDArray
            int32 (M, k), best first, -1 padded.
        """
        asked, items = encode_cached([prompt.text for prompt in prompts], self.encoder), self._items
        if with_history:
            items = self._centred
            profiles = history_matrix([prompt.history for prompt in prompts], len(items), recency=1.0) @ items
            asked = asked + unit_rows(profiles)
        scores = asked @ items.T
        for row, prompt in enumerate(prompts):
            scores[row, prompt.seen] = -np.inf
        return top_k(scores, k).items
