"""What item log-weights mean for the nodes of a trie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genrec.trie import CatalogTrie

LARGEST_SPREAD = 600.0
"""Largest difference between two weights whose exponentials float64 holds side by side."""

FLOAT32_SPREAD = 80.0
"""The same of float32."""


@dataclass(frozen=True, eq=False)
class NodeWeights:
    """Weights of trie nodes, computed where beams ask for them.

    A node weighs ``log(mean(exp(weight)))`` over the eligible items below it, -inf where there are none. The items
    below a node are a run of ``trie.leaf_items`` at each depth, so with the items laid out in that order, once a
    request, a node's weight is the sum of a slice; no table over nodes is made.

    Parameters
    ----------
    trie
        The trie over N items.
    base
        float32 (B, 1) or (1, 1): weight of all nodes if nothing below is given.
    count
        int32 (B or 1, N + 1): eligible items before each place of ``trie.leaf_items``. None: all or none are.
    mass, shift
        Floats (B * N + 1,) and float32 (B, 1): ``exp(weight - shift)`` in the order of ``trie.leaf_items``, if
        there are priors.
    table
        float32 (B, num_nodes): all weights, where they lie too far apart for ``mass``.
    key, value
        int64 (T,), ascending, and float32 (T,): nodes ``user * num_nodes + node`` with a weight of their own.
    """

    trie: CatalogTrie
    base: NDArray[np.float32]
    count: NDArray[np.int32] | None = None
    mass: NDArray[np.floating] | None = None
    shift: NDArray[np.float32] | None = None
    table: NDArray[np.float32] | None = None
    key: NDArray[np.int64] | None = None
    value: NDArray[np.float32] | None = None

    @classmethod
    def of_dense(cls, trie: CatalogTrie, dense: NDArray[np.float32]) -> Self:
        """Weights of nodes from those of all items, (B, N)."""
        base = dense[:, :1]
        lowest, highest = lowest_finite(dense)[:, None], dense.max(axis=1, keepdims=True)
        count = None if (dense.min(axis=1) > -np.inf).all() else _count_before(trie, dense > -np.inf)
        some = highest > -np.inf
        if not (highest[some].any() or lowest[some].any()):
            return cls(trie, base, count)
        spread = float((highest - lowest)[some].max())
        if spread > LARGEST_SPREAD:
            return cls(trie, base, table=_log_means(trie, dense))
        shift = np.where(some, highest, np.float32(0.0))
        mass: NDArray[np.floating] = np.empty(
            len(dense) * len(trie.leaf_items) + 1, dtype=np.float32 if spread < FLOAT32_SPREAD else np.float64
        )
        mass[-1] = 0.0
        # User by user: a row stays in the processor's cache from one operation to the next.
        for row, weights, most in zip(mass[:-1].reshape(len(dense), -1), dense, shift, strict=True):
            np.subtract(weights.take(trie.leaf_items), most, out=row)
            torch.from_numpy(row).exp_()
        return cls(trie, base, count, mass, shift)

    @classmethod
    def of_touched(
        cls,
        trie: CatalogTrie,
        base: NDArray[np.float32],
        user: NDArray[np.int64],
        item: NDArray[np.int64],
        value: NDArray[np.float32],
    ) -> Self:
        """Weights where a few items of each user have values instead of those of the base.

        Parameters
        ----------
        trie
            The trie over N items.
        base
            (B, N), (1, N) or (1, 1): 0 or -inf only.
        user, item, value
            (E,): the touched pairs, none twice.
        """
        is_full = base.shape[1] == trie.num_items
        plain = cls(trie, base, _count_before(trie, base > -np.inf) if is_full else None)
        lost = _at(base, user, item) > -np.inf
        path = trie.paths[item]
        pair, level = np.nonzero(path >= 0)
        key, place = np.unique(user[pair] * trie.num_nodes + path[pair, level], return_inverse=True)
        of_user, node = np.divmod(key, trie.num_nodes)
        rest = plain._eligible_below(of_user, node) - np.bincount(place[lost[pair]], minlength=len(key))
        weight = _log_mean(place, value[pair], rest)
        changed = weight != plain.of(of_user, node)
        return cls(trie, base, plain.count, key=key[changed], value=weight[changed])

    def of(self, user: NDArray[np.integer], node: NDArray[np.integer]) -> NDArray[np.float32]:
        """Weights float32 (E,) of (user, node) pairs, none of them the root where a few items are touched."""
        weights = self._of_base(user, node)
        if self.key is None or self.value is None or len(self.key) == 0 or len(node) == 0:
            return weights
        key = user.astype(np.int64) * self.trie.num_nodes + node
        # Beams come in this order: then the few are looked up among the many.
        if (key[1:] > key[:-1]).all():
            place = np.minimum(np.searchsorted(key, self.key), len(key) - 1)
            found = key[place] == self.key
            weights[place[found]] = self.value[found]
        else:
            place = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
            found = self.key[place] == key
            weights[found] = self.value[place[found]]
        return weights

    def _of_base(self, user: NDArray[np.integer], node: NDArray[np.integer]) -> NDArray[np.float32]:
        if self.table is not None:
            return _at(self.table, user, node)
        if self.count is None and self.mass is None:
            return _at(self.base, user, np.zeros_like(node))
        if self.mass is None or self.shift is None:
            return np.where(self._eligible_below(user, node) > 0, np.float32(0.0), np.float32(-np.inf))
        row = user.astype(np.int64) * len(self.trie.leaf_items) if len(self.shift) > 1 else np.int64(0)
        total, count = np.zeros(len(node)), np.zeros(len(node), dtype=np.int32)
        for first, end in self.trie.leaf_ranges(node):
            total += _segment_sums(self.mass, row + first, row + end)
            count += self._eligible_between(user, first, end)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.log(total / count).astype(np.float32)
        weights += _at(self.shift, user, np.zeros_like(node)) if len(self.shift) > 1 else self.shift[0, 0]
        if self.count is not None:
            weights[count == 0] = -np.inf
        return weights

    def _eligible_below(self, user: NDArray[np.integer], node: NDArray[np.integer]) -> NDArray[np.int64]:
        """Eligible items below (user, node) pairs, those that are touched counted as the base has them."""
        count = np.zeros(len(node), dtype=np.int64)
        if self.count is None and self.base[0, 0] == -np.inf:
            return count
        for first, end in self.trie.leaf_ranges(node):
            count += self._eligible_between(user, first, end)
        return count

    def _eligible_between(
        self, user: NDArray[np.integer], first: NDArray[np.int32], end: NDArray[np.int32]
    ) -> NDArray[np.int32]:
        """Eligible items at the places ``first .. end - 1`` of ``trie.leaf_items``, (E,)."""
        if self.count is None:
            return end - first
        between: NDArray[np.int32] = np.subtract(_at(self.count, user, end), _at(self.count, user, first))
        return between


def lowest_finite(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smallest weight above -inf in each row, (B,); +inf where there is none.

    Examples
    --------
    >>> lowest_finite(np.array([[-np.inf, 2.0, 1.0], [-np.inf, -np.inf, -np.inf]])).tolist()
    [1.0, inf]
    """
    lowest: NDArray[np.float32] = weights.min(axis=1)
    if (lowest == -np.inf).any():
        lowest = np.where(weights > -np.inf, weights, np.float32(np.inf)).min(axis=1)
    return lowest


