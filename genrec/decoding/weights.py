"""A request as a vector of item log-weights, and what it means for the nodes of the trie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genrec.decoding.trie import CatalogTrie


@dataclass(frozen=True, eq=False)
class ItemWeights:
    """Log-weights of every item for each user of a batch.

    -inf excludes an item (seen, out of stock, filtered out); a finite value is a prior. Weights of
    several sources combine by ``+``, and one row stands for all users.

    Parameters
    ----------
    dense
        float32 (B, N), or (1, N) for all users.

    Raises
    ------
    ConfigError
        If the weights are not (B, N), or one of them is NaN or +inf.

    Examples
    --------
    >>> in_stock = ItemWeights.from_mask(np.array([True, True, False]))
    >>> (in_stock + ItemWeights.from_seen([[0], []], num_items=3)).dense
    array([[-inf,   0., -inf],
           [  0.,   0., -inf]], dtype=float32)
    """

    dense: NDArray[np.float32]

    def __post_init__(self) -> None:
        if self.dense.ndim != 2:
            raise ConfigError(f"item weights must be (B, N), got {self.dense.shape}")
        if not (self.dense < np.inf).all():
            raise ConfigError(
                "item weights hold NaN or +inf", hint="use finite log-weights, and -inf to exclude an item"
            )

    @classmethod
    def from_seen(cls, seen: Sequence[Sequence[int] | NDArray[np.int32]], num_items: int) -> Self:
        """Exclude the listed items of each user, and weigh all others alike.

        Parameters
        ----------
        seen
            One sequence of item indices a user (B).
        num_items
            Number of items (N).
        """
        dense = np.zeros((len(seen), num_items), dtype=np.float32)
        dense[_flat_index(seen)] = -np.inf
        return cls(dense)

    @classmethod
    def from_candidates(cls, candidates: Sequence[Sequence[int] | NDArray[np.int32]], num_items: int) -> Self:
        """Allow nothing but the listed items of each user; arguments as :meth:`from_seen`."""
        dense = np.full((len(candidates), num_items), -np.inf, dtype=np.float32)
        dense[_flat_index(candidates)] = 0.0
        return cls(dense)

    @classmethod
    def from_mask(cls, mask: NDArray[np.bool_]) -> Self:
        """Exclude the items that are false in a mask, (N,) for all users or (B, N)."""
        return cls(np.where(np.atleast_2d(mask), np.float32(0.0), np.float32(-np.inf)))

    @classmethod
    def from_priors(cls, priors: NDArray[np.floating]) -> Self:
        """Use log-weights as they are, (N,) for all users or (B, N)."""
        return cls(np.atleast_2d(priors).astype(np.float32))

    def __add__(self, other: ItemWeights) -> ItemWeights:
        """Weights of both: excluded where either excludes, else the sum."""
        return ItemWeights(self.dense + other.dense)

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Items not excluded, (B, N)."""
        return self.dense > -np.inf

    def of(self, user: NDArray[np.integer], item: NDArray[np.integer]) -> NDArray[np.float32]:
        """Weights (E,) of (user, item) pairs."""
        weights: NDArray[np.float32] = self.dense[user if len(self.dense) > 1 else 0, item]
        return weights

    def node_weights(self, trie: CatalogTrie) -> NDArray[np.float32]:
        """Weight of each trie node: what its eligible items promise on average.

        Parameters
        ----------
        trie
            The trie over the same N items.

        Returns
        -------
        NDArray[np.float32]
            (B, num_nodes): ``log(mean(exp(weight)))`` over the eligible items below a node, -inf where
            there are none. The mean, not the sum, so that weights that are equal everywhere prefer no branch.

        Raises
        ------
        ConfigError
            If the trie has another number of items.

        Examples
        --------
        >>> from genrec.decoding.trie import CatalogTrie
        >>> trie = CatalogTrie.from_codes(np.array([[0, 2], [0, 3], [1, 2]]))
        >>> ItemWeights.from_priors(np.log([1.0, 3.0, 1e-9])).node_weights(trie)[0, :3].round(3)
        array([  0.288,   0.693, -20.723], dtype=float32)
        """
        if self.dense.shape[1] != trie.num_items:
            raise ConfigError(f"weights of {self.dense.shape[1]} items do not fit a trie of {trie.num_items}")
        eligible = self.eligible
        if not self.dense[eligible].any():
            alive = _reduce_up(trie, eligible, partial(np.logical_or.reduceat, axis=1))
            return np.where(alive, np.float32(0.0), np.float32(-np.inf))
        count = _reduce_up(trie, eligible.astype(np.float32), partial(np.add.reduceat, axis=1))
        total: NDArray[np.float32] = _reduce_up(trie, self.dense, _log_sum)
        total -= np.log(np.maximum(count, 1.0))
        return total


def _flat_index(items: Sequence[Sequence[int] | NDArray[np.int32]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and column of each listed item."""
    rows = np.repeat(np.arange(len(items)), [len(row) for row in items])
    columns = np.concatenate([np.asarray(row, dtype=np.int64) for row in items]) if len(items) else rows
    return rows, columns


def _reduce_up(
    trie: CatalogTrie,
    values: NDArray[Any],
    combine: Callable[[NDArray[Any], NDArray[np.int32]], NDArray[Any]],
) -> NDArray[Any]:
    """Combine item values (B, N) into node values (B, num_nodes), from the leaves up.

    ``combine(values, starts)`` reduces the segments of axis 1 that begin at ``starts``. The items of
    successive leaves, and the children of successive inner nodes, are contiguous.
    """
    is_leaf = np.diff(trie.leaf_indptr) > 0
    nodes = np.empty((len(values), trie.num_nodes), dtype=values.dtype)
    nodes[:, is_leaf] = combine(values[:, trie.leaf_items], trie.leaf_indptr[:-1][is_leaf])
    for level in range(trie.num_levels - 1, -1, -1):
        first, end = trie.level_offsets[level : level + 2]
        inner = first + np.flatnonzero(~is_leaf[first:end])
        below = nodes[:, end : trie.level_offsets[level + 2]]
        nodes[:, inner] = combine(below, trie.indptr[inner] + 1 - end)
    return nodes


def _log_sum(values: NDArray[np.float32], starts: NDArray[np.int32]) -> NDArray[np.float32]:
    """``log(sum(exp(values)))`` of segments, each relative to its maximum: sharp priors span hundreds."""
    highest = np.maximum.reduceat(values, starts, axis=1)
    highest[highest == -np.inf] = 0.0
    sizes = np.diff(starts, append=values.shape[1])
    total = np.add.reduceat(np.exp(values - np.repeat(highest, sizes, axis=1)), starts, axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(highest + np.log(total), dtype=np.float32)
