"""Options that leave interactions out: each says how many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID
from genrec.data.histories import time_order
from genrec.data.interactions import Interactions
from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Preprocessed:
    """What is left of the interactions, and what was left out.

    Parameters
    ----------
    interactions
        Those kept, in their order.
    dropped
        Option -> how many interactions it left out; only the options that were used.
    items_out
        Ids of the items that the k-core left without any interaction.
    """

    interactions: Interactions
    dropped: dict[str, int]
    items_out: pa.Array


def preprocess(
    interactions: Interactions, *, min_rating: float | None = None, dedup: bool = False, k_core: int | None = None
) -> Preprocessed:
    """Apply the options that are given, in the order of the parameters.

    Parameters
    ----------
    interactions
        All interactions.
    min_rating
        Keep ratings of at least this.
    dedup
        Keep a user's first interaction with an item (in time, then in file order), not those that follow.
    k_core
        Keep users and items with at least this many interactions, counted again until nothing changes.

    Raises
    ------
    DataError
        `min_rating` is given and there are no ratings.
    ConfigError
        `k_core` is less than 1.

    Examples
    --------
    >>> rows = Interactions.from_columns(["a", "a", "b"], ["tea", "tea", "tea"], rating=[5, 5, 1])
    >>> result = preprocess(rows, min_rating=3, dedup=True)
    >>> len(result.interactions), result.dropped
    (1, {'min_rating': 1, 'dedup': 1})
    """
    dropped: dict[str, int] = {}
    items_out = pa.array([], pa.string())
    table = interactions.table
    if min_rating is not None:
        table = _keep(table, _rated(table, min_rating), dropped, "min_rating")
    if dedup:
        table = _keep(table, _first_meetings(table), dropped, "dedup")
    if k_core is not None:
        before = table[ITEM_ID].unique()
        table = _keep(table, _in_core(table, k_core), dropped, "k_core")
        items_out = before.filter(pc.invert(pc.is_in(before, value_set=table[ITEM_ID].unique())))
    return Preprocessed(Interactions(table), dropped, items_out)


def _keep(table: pa.Table, mask: NDArray[np.bool_], dropped: dict[str, int], option: str) -> pa.Table:
    dropped[option] = int((~mask).sum())
    return table.filter(pa.array(mask))


def _rated(table: pa.Table, min_rating: float) -> NDArray[np.bool_]:
    if RATING not in table.column_names:
        raise DataError("min_rating is given, but the interactions have no ratings", hint="map one: --map rating=COL")
    mask: NDArray[np.bool_] = table[RATING].to_numpy() >= np.float32(min_rating)
    return mask


def _first_meetings(table: pa.Table) -> NDArray[np.bool_]:
    users, items = _codes(table, USER_ID), _codes(table, ITEM_ID)
    order = time_order(users.astype(np.int32), table[TIMESTAMP].to_numpy())
    pair = users * (items.max(initial=0) + 1) + items
    _, first = np.unique(pair[order], return_index=True)
    mask = np.zeros(len(table), dtype=np.bool_)
    mask[order[first]] = True
    return mask


def _in_core(table: pa.Table, k: int) -> NDArray[np.bool_]:
    if k < 1:
        raise ConfigError(f"k_core must be at least 1, not {k}")
    users, items = _codes(table, USER_ID), _codes(table, ITEM_ID)
    mask = np.ones(len(table), dtype=np.bool_)
    while True:
        enough = (np.bincount(users[mask], minlength=len(table) + 1) >= k)[users]
        enough &= (np.bincount(items[mask], minlength=len(table) + 1) >= k)[items]
        if not (mask & ~enough).any():
            return mask
        mask &= enough


def _codes(table: pa.Table, column: str) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = (
        table[column].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
    )
    return codes
