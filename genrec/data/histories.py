"""What each user met, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from numpy.typing import NDArray


def time_order(users: NDArray[np.int32], timestamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row numbers grouped by user, oldest first, equal timestamps in file order.

    Parameters
    ----------
    users
        User index of each row, int32 (n,).
    timestamps
        int64 (n,).

    Returns
    -------
    numpy.ndarray
        int64 (n,), a permutation of the rows.

    Examples
    --------
    >>> time_order(np.array([1, 0, 1], dtype=np.int32), np.array([5, 9, 5])).tolist()
    [1, 0, 2]
    """
    order: NDArray[np.int64] = np.lexsort((timestamps, users))
    return order


@dataclass(frozen=True, eq=False)
class Histories:
    """The histories of all users, end to end (CSR).

    Parameters
    ----------
    indptr
        int64 (U+1,): the history of user ``u`` is ``indptr[u] : indptr[u+1]``.
    items
        Item indices, int32 (nnz,), per user oldest first.
    timestamps
        int64 (nnz,).
    ratings
        float32 (nnz,), or None where there are none.

    Examples
    --------
    >>> rows = np.array([1, 0, 1], dtype=np.int32), np.array([7, 8, 9], dtype=np.int32), np.array([2, 1, 1])
    >>> histories = Histories.from_rows(*rows, num_users=2)
    >>> histories[1].tolist()
    [9, 7]
    """

    indptr: NDArray[np.int64]
    items: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    ratings: NDArray[np.float32] | None = None

    @classmethod
    def from_rows(
        cls,
        users: NDArray[np.int32],
        items: NDArray[np.int32],
        timestamps: NDArray[np.int64],
        ratings: NDArray[np.float32] | None = None,
        *,
        num_users: int,
    ) -> Histories:
        """Group rows (n,) in file order by user and sort them by time; the sort is stable."""
        order = time_order(users, timestamps)
        indptr = np.zeros(num_users + 1, dtype=np.int64)
        np.cumsum(np.bincount(users, minlength=num_users), out=indptr[1:])
        return cls(indptr, items[order], timestamps[order], None if ratings is None else ratings[order])

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def __getitem__(self, user: int) -> NDArray[np.int32]:
        return self.items[self.indptr[user] : self.indptr[user + 1]]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of each history, int64 (U,)."""
        return np.diff(self.indptr)

    def item_counts(self, num_items: int) -> NDArray[np.int64]:
        """How often each item was met, int64 (N,)."""
        return np.bincount(self.items, minlength=num_items).astype(np.int64, copy=False)

    def count_ties(self) -> int:
        """How many interactions have the same timestamp as the one before them in their history."""
        same_time = np.diff(self.timestamps) == 0
        users = np.repeat(np.arange(len(self)), self.lengths)
        return int(np.count_nonzero(same_time & (np.diff(users) == 0)))

    def to_csr(self, num_items: int) -> sparse.csr_matrix:
        """Users by items, float32 (U, N), 1 where a user met an item, however often."""
        ones = np.ones(len(self.items), dtype=np.float32)
        matrix = sparse.csr_matrix((ones, self.items.copy(), self.indptr.copy()), shape=(len(self), num_items))
        matrix.sum_duplicates()
        matrix.data[:] = 1.0
        return matrix
