"""Matrix factorisation by pairwise ranking."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from threadpoolctl import threadpool_limits

from genrec.baselines.base import Scorer
from genrec.baselines.implicit_library import require_implicit, show_progress
from genrec.baselines.matrices import history_matrix, training_matrix
from genrec.baselines.options import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class BPR(Scorer):
    """Scores by factors that rank what a user met above what others met, from the library `implicit`.

    Training takes steps on random triples of a user, an item that the user met and one that it did not [1]_. On one
    thread: steps of several overwrite each other, and no run would be like another.

    The library learns a vector for each trained user and has no way to make one for another. So every user, trained or
    new, is the mean of the vectors of its history: the direction of the first gradient step of the loss from zero, less
    what all users have in common. On ML-100K validation that ranks better than the vectors learnt for the users, and
    than the minimum of the loss with the items fixed.

    Parameters
    ----------
    factors
        Width (D), default 128; the library adds a bias for each item.
    learning_rate
        Of training, default 0.05.
    regularization
        L2 penalty, default 0.001.
    iterations
        Passes over the interactions, default 100.
    recency
        Items of a scored history weigh ``(1 + p) ** -recency`` in the mean, with ``p`` items after them. Default 0.
    seed
        Of first factors and draws, default 0.

    Raises
    ------
    ConfigError
        An option out of its range.
    UnsupportedError
        The library is not installed.

    References
    ----------
    .. [1] Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR: Bayesian personalized ranking from implicit
       feedback", UAI 2009.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = BPR(factors=8).fit(toy_dataset(users=24, items=8, length=3))
    >>> scorer.score([np.array([3, 4], dtype=np.int32)]).shape
    (1, 8)
    """

    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(
        self,
        factors: int = 128,
        learning_rate: float = 0.05,
        regularization: float = 0.001,
        iterations: int = 100,
        recency: float = 0.0,
        seed: int = 0,
    ) -> None:
        require(min(factors, iterations) >= 1, f"factors={factors} and iterations={iterations} must be at least 1")
        require(learning_rate > 0, f"learning_rate={learning_rate} must be positive")
        require(
            min(regularization, recency) >= 0,
            f"regularization={regularization} and recency={recency} must not be negative",
        )
        require_implicit("bpr")
        self.factors = factors
        self.learning_rate = learning_rate
        self.regularization = regularization
        self.iterations = iterations
        self.recency = recency
        self.seed = seed
        self.name = "bpr-recent" if recency else "bpr"

    def fit(self, dataset: Dataset) -> Self:
        """Train the factors.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        users_items = training_matrix(dataset.histories, dataset.num_items)
        with threadpool_limits(1, user_api="blas"):
            model = BayesianPersonalizedRanking(
                factors=self.factors,
                learning_rate=self.learning_rate,
                regularization=self.regularization,
                iterations=self.iterations,
                num_threads=1,
                random_state=self.seed,
            )
            model.fit(users_items, show_progress=show_progress())
        # The library's last column is the bias of an item, beside a 1 in that of a user.
        self._vectors: NDArray[np.float32] = np.ascontiguousarray(model.item_factors[:, :-1])
        self._biases: NDArray[np.float32] = np.ascontiguousarray(model.item_factors[:, -1])
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Take the mean of each history and multiply with all items.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N).
        """
        weights = history_matrix(histories, len(self._biases), self.recency)
        total = np.asarray(weights.sum(axis=1))
        users = (weights @ self._vectors) / np.where(total > 0, total, 1)
        scores: NDArray[np.float32] = (users @ self._vectors.T + self._biases).astype(np.float32)
        return scores
