"""The search for the weights of a fusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.baselines.ranking import top_k

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

CUT = 10
GRID = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0)
"""Weights that are tried for each scorer beside one whose weight is 1."""
SWEEPS = 5
RESAMPLES = 8
LEAST = 0.02
"""Share of the largest weight below which a scorer is not worth being asked."""


@dataclass(frozen=True, eq=False)
class Pool:
    """The items of each question that can matter for its ranking, with every scorer's score.

    Parameters
    ----------
    parts
        float32 (S, M, C): scores on one scale; -inf for what is excluded, and in all parts where there is no item.
    is_target
        bool (M, C).
    num_targets
        int64 (M,), those outside the pool included.
    """

    parts: NDArray[np.float32]
    is_target: NDArray[np.bool_]
    num_targets: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        parts: Sequence[NDArray[np.float32]],
        targets: Sequence[NDArray[np.int32]],
        depth: int,
        exclude: Sequence[NDArray[np.int32]] | None,
    ) -> Self:
        """Gather the ``depth`` best items of each of S parts (B, N).

        Examples
        --------
        >>> parts = [np.array([[3, 2, 1, 0]], dtype=np.float32), np.array([[0, 0, 0, 1]], dtype=np.float32)]
        >>> pool = Pool.of(parts, [np.array([3])], depth=1, exclude=None)
        >>> pool.parts.tolist(), pool.is_target.tolist()  # of items 0 and 3
        ([[[3.0, 0.0]], [[0.0, 1.0]]], [[False, True]])
        """
        # In order of item index, as equal scores are ranked; an item that comes twice keeps one place.
        items = np.sort(np.concatenate([top_k(part, depth, exclude).items for part in parts], axis=1), axis=1)
        items[:, 1:][items[:, 1:] == items[:, :-1]] = -1
        row = np.arange(len(items))[:, None]
        scores = np.stack([np.where(items >= 0, part[row, items], -np.inf) for part in parts]).astype(np.float32)
        user = np.repeat(np.arange(len(targets)), [len(wanted) for wanted in targets])
        is_target_of = np.zeros(parts[0].shape, dtype=np.bool_)
        is_target_of[user, np.concatenate([*targets, np.empty(0, dtype=np.int32)])] = True
        is_target = is_target_of[row, items] & (items >= 0)
        return cls(scores, is_target, np.bincount(user, minlength=len(targets)))

    @classmethod
    def concatenated(cls, pools: Sequence[Pool]) -> Self:
        """All questions of several pools of one width."""
        return cls(
            np.concatenate([pool.parts for pool in pools], axis=1),
            np.concatenate([pool.is_target for pool in pools]),
            np.concatenate([pool.num_targets for pool in pools]),
        )

    def __getitem__(self, rows: NDArray[np.int64]) -> Pool:
        """Some of the questions."""
        return Pool(self.parts[:, rows], self.is_target[rows], self.num_targets[rows])

    def ndcg(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """NDCG@10 of each question under some weights (S,), float64 (M,)."""
        return self.ndcg_of(self.total(weights))

    def total(self, weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """Weighted sum of the parts, float32 (M, C)."""
        scores: NDArray[np.float32] = np.zeros_like(self.parts[0])
        for weight, part in zip(weights.astype(np.float32), self.parts, strict=True):
            if weight > 0:
                scores += weight * part
        return scores

    def ndcg_of(self, scores: NDArray[np.float32]) -> NDArray[np.float64]:
        """NDCG@10 of each question under some scores (M, C), float64 (M,)."""
        width = scores.shape[1]
        # Only what is no worse than the tenth best can have a place among ten.
        least = np.partition(scores, width - CUT, axis=1)[:, width - CUT, None] if width > CUT else -np.inf
        user, column = np.nonzero(self.is_target & (scores > -np.inf) & (scores >= least))
        own = scores[user, column][:, None]
        before = np.arange(scores.shape[1]) < column[:, None]
        rank = 1 + ((scores[user] > own) | ((scores[user] == own) & before)).sum(axis=1)
        gain = np.where(rank <= CUT, 1 / np.log2(rank + 1), 0)
        ideal = np.cumsum(1 / np.log2(np.arange(2, CUT + 2)))[np.minimum(self.num_targets, CUT) - 1]
        ndcg: NDArray[np.float64] = np.bincount(user, weights=gain, minlength=len(scores)) / ideal
        return ndcg


def choose_weights(pool: Pool, seed: int = 0, *, anchor: int | None = None) -> NDArray[np.float64]:
    """Find weights that are good for users like those asked: the mean over searches on resampled questions.

    The figure that is searched for is jagged, and its best point on one set of users is often far from that on another
    one; the mean of bootstrap samples stays close to both.

    Parameters
    ----------
    pool
        M questions, S scorers.
    seed
        Of the resampling.
    anchor
        Scorer whose weight is 1. Default None: that of the scorer with the largest is.

    Returns
    -------
    NDArray
        float64 (S,); those below a fiftieth of the largest are 0.

    Examples
    --------
    >>> right, noise = np.tile([2.0, 1.0, 0.0], (9, 1)), np.tile([0.0, 1.0, 2.0], (9, 1))
    >>> pool = Pool.of([right, noise], [np.array([0])] * 9, depth=3, exclude=None)
    >>> choose_weights(pool).tolist()
    [1.0, 0.0]
    """
    rng = np.random.default_rng(seed)
    total = np.zeros(len(pool.parts))
    for _ in range(RESAMPLES):
        weights = search_weights(pool[rng.integers(0, len(pool.is_target), len(pool.is_target))], anchor=anchor)
        total += weights / (RESAMPLES if anchor is not None else weights.sum())
    if anchor is None:
        total /= total.max()
    return np.where(total < LEAST * total.max(), 0, total)


def search_weights(pool: Pool, grid: Sequence[float] = GRID, *, anchor: int | None = None) -> NDArray[np.float64]:
    """Find weights by coordinate search: one after the other, the best of a grid, until nothing is gained.

    The search starts from one scorer alone, whose weight stays 1; of equally good weights the first is kept.

    Parameters
    ----------
    pool
        M questions, S scorers.
    grid
        Weights to try, ascending.
    anchor
        Scorer to start from. Default None: the one that is best alone.

    Returns
    -------
    NDArray
        float64 (S,).
    """
    # A question whose targets nobody found scores 0 under any weights.
    pool = pool[np.flatnonzero(pool.is_target.any(axis=1))]
    alone = [pool.ndcg(row).sum() for row in np.eye(len(pool.parts))]
    start = int(np.argmax(alone)) if anchor is None else anchor
    weights: NDArray[np.float64] = np.eye(len(pool.parts))[start]
    best = alone[start]
    for _ in range(SWEEPS):
        before = best
        for part in np.delete(np.arange(len(weights)), start):
            others = weights.copy()
            others[part] = 0
            rest = pool.total(others)
            for value in grid:
                figure = pool.ndcg_of(rest + np.float32(value) * pool.parts[part] if value else rest).sum()
                if figure > best:
                    weights, best = others.copy(), figure
                    weights[part] = value
        if best == before:
            break
    return weights
