"""Matrix factorisation by alternating least squares."""

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


class ALS(Scorer):
    """Scores by factors of users and items, from the library `implicit`.

    A weighted least-squares fit of the whole matrix, what was met with a higher confidence than what was not [1]_. The
    factors of a user, known or new, are solved from the given history with those of the items fixed, which is
    one half-step of the training. On one thread, so that a seed gives the same factors anywhere.

    Parameters
    ----------
    factors
        Width (D), default 256.
    regularization
        L2 penalty, default 30.
    alpha
        Confidence of an item that was met, beside 1 for one that was not. Default 10.
    iterations
        Rounds of training, default 15.
    recency
        Items of a scored history have confidence ``alpha * (1 + p) ** -recency``, with ``p`` items after them.
        Default 0: all alike.
    seed
        Of the first factors, default 0.

    Raises
    ------
    ConfigError
        An option out of its range.
    UnsupportedError
        The library is not installed.

    References
    ----------
    .. [1] Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008. On tuning it:
       Rendle, Krichene, Zhang, Koren, "Revisiting the performance of iALS on item recommendation benchmarks",
       RecSys 2022.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = ALS(factors=8, regularization=0.1).fit(toy_dataset(users=24, items=8, length=3))
    >>> history = np.array([3, 4], dtype=np.int32)
    >>> sorted(scorer.recommend([history], k=2, exclude=[history]).items[0].tolist())
    [2, 5]
    """

    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(
        self,
        factors: int = 256,
        regularization: float = 30.0,
        alpha: float = 10.0,
        iterations: int = 15,
        recency: float = 0.0,
        seed: int = 0,
    ) -> None:
        require(min(factors, iterations) >= 1, f"factors={factors} and iterations={iterations} must be at least 1")
        require(min(regularization, alpha) > 0, f"regularization={regularization} and alpha={alpha} must be positive")
        require(recency >= 0, f"recency={recency} must not be negative")
        require_implicit("als")
        self.factors = factors
        self.regularization = regularization
        self.alpha = alpha
        self.iterations = iterations
        self.recency = recency
        self.seed = seed
        self.name = "als-recent" if recency else "als"

    def fit(self, dataset: Dataset) -> Self:
        """Factorise the training matrix.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        from implicit.cpu.als import AlternatingLeastSquares

        # The library warns of BLAS with threads of its own, and computes with one BLAS thread a worker.
        with threadpool_limits(1, user_api="blas"):
            self._model = AlternatingLeastSquares(
                factors=self.factors,
                regularization=self.regularization,
                alpha=self.alpha,
                iterations=self.iterations,
                num_threads=1,
                random_state=self.seed,
            )
            users_items = training_matrix(dataset.histories, dataset.num_items)
            self._model.fit(users_items, show_progress=show_progress())
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Solve for each user and multiply with all items.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N).
        """
        items: NDArray[np.float32] = self._model.item_factors
        weighted = history_matrix(histories, len(items), self.recency)
        with threadpool_limits(1, user_api="blas"):
            users: NDArray[np.float32] = self._model.recalculate_user(np.arange(len(histories)), weighted)
            return users @ items.T
