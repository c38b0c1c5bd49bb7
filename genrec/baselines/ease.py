"""EASE: a linear autoencoder in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from pydantic import BaseModel, Field
from scipy import linalg

from genrec.baselines.base import Scorer, history_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class EASEConfig(BaseModel, extra="forbid"):
    """Options of :class:`EASE`."""

    regularization: float = Field(default=100.0, gt=0)
    """L2 penalty on the weights (lambda); larger data wants more."""


class EASE(Scorer):
    r"""Scores items by a regression of each item on all others.

    With the binary matrix X (U, N), :math:`P = (X^T X + \lambda I)^{-1}` gives the weights
    :math:`B_{ij} = -P_{ij} / P_{jj}` for ``i != j`` and 0 for ``i == j`` [1]_. Takes 4 N^2 bytes and N^3 operations,
    so catalogs up to some 30,000 items.

    Parameters
    ----------
    config
        Options, default lambda 100.

    References
    ----------
    .. [1] Steck, "Embarrassingly shallow autoencoders for sparse data", WWW 2019.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = EASE(EASEConfig(regularization=1.0)).fit(toy_dataset(users=24, items=8, length=3))
    >>> history = np.array([3, 4], dtype=np.int32)
    >>> sorted(scorer.recommend([history], k=2, exclude=[history]).items[0].tolist())
    [2, 5]
    """

    name = "ease"
    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(self, config: EASEConfig | None = None) -> None:
        self.config = config or EASEConfig()
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
        """
        users_items = dataset.histories.to_csr(dataset.num_items)
        gram = (users_items.T @ users_items).toarray(order="F")
        diagonal = np.diag_indices_from(gram)
        gram[diagonal] += np.float32(self.config.regularization)
        # Cholesky in place needs one matrix of memory, half of what a general inverse takes.
        factor, _ = linalg.lapack.spotrf(gram, lower=1, overwrite_a=1)
        inverse, _ = linalg.lapack.spotri(factor, lower=1, overwrite_c=1)
        upper = np.triu_indices(len(inverse), 1)
        inverse[upper] = inverse.T[upper]
        inverse /= -np.diag(inverse)
        inverse[diagonal] = 0
        self._weights = np.ascontiguousarray(inverse)
        return self

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
        scores: NDArray[np.float32] = history_matrix(histories, len(self._weights)) @ self._weights
        return scores
