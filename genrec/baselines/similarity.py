"""How alike sparse rows are, and which are the nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray

Similarity = Literal["cosine", "jaccard", "euclidean", "pearson"]
SIMILARITIES: tuple[Similarity, ...] = ("cosine", "jaccard", "euclidean", "pearson")


class SimilarityIndex:
    r"""Compares rows with the rows of a fixed matrix.

    Only pairs that have something in common are compared: all others have similarity 0. With
    :math:`ab = \sum_i a_i b_i`, so that on binary rows ``aa``, ``bb`` and ``ab`` are the sizes of two sets and of what
    they share, and D columns:

    - ``cosine``: :math:`ab / \sqrt{aa \cdot bb}`
    - ``jaccard``: :math:`ab / (aa + bb - ab)`, the share of the union that both have
    - ``euclidean``: :math:`1 / (1 + \sqrt{aa + bb - 2 ab})`, the inverse of the distance
    - ``pearson``: the correlation over all D columns, 0 where it is negative

    Parameters
    ----------
    rows
        float32 (M, D), no negative value.
    kind
        Which similarity, default cosine.
    shrinkage
        A similarity is multiplied by :math:`ab / (ab + shrinkage)`, since little in common is little evidence [1]_.
        Default 0: as it is.

    References
    ----------
    .. [1] Bell, Koren, "Improved neighborhood-based collaborative filtering", KDD Cup workshop 2007.

    Examples
    --------
    >>> index = SimilarityIndex(sparse.csr_matrix([[1, 1, 0, 0], [0, 0, 1, 1]], dtype=np.float32), kind="jaccard")
    >>> index.compare(sparse.csr_matrix([[1, 1, 0, 1]], dtype=np.float32)).toarray().tolist()
    [[0.6666666865348816, 0.25]]
    """

    def __init__(self, rows: sparse.csr_matrix, kind: Similarity = "cosine", shrinkage: float = 0.0) -> None:
        self.kind = kind
        self.shrinkage = shrinkage
        self._columns = rows.T.tocsr()  # (D, M)
        self._squares, self._sums = _moments(rows)

    @property
    def num_rows(self) -> int:
        """Number of rows to compare with (M)."""
        return len(self._sums)

    def compare(self, queries: sparse.csr_matrix) -> sparse.csr_matrix:
        """Compare with every row.

        Parameters
        ----------
        queries
            float32 (B, D).

        Returns
        -------
        scipy.sparse.csr_matrix
            float32 (B, M), columns in ascending order.
        """
        common = (queries @ self._columns).tocsr()
        common.sort_indices()
        row = np.repeat(np.arange(common.shape[0]), np.diff(common.indptr))
        squares, sums = _moments(queries)
        together = common.data.astype(np.float64)
        mine, theirs = squares[row], self._squares[common.indices]
        match self.kind:
            case "cosine":
                values = together / np.sqrt(mine * theirs)
            case "jaccard":
                values = together / (mine + theirs - together)
            case "euclidean":
                # Equal rows can come out a hair below 0.
                values = 1 / (1 + np.sqrt(np.maximum(mine + theirs - 2 * together, 0)))
            case "pearson":
                values = self._correlation(together, (mine, sums[row]), (theirs, self._sums[common.indices]))
        if self.shrinkage:
            values *= together / (together + self.shrinkage)
        return sparse.csr_matrix((values.astype(np.float32), common.indices, common.indptr), shape=common.shape)

    def _correlation(
        self,
        together: NDArray[np.float64],
        mine: tuple[NDArray[np.float64], NDArray[np.float64]],
        theirs: tuple[NDArray[np.float64], NDArray[np.float64]],
    ) -> NDArray[np.float64]:
        size = self._columns.shape[0]
        covariance = together - mine[1] * theirs[1] / size
        variances = (mine[0] - mine[1] ** 2 / size) * (theirs[0] - theirs[1] ** 2 / size)
        # A row that has all columns alike does not vary, so it correlates with nothing.
        positive = (covariance > 0) & (variances > 0)
        values = np.zeros_like(together)
        values[positive] = covariance[positive] / np.sqrt(variances[positive])
        return values


def strongest(similarities: sparse.csr_matrix, count: int) -> sparse.csr_matrix:
    """Keep the largest values of each row, of equals those of the lower column.

    Parameters
    ----------
    similarities
        float32 (B, M), not negative.
    count
        How many a row.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32 (B, M), at most `count` values a row, none of them 0.

    Examples
    --------
    >>> strongest(sparse.csr_matrix([[0.5, 0.9, 0.9, 0.5]]), 3).toarray().tolist()
    [[0.5, 0.9, 0.9, 0.0]]
    """
    table = similarities.tocoo()
    order = np.lexsort((table.col, -table.data, table.row))
    starts = np.concatenate([[0], np.cumsum(np.bincount(table.row, minlength=table.shape[0]))])
    rank = np.arange(len(order)) - starts[table.row[order]]
    kept = order[(rank < count) & (table.data[order] > 0)]
    return sparse.csr_matrix((table.data[kept], (table.row[kept], table.col[kept])), shape=table.shape)


def _moments(rows: sparse.csr_matrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum of squares and sum of each row, float64 (M,)."""
    in_float64 = rows.astype(np.float64)
    squares: NDArray[np.float64] = np.asarray(in_float64.multiply(in_float64).sum(axis=1)).ravel()
    sums: NDArray[np.float64] = np.asarray(in_float64.sum(axis=1)).ravel()
    return squares, sums
