"""The most popular items for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.base import Scorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class Popularity(Scorer):
    """Scores an item by the number of users who met it.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = Popularity().fit(toy_dataset(users=3, items=5, length=2))
    >>> scorer.recommend([np.array([], dtype=np.int32)], k=3).items.tolist()
    [[1, 2, 0]]
    """

    name = "popularity"
    serves_cold_users: ClassVar[bool] = True
    serves_cold_items: ClassVar[bool] = False

    def __init__(self) -> None:
        self._counts = np.empty(0, dtype=np.float32)

    def fit(self, dataset: Dataset) -> Self:
        """Count the users of each item.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        users_items = dataset.histories.to_csr(dataset.num_items)
        self._counts = np.bincount(users_items.indices, minlength=dataset.num_items).astype(np.float32)
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Give every history the same scores.

        Parameters
        ----------
        histories
            B arrays int32 (T,), whose content does not matter.

        Returns
        -------
        NDArray
            float32 (B, N), number of users of each item.
        """
        return np.tile(self._counts, (len(histories), 1))