def _at(table: NDArray[Any], row: NDArray[np.integer], column: NDArray[np.integer]) -> NDArray[Any]:
    """Entries (E,) of a table that has one row for all users, or one column for all items, or both."""
    if table.shape[1] == 1:
        column = np.zeros_like(column)
    entries: NDArray[Any] = table[row, column] if len(table) > 1 else table[0].take(column)
    return entries


def _segment_sums(
    values: NDArray[np.floating], first: NDArray[np.int64], end: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Sums of ``values[first:end]``, (E,); no end is behind the last value but one."""
    if (first[1:] < first[:-1]).any():
        order = np.argsort(first, kind="stable")
        result = np.empty(len(first))
        result[order] = _segment_sums(values, first[order], end[order])
        return result
    # Children of one node lie side by side: where a segment ends, the next begins, so that starts are enough.
    apart = np.flatnonzero(first[1:] != end[:-1])
    if 2 * len(apart) < len(first):
        sums = np.add.reduceat(values, np.append(first, end[-1]), dtype=np.float64)[:-1]
    else:
        apart, sums = np.arange(len(first)), np.empty(len(first))
    if len(apart):
        bounds = np.stack([first[apart], end[apart]], axis=1).ravel()
        sums[apart] = np.add.reduceat(values, bounds, dtype=np.float64)[::2]
    sums[first == end] = 0.0
    return sums


def _count_before(trie: CatalogTrie, eligible: NDArray[np.bool_]) -> NDArray[np.int32] | None:
    """Eligible items before each place of ``trie.leaf_items``, (B, N + 1); None if all are eligible."""
    if eligible.all():
        return None
    count = np.zeros((len(eligible), len(trie.leaf_items) + 1), dtype=np.int32)
    np.cumsum(eligible.take(trie.leaf_items, axis=1), axis=1, out=count[:, 1:])
    return count


def _log_mean(place: NDArray[np.int64], value: NDArray[np.float32], rest: NDArray[np.int64]) -> NDArray[np.float32]:
    """``log(mean(exp(weight)))`` of each node, over the values whose place it is and ``rest`` items of weight 0."""
    alive = value > -np.inf
    count = rest + np.bincount(place[alive], minlength=len(rest))
    if not value[alive].any():
        return np.where(count > 0, np.float32(0.0), np.float32(-np.inf))
    highest = np.where(rest > 0, 0.0, -np.inf)
    np.maximum.at(highest, place, value)
    highest[highest == -np.inf] = 0.0
    total = np.bincount(place, weights=np.exp(value - highest[place]), minlength=len(rest))
    total[rest > 0] += rest[rest > 0] * np.exp(-highest[rest > 0])
    with np.errstate(divide="ignore"):
        weight = highest + np.log(total) - np.log(np.maximum(count, 1))
    return np.asarray(weight, dtype=np.float32)


def _log_means(trie: CatalogTrie, dense: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights of all nodes, (B, num_nodes), from the leaves up, each relative to the largest below it."""
    nodes = np.full((len(dense), trie.num_nodes), -np.inf, dtype=np.float32)
    count = np.zeros(nodes.shape, dtype=np.float32)
    at_leaves, leaves = dense.take(trie.leaf_items, axis=1), np.flatnonzero(trie.is_leaf)
    segments = trie.leaf_indptr[leaves]
    nodes[:, leaves] = _log_sum(at_leaves, segments)
    count[:, leaves] = np.add.reduceat(at_leaves > -np.inf, segments, axis=1, dtype=np.float32)
    for level, below, starts in _levels_up(trie):
        nodes[:, level] = _log_sum(nodes[:, below], starts)
        count[:, level] = np.add.reduceat(count[:, below], starts, axis=1)
    nodes -= np.log(np.maximum(count, 1.0))
    return nodes


def _levels_up(trie: CatalogTrie) -> Iterator[tuple[NDArray[np.int64], slice, NDArray[np.int64]]]:
    """Inner nodes of each depth, the nodes of the next, and where among these each node's children start."""
    for level in range(trie.num_levels - 1, -1, -1):
        first, end = trie.level_offsets[level : level + 2]
        inner = first + np.flatnonzero(~trie.is_leaf[first:end])
        if len(inner):
            yield inner, slice(end, trie.level_offsets[level + 2]), trie.indptr[inner] + 1 - end


def _log_sum(values: NDArray[np.float32], starts: NDArray[np.integer]) -> NDArray[np.float32]:
    """``log(sum(exp(values)))`` of segments of axis 1, each relative to its maximum: sharp priors span thousands."""
    highest = np.maximum.reduceat(values, starts, axis=1)
    highest[highest == -np.inf] = 0.0
    sizes = np.diff(starts, append=values.shape[1])
    total = np.add.reduceat(np.exp(values - np.repeat(highest, sizes, axis=1)), starts, axis=1)
    with np.errstate(divide="ignore"):
        return np.asarray(highest + np.log(total), dtype=np.float32)
