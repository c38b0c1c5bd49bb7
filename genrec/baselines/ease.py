"""EASE: a linear autoencoder in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import psutil
from scipy import linalg

from genrec.baselines.base import Scorer
from genrec.baselines.matrices import history_matrix, training_matrix
from genrec.baselines.options import require
from genrec.errors import ConfigError, ResourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class EASE(Scorer):
    r"""Scores items by a regression of each item on all others.

    With the binary matrix X (U, N), :math:`P = (X^T X + \lambda I)^{-1}` gives the weights
    :math:`B_{ij} = -P_{ij} / P_{jj}` for ``i != j`` and 0 for ``i == j`` [1]_. Takes 4 N^2 bytes and N^3 operations,
    so catalogs up to some 30,000 items.

    Histories are sets to it, unless `recency` is given: then X holds the weights of the history's items, in training
    and in what is scored alike or by a value of its own, and what a user met last counts most.

    Parameters
    ----------
    regularization
        L2 penalty on the weights (lambda), default 100; more interactions an item want more.
    recency
        Items of a scored history weigh ``(1 + p) ** -recency``, with ``p`` items after them. Default 0: all alike.
    training_recency
        The same of the histories in X. Default 0.

    Raises
    ------
    ConfigError
        An option out of its range.

    References
    ----------
    .. [1] Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = EASE(regularization=1.0).fit(toy_dataset(users=24, items=8, length=3))
    >>> history = np.array([3, 4], dtype=np.int32)
    >>> sorted(scorer.recommend([history], k=2, exclude=[history]).items[0].tolist())
    [2, 5]
    """

    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(self, regularization: float = 100.0, recency: float = 0.0, training_recency: float = 0.0) -> None:
        require(regularization > 0, f"regularization={regularization} must be positive")
        require(
            min(recency, training_recency) >= 0,
            f"recency={recency} and training_recency={training_recency} must not be negative",
        )
        self.regularization = regularization
        self.recency = recency
        self.training_recency = training_recency
        self.name = "ease-recent" if recency or training_recency else "ease"
        self._weights = np.empty((0, 0), dtype=np.float32)

    def fit(self, dataset: Dataset) -> Self:
        """Solve for the item-item weights.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.

        Raises
        ------
        ResourceError
            N x N weights do not fit into memory.
        ConfigError
            The penalty is too small for the data to be solved in float32.
        """
        _check_memory(dataset.num_items)
        weights = _inverse(self._gram(dataset))
        weights /= -np.diag(weights)
        np.fill_diagonal(weights, 0)
        self._weights = weights
        return self

    def _gram(self, dataset: Dataset) -> NDArray[np.float32]:
        """What is inverted: X^T X + lambda I in Fortran order, which LAPACK inverts in its place."""
        users_items = training_matrix(dataset.histories, dataset.num_items, self.training_recency)
        gram: NDArray[np.float32] = (users_items.T @ users_items).toarray(order="F")
        gram[np.diag_indices_from(gram)] += np.float32(self.regularization)
        return gram

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Add the weights of each history's items.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N).
        """
        weighted = history_matrix(histories, len(self._weights), self.recency)
        scores: NDArray[np.float32] = weighted @ self._weights
        return scores


def _check_memory(num_items: int) -> None:
    needed, available = 4 * num_items**2, psutil.virtual_memory().available
    if needed > available:
        msg = f"EASE on {num_items} items needs {needed / 2**30:.1f} GiB, {available / 2**30:.1f} GiB are free"
        raise ResourceError(msg, hint="use item-knn, or a data set with fewer items (k-core)")


def _inverse(gram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Inverse of a symmetric positive definite matrix in Fortran order, in its place."""
    factor, failed = linalg.lapack.spotrf(gram, lower=1, overwrite_a=1)
    if failed:
        msg = "EASE cannot be solved with so small a penalty"
        raise ConfigError(msg, hint="raise regularization, for example to 100")
    inverse, _ = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
    # spotri fills one triangle. A loop, because index arrays of the other would take four times the matrix.
    for row in range(len(inverse)):
        inverse[row, row + 1 :] = inverse[row + 1 :, row]
    in_c_order: NDArray[np.float32] = inverse.T
    return in_c_order
