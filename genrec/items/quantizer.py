"""Residual k-means: vectors to one centroid a level."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from genrec.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class ResidualQuantizer:
    """Codebooks that approximate a vector by a sum of one centroid a level.

    Level 0 quantizes the vector, level ``l`` what levels before ``l`` left over. See [1]_ for the idea and [2]_
    for its use as item IDs.

    Parameters
    ----------
    codebooks
        float32 (L, K, D).

    References
    ----------
    .. [1] Chen, Guan, Wang, "Approximate nearest neighbor search by residual vector quantization", Sensors 2010.
    .. [2] Rajput et al., "Recommender systems with generative retrieval", NeurIPS 2023.

    Examples
    --------
    >>> vectors = np.array([[0.0], [1.0], [10.0], [11.0]], dtype=np.float32)
    >>> quantizer = ResidualQuantizer.fit(vectors, levels=2, codes_per_level=2)
    >>> np.allclose(quantizer.decode(quantizer.assign(vectors)), vectors)
    True
    """

    codebooks: NDArray[np.float32]

    @classmethod
    def fit(cls, vectors: NDArray[np.float32], levels: int, codes_per_level: int, seed: int = 0) -> ResidualQuantizer:
        """Run k-means on the residual of each level in turn.

        Parameters
        ----------
        vectors
            float32 (N, D), finite.
        levels
            Number of levels (L).
        codes_per_level
            Centroids of each level (K). Where fewer distinct residuals are left, the centroids left over are 0.
        seed
            Same seed, same vectors: same codebooks, on any number of cores.

        Returns
        -------
        ResidualQuantizer
            The fitted codebooks.

        Raises
        ------
        DataError
            ``vectors`` is not (N, D) with N >= 1, or holds NaN or infinity.
        """
        from sklearn.cluster import KMeans  # a second, which those who only read codes need not wait
        from sklearn.exceptions import ConvergenceWarning

        residual = _checked(vectors).copy()
        codebooks = np.zeros((levels, codes_per_level, residual.shape[1]), dtype=np.float32)
        for level in range(levels):
            clusters = min(codes_per_level, len(np.unique(residual, axis=0)))
            # One thread: sums over threads are added in the order the threads finish. Fewer clusters than asked for
            # (residuals that differ by rounding only) leave codes unused, which the report shows.
            with threadpool_limits(1), warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                means = KMeans(clusters, n_init=1, max_iter=100, random_state=seed + level).fit(residual)
            codebooks[level, :clusters] = means.cluster_centers_
            residual -= codebooks[level, means.labels_]
        return cls(codebooks)

    @property
    def levels(self) -> int:
        """Number of levels (L)."""
        return len(self.codebooks)

    @property
    def codes_per_level(self) -> int:
        """Centroids of a level (K)."""
        return int(self.codebooks.shape[1])

    def assign(self, vectors: NDArray[np.float32]) -> NDArray[np.int32]:
        """Take the nearest centroid level by level.

        Parameters
        ----------
        vectors
            float32 (N, D), finite.

        Returns
        -------
        NDArray
            int32 (N, L), each in ``0 .. K - 1``; several vectors may get the same row.

        Raises
        ------
        DataError
            The vectors' width is not the codebooks', or they hold NaN or infinity.
        """
        from sklearn.metrics import pairwise_distances_argmin

        residual = _checked(vectors).copy()
        width = self.codebooks.shape[2]
        if residual.shape[1] != width:
            msg = f"vectors have width {residual.shape[1]}, the codebooks were fitted on width {width}"
            raise DataError(msg, hint="make the new vectors the way the fitted ones were made")
        codes = np.empty((len(residual), self.levels), dtype=np.int32)
        for level, codebook in enumerate(self.codebooks):
            codes[:, level] = pairwise_distances_argmin(residual, codebook)
            residual -= codebook[codes[:, level]]
        return codes

    def decode(self, codes: NDArray[np.int32]) -> NDArray[np.float32]:
        """Sum the centroids of each row.

        Parameters
        ----------
        codes
            int32 (N, L), each in ``0 .. K - 1``.

        Returns
        -------
        NDArray
            float32 (N, D), the approximation of the vectors.
        """
        summed: NDArray[np.float32] = self.codebooks[np.arange(self.levels), codes].sum(axis=1)
        return summed


def _checked(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    if vectors.ndim != 2 or len(vectors) == 0 or vectors.shape[1] == 0:
        msg = f"item vectors must be (items, width) with at least one item, not {vectors.shape}"
        raise DataError(msg)
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        msg = f"the vectors of {len(bad)} items hold NaN or infinity, first item {bad[0]}"
        raise DataError(msg, hint="give an item without a vector the zero vector")
    return np.asarray(vectors, dtype=np.float32)
