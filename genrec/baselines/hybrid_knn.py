"""User-based and item-based neighbours together."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.base import Scorer
from genrec.baselines.item_knn import ItemKNN
from genrec.baselines.options import require
from genrec.baselines.user_knn import UserKNN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class HybridKNN(Scorer):
    """Scores an item by the votes of like users and by its likeness to the history.

    Both see the same interactions from two sides, and their errors differ, so their sum ranks better than
    either [1]_. Each is divided by its best score of that history first, so that `weight` means the same for
    all users.

    Parameters
    ----------
    weight
        Of the users' side, default 0.5; the items' side has the rest.
    user_knn
        Default: ``UserKNN()``.
    item_knn
        Default: ``ItemKNN()``.

    Raises
    ------
    ConfigError
        A weight outside 0 to 1.

    References
    ----------
    .. [1] Wang, de Vries, Reinders, "Unifying user-based and item-based collaborative filtering approaches by
       similarity fusion", SIGIR 2006.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = HybridKNN().fit(toy_dataset(users=24, items=8, length=4))
    >>> history = np.array([3, 4, 5], dtype=np.int32)
    >>> sorted(scorer.recommend([history], k=2, exclude=[history]).items[0].tolist())
    [2, 6]
    """

    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(self, weight: float = 0.5, user_knn: UserKNN | None = None, item_knn: ItemKNN | None = None) -> None:
        require(0 <= weight <= 1, f"weight={weight} must be from 0 to 1")
        self.weight = weight
        self.user_knn = user_knn or UserKNN()
        self.item_knn = item_knn or ItemKNN()
        self.name = "hybrid-knn-recent" if self.user_knn.recency or self.item_knn.recency else "hybrid-knn"

    def fit(self, dataset: Dataset) -> Self:
        """Fit both sides.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        self.user_knn.fit(dataset)
        self.item_knn.fit(dataset)
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Add the two sides up.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N), from 0 to 1.
        """
        scores = np.float32(self.weight) * _share_of_best(self.user_knn.score(histories))
        scores += np.float32(1 - self.weight) * _share_of_best(self.item_knn.score(histories))
        return scores


def _share_of_best(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Divide each row by its maximum; a row of zeros stays."""
    best = scores.max(axis=1, keepdims=True, initial=0)
    shares: NDArray[np.float32] = scores / np.where(best > 0, best, np.float32(1))
    return shares
