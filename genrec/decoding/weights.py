"""A request as a vector of item log-weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.decoding.node_weights import NodeWeights, lowest_finite
from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.trie import CatalogTrie


@dataclass(frozen=True, eq=False)
class TouchedItems:
    """Log-weights of a few items of each user, which stand in the place of those they have otherwise.

    Parameters
    ----------
    shape
        Users and items, (B, N).
    user, item
        int64 (E,), ordered by user, then item; no pair twice.
    value
        float32 (E,).
    """

    shape: tuple[int, int]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    value: NDArray[np.float32]

    @property
    def key(self) -> NDArray[np.int64]:
        """One number for user and item, ascending, (E,)."""
        return self.user * self.shape[1] + self.item

    def repeated(self, num_users: int) -> TouchedItems:
        """The same for ``num_users`` users, if they are those of all users, (1, N)."""
        if self.shape[0] == num_users:
            return self
        user = np.repeat(np.arange(num_users), len(self.item))
        return TouchedItems(
            (num_users, self.shape[1]), user, np.tile(self.item, num_users), np.tile(self.value, num_users)
        )


@dataclass(frozen=True, eq=False)
class ItemWeights:
    """Log-weights of every item for each user of a batch.

    -inf excludes an item (seen, out of stock, filtered out); a finite value is a prior. Weights of
    several sources combine by ``+``, and one row stands for all users. Where a source touches a few items
    only, it stays a list of these: a hundred seen items cost the same in any catalog.

    Parameters
    ----------
    base
        float32 (B, N); (1, N) for all users; (1, 1) for all users and items, if some are touched.
    touched
        Items with weights of their own instead. Default none.

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

    base: NDArray[np.float32]
    touched: TouchedItems | None = None

    def __post_init__(self) -> None:
        if self.base.ndim != 2:
            raise ConfigError(f"item weights must be (B, N), got {self.base.shape}")
        values = [self.base] if self.touched is None else [self.base, self.touched.value]
        if not all((value < np.inf).all() for value in values):
            raise ConfigError(
                "item weights hold NaN or +inf", hint="use finite log-weights, and -inf to exclude an item"
            )

    @classmethod
    def from_sparse(
        cls,
        items: Sequence[Sequence[int] | NDArray[np.integer]],
        values: Sequence[Sequence[float] | NDArray[np.floating]],
        num_items: int,
        rest: float = 0.0,
    ) -> Self:
        """Weights of a few items of each user.

        Parameters
        ----------
        items
            One sequence of item indices a user (B). Values of an item that is listed twice add up.
        values
            Their log-weights.
        num_items
            Number of items (N).
        rest
            Log-weight of all others: 0, or -inf to exclude them. Default 0.

        Raises
        ------
        ConfigError
            If an item index is not below ``num_items``, numbers of items and values differ, or a weight is
            NaN or +inf.

        Examples
        --------
        >>> ItemWeights.from_sparse([[2], [0, 1]], [[1.5], [0.5, -1.0]], num_items=3).dense
        array([[ 0. ,  0. ,  1.5],
               [ 0.5, -1. ,  0. ]], dtype=float32)
        """
        if list(map(len, items)) != list(map(len, values)):
            raise ConfigError("item weights: numbers of items and values differ")
        base = np.full((1, 1), rest, dtype=np.float32)
        return cls(base, _touched(items, np.concatenate([*map(np.asarray, values), []]), num_items))

    @classmethod
    def from_seen(cls, seen: Sequence[Sequence[int] | NDArray[np.integer]], num_items: int) -> Self:
        """Exclude the listed items of each user, and weigh all others alike.

        Parameters
        ----------
        seen
            One sequence of item indices a user (B).
        num_items
            Number of items (N).
        """
        return cls(np.zeros((1, 1), dtype=np.float32), _touched(seen, -np.inf, num_items))

    @classmethod
    def from_candidates(cls, candidates: Sequence[Sequence[int] | NDArray[np.integer]], num_items: int) -> Self:
        """Allow nothing but the listed items of each user; arguments as :meth:`from_seen`."""
        return cls(np.full((1, 1), -np.inf, dtype=np.float32), _touched(candidates, 0.0, num_items))

    @classmethod
    def from_mask(cls, mask: NDArray[np.bool_]) -> Self:
        """Exclude the items that are false in a mask, (N,) for all users or (B, N)."""
        return cls(np.where(np.atleast_2d(mask), np.float32(0.0), np.float32(-np.inf)))

    @classmethod
    def from_priors(cls, priors: NDArray[np.floating]) -> Self:
        """Use log-weights as they are, (N,) for all users or (B, N)."""
        return cls(np.atleast_2d(priors).astype(np.float32))

    @classmethod
    def stack(cls, rows: Sequence[ItemWeights]) -> Self:
        """Weights of several users in one batch, from those of each, (1, N).

        Raises
        ------
        ConfigError
            If they are for other numbers of users or items than (1, N).

        Examples
        --------
        >>> nothing_seen, one_seen = (ItemWeights.from_seen([seen], num_items=2) for seen in ([], [1]))
        >>> ItemWeights.stack([nothing_seen, one_seen]).dense
        array([[  0.,   0.],
               [  0., -inf]], dtype=float32)
        """
        shape = (1, rows[0].shape[1])
        if any(row.shape != shape for row in rows):
            raise ConfigError(f"item weights of {', '.join(str(row.shape) for row in rows)} do not make a batch")
        touched = [row.touched for row in rows]
        is_sparse = all(row.base.shape == (1, 1) and row.base[0, 0] == rows[0].base[0, 0] for row in rows)
        if not is_sparse or any(part is None for part in touched):
            return cls(np.concatenate([row.dense for row in rows]))
        parts = [part for part in touched if part is not None]
        user = np.repeat(np.arange(len(rows)), [len(part.item) for part in parts])
        item, value = (np.concatenate([getattr(part, name) for part in parts]) for name in ("item", "value"))
        return cls(rows[0].base, TouchedItems((len(rows), shape[1]), user, item, value))

    def row(self, user: int) -> ItemWeights:
        """Weights of one user of the batch, (1, N); those of all users, if there is one row for them."""
        base = self.base[[user]] if len(self.base) > 1 else self.base
        touched = self.touched
        if touched is not None and touched.shape[0] > 1:
            first, end = np.searchsorted(touched.user, [user, user + 1])
            item, value = touched.item[first:end], touched.value[first:end]
            touched = TouchedItems((1, touched.shape[1]), np.zeros_like(item), item, value)
        return ItemWeights(base, touched)

    @property
    def shape(self) -> tuple[int, int]:
        """Users and items, (B, N); one user stands for all."""
        if self.touched is None:
            return self.base.shape[0], self.base.shape[1]
        num_users = self.base.shape[0] if self.base.shape[0] > 1 else self.touched.shape[0]
        return num_users, self.touched.shape[1]

    def __add__(self, other: ItemWeights) -> ItemWeights:
        """Weights of both: excluded where either excludes, else the sum."""
        num_users = max(self.shape[0], other.shape[0])
        if self.shape[1] != other.shape[1] or not {self.shape[0], other.shape[0]} <= {1, num_users}:
            raise ConfigError(f"item weights {self.shape} and {other.shape} do not fit each other")
        touched = [w.touched.repeated(num_users) for w in (self, other) if w.touched is not None]
        if not touched:
            return ItemWeights(self.base + other.base)
        # Where all but the touched items are excluded, one number says so, whatever is added to it.
        excluded = [w.base for w in (self, other) if w.base.shape == (1, 1) and w.base[0, 0] == -np.inf]
        base = excluded[0] if excluded else self.base + other.base
        shape = (num_users, self.shape[1])
        user, item = np.divmod(np.unique(np.concatenate([t.key for t in touched])), shape[1])
        return ItemWeights(base, TouchedItems(shape, user, item, self.of(user, item) + other.of(user, item)))

    @property
    def dense(self) -> NDArray[np.float32]:
        """All weights, (B, N)."""
        if self.touched is None:
            return self.base
        dense = np.broadcast_to(self.base, self.shape).copy()
        dense[self.touched.user, self.touched.item] = self.touched.value
        return dense

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Items not excluded, (B, N)."""
        return self.dense > -np.inf

    @property
    def extremes(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """No eligible item weighs less than the one or more than the other, (B,) or (1,) each; 0 where none is."""
        lowest = lowest_finite(self.base)
        highest = self.base.max(axis=1)
        if self.touched is not None and len(self.touched.value):
            value = self.touched.value
            lowest = np.minimum(lowest, lowest_finite(value[None]))
            highest = np.maximum(highest, value.max())
        return np.where(highest == -np.inf, 0, lowest), np.where(highest == -np.inf, 0, highest)

    def of(self, user: NDArray[np.integer], item: NDArray[np.integer]) -> NDArray[np.float32]:
        """Weights (E,) of (user, item) pairs."""
        rows, columns = self.base.shape
        weights = np.broadcast_to(self.base[user if rows > 1 else 0, item if columns > 1 else 0], item.shape).copy()
        if self.touched is not None and len(self.touched.item):
            key = (user if self.touched.shape[0] > 1 else 0) * self.touched.shape[1] + item.astype(np.int64)
            place = np.minimum(np.searchsorted(self.touched.key, key), len(self.touched.item) - 1)
            found = self.touched.key[place] == key
            weights[found] = self.touched.value[place[found]]
        return weights

    def on_nodes(self, trie: CatalogTrie) -> NodeWeights:
        """Weights of trie nodes, computed only where they are asked for if few items are touched.

        Raises
        ------
        ConfigError
            If the trie has another number of items.
        """
        if self.shape[1] != trie.num_items:
            raise ConfigError(f"weights of {self.shape[1]} items do not fit a trie of {trie.num_items}")
        touched = self.touched
        if touched is not None:
            few = len(touched.item) * trie.num_levels <= self.shape[0] * self.shape[1]
            if few and not self.base[self.base > -np.inf].any():
                touched = touched.repeated(self.shape[0])
                return NodeWeights.of_touched(trie, self.base, touched.user, touched.item, touched.value)
        return NodeWeights.of_dense(trie, self.dense)

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
        >>> from genrec.trie import CatalogTrie
        >>> trie = CatalogTrie.from_codes(np.array([[0, 2], [0, 3], [1, 2]]))
        >>> ItemWeights.from_priors(np.log([1.0, 3.0, 1e-9])).node_weights(trie)[0, :3].round(3)
        array([  0.288,   0.693, -20.723], dtype=float32)
        """
        user, node = np.indices((self.shape[0], trie.num_nodes)).reshape(2, -1)
        return self.on_nodes(trie).of(user, node).reshape(self.shape[0], trie.num_nodes)


def _touched(
    items: Sequence[Sequence[int] | NDArray[np.integer]], value: float | NDArray[np.floating], num_items: int
) -> TouchedItems:
    """List what is touched, in order; values of a pair that is listed twice add up."""
    user = np.repeat(np.arange(len(items)), [len(row) for row in items])
    item = np.concatenate([*(np.asarray(row, dtype=np.int64) for row in items), np.empty(0, dtype=np.int64)])
    if len(item) and not 0 <= item.min() <= item.max() < num_items:
        raise ConfigError(f"item indices must be in 0 .. {num_items - 1}, got {item.min()} .. {item.max()}")
    key, inverse = np.unique(user * num_items + item, return_inverse=True)
    values = np.bincount(inverse, weights=np.broadcast_to(value, item.shape), minlength=len(key))
    return TouchedItems((len(items), num_items), key // num_items, key % num_items, values.astype(np.float32))
