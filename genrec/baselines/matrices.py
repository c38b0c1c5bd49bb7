"""Histories as sparse matrices, with old items counting less where that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.histories import Histories


def history_matrix(histories: Sequence[NDArray[np.int32]], num_items: int, recency: float = 0.0) -> sparse.csr_matrix:
    """Put a batch of histories into a sparse matrix.

    Parameters
    ----------
    histories
        B arrays int32 (T,) of item indices, oldest first.
    num_items
        Number of items (N).
    recency
        An item with ``p`` others after it in the history weighs ``(1 + p) ** -recency``: 1 for the last one. Default
        0: all weigh 1. A power and not a half-life, so that one value suits short histories and long ones.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32 (B, N); an item that occurs more than once weighs as much as its last occurrence.

    Examples
    --------
    >>> history_matrix([np.array([0, 2, 2]), np.array([], dtype=int)], num_items=3).toarray().tolist()
    [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]]
    >>> history_matrix([np.array([1, 0, 2, 0])], num_items=3, recency=1.0).toarray().tolist()
    [[1.0, 0.25, 0.5]]
    """
    indptr = np.concatenate([[0], np.cumsum([len(items) for items in histories], dtype=np.int64)])
    items = np.concatenate([*histories, np.empty(0, dtype=np.int32)]).astype(np.int32)
    return last_occurrences(indptr, items, _position_weights(indptr, recency), num_items)


def training_matrix(histories: Histories, num_items: int, recency: float = 0.0) -> sparse.csr_matrix:
    """Put all histories of a data set into a sparse matrix, as :func:`history_matrix` does with a batch.

    Parameters
    ----------
    histories
        U histories.
    num_items
        Number of items (N).
    recency
        As in :func:`history_matrix`.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32 (U, N).
    """
    weights = _position_weights(histories.indptr, recency)
    return last_occurrences(histories.indptr, histories.items, weights, num_items)


def last_occurrences(
    indptr: NDArray[np.int64], items: NDArray[np.int32], weights: NDArray[np.float64], num_items: int
) -> sparse.csr_matrix:
    """Make a matrix of weights, each item of a row once, with the weight of its last occurrence.

    Parameters
    ----------
    indptr
        int64 (B+1,): row ``b`` is ``indptr[b] : indptr[b+1]``.
    items
        Item indices, int32 (nnz,).
    weights
        float64 (nnz,).
    num_items
        Number of items (N).

    Returns
    -------
    scipy.sparse.csr_matrix
        float32 (B, N).
    """
    num_rows = len(indptr) - 1
    cells = np.repeat(np.arange(num_rows, dtype=np.int64), np.diff(indptr)) * num_items + items
    # np.unique keeps the first of equals: of the reversed array, the last occurrence.
    cells, last = np.unique(cells[::-1], return_index=True)
    rows, columns = np.divmod(cells, max(num_items, 1))
    data = weights[::-1][last].astype(np.float32)
    starts = np.searchsorted(rows, np.arange(num_rows + 1))
    return sparse.csr_matrix((data, columns.astype(np.int32), starts), shape=(num_rows, num_items))


def _position_weights(indptr: NDArray[np.int64], recency: float) -> NDArray[np.float64]:
    after = np.repeat(indptr[1:], np.diff(indptr)) - 1 - np.arange(indptr[-1])
    weights: NDArray[np.float64] = np.power(1.0 + after, -recency, dtype=np.float64)
    return weights
