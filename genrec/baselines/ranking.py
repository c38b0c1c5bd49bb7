"""The best items of each user, in a fixed order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Ranking:
    """Recommended items of a batch of users, best first.

    Parameters
    ----------
    items
        int32 (B, k): catalog indices, -1 where there are fewer than k items to recommend.
    scores
        float32 (B, k): higher is better, -inf beside -1.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]


def top_k(scores: NDArray[np.float32], k: int, exclude: Sequence[NDArray[np.int32]] | None = None) -> Ranking:
    """Take the k best items of each row; of equal scores, the lower item index first.

    Parameters
    ----------
    scores
        float32 (B, N); -inf means that an item is not eligible.
    k
        How many, at least 1; more than N are padded with -1.
    exclude
        Item indices not to recommend, one int32 array a row.

    Returns
    -------
    Ranking
        int32 (B, k) items and float32 (B, k) scores.

    Raises
    ------
    ValueError
        A score is NaN.

    Examples
    --------
    >>> top_k(np.array([[1, 3, 3, 0]], dtype=np.float32), k=3, exclude=[np.array([0])]).items.tolist()
    [[1, 2, 3]]
    """
    if np.isnan(scores).any():
        msg = f"scores of {int(np.isnan(scores).any(axis=1).sum())} rows hold NaN, which has no place in a ranking"
        raise ValueError(msg)
    if exclude is not None:
        scores = scores.copy()
        rows = np.repeat(np.arange(len(exclude)), [len(items) for items in exclude])
        scores[rows, np.concatenate([*exclude, np.empty(0, dtype=np.int32)]).astype(np.int64)] = -np.inf
    num_items = scores.shape[1]
    taken = min(k, num_items)
    keys = _sort_keys(scores)
    best = np.argpartition(keys, num_items - taken, axis=1)[:, num_items - taken :]
    order = np.argsort(np.take_along_axis(keys, best, axis=1), axis=1)[:, ::-1]
    best = np.take_along_axis(best, order, axis=1)
    values = np.full((len(scores), k), -np.inf, dtype=np.float32)
    values[:, :taken] = np.take_along_axis(scores, best, axis=1)
    items = np.full((len(scores), k), -1, dtype=np.int32)
    items[:, :taken] = best
    items[np.isneginf(values)] = -1
    return Ranking(items, values)


def _sort_keys(scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """Order of (score, lower index first) as distinct integers, so that no tie is left to the partition."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.int32).astype(np.int64)  # + 0 turns -0.0 into 0.0
    ascending: NDArray[np.int64] = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
    num_items = scores.shape[1]
    keys: NDArray[np.int64] = ascending * num_items + np.arange(num_items - 1, -1, -1)
    return keys
