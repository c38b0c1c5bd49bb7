"""Items at random: what any model must beat."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.base import Scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class Random(Scorer):
    """Scores every item at random, the same for the same history whatever batch it comes in.

    Parameters
    ----------
    seed
        Another seed, another ranking. Default 0.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = Random().fit(toy_dataset(users=3, items=5, length=2))
    >>> history = np.array([1, 2], dtype=np.int32)
    >>> sorted(scorer.recommend([history], k=3, exclude=[history]).items[0].tolist())
    [0, 3, 4]
    """

    name = "random"
    serves_cold_users: ClassVar[bool] = True
    serves_cold_items: ClassVar[bool] = True

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._num_items = 0

    def fit(self, dataset: Dataset) -> Self:
        """Learn how many items there are.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        self._num_items = dataset.num_items
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Draw a score for every item.

        Parameters
        ----------
        histories
            B arrays int32 (T,); each seeds its own draw.

        Returns
        -------
        NDArray
            float32 (B, N), uniform in [0, 1).
        """
        scores = np.empty((len(histories), self._num_items), dtype=np.float32)
        for row, items in zip(scores, histories, strict=True):
            np.random.default_rng([self.seed, *items.tolist()]).random(out=row, dtype=np.float32)
        return scores
