"""One data set out of tables that need not know all of each other's ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import ITEM_ID, TITLE, USER_ID
from genrec.data.catalog import TYPES, Catalog
from genrec.data.dataset import Dataset, TimeKind
from genrec.data.identifiers import IdMap

if TYPE_CHECKING:
    from genrec.data.interactions import Interactions


@dataclass(frozen=True, eq=False)
class Assembled:
    """A data set, and what had to be filled in.

    Parameters
    ----------
    dataset
        The data set.
    items_without_row
        Items of the interactions that the item table does not have; the id stands for the title.
    items_without_title
        Rows of the item table without a title; the id stands for it.
    users_without_interactions
        Rows of the user table that no interaction names; left out.
    """

    dataset: Dataset
    items_without_row: int
    items_without_title: int
    users_without_interactions: int


def assemble(
    name: str,
    interactions: Interactions,
    items: pa.Table | None = None,
    users: pa.Table | None = None,
    *,
    time: TimeKind = "seconds",
    source: str = "",
    licence: str = "",
) -> Assembled:
    """Build a data set.

    Parameters
    ----------
    name, interactions, time, source, licence
        As in :class:`genrec.data.dataset.Dataset`.
    items
        ``item_id``, ``title`` (may be null) and further columns; ids distinct. Items it lacks come behind.
    users
        ``user_id`` and further columns; ids distinct. Users it lacks have nulls.

    Examples
    --------
    >>> from genrec.data.interactions import Interactions
    >>> result = assemble("shop", Interactions.from_columns(["ann"], ["tea"]))
    >>> result.dataset.catalog.titles, result.items_without_row
    (['tea'], 1)
    """
    user_ids = interactions.table[USER_ID].unique()
    catalog, without_row, without_title = _catalog(interactions, items)
    attributes, idle = (None, 0) if users is None else _aligned(users, user_ids)
    dataset = Dataset(name, interactions, catalog, IdMap(user_ids, "user"), source, licence, attributes, time)
    return Assembled(dataset, without_row, without_title, idle)


def _aligned(users: pa.Table, ids: pa.Array) -> tuple[pa.Table, int]:
    """Rows of `users` in the order of `ids`, and how many of them are not among these."""
    rows = pc.index_in(ids, value_set=users[USER_ID].combine_chunks())
    # Taking a null row gives nulls, so a user without a row keeps the id alone.
    aligned = users.take(rows).drop_columns([USER_ID]).add_column(0, USER_ID, pa.chunked_array([ids]))
    return aligned, len(users) - (len(ids) - rows.null_count)


def _catalog(interactions: Interactions, items: pa.Table | None) -> tuple[Catalog, int, int]:
    met = interactions.table[ITEM_ID].unique()
    if items is None:
        items = pa.table({ITEM_ID: pa.array([], pa.string()), TITLE: pa.array([], pa.string())})
    missing = met.filter(pc.invert(pc.is_in(met, value_set=items[ITEM_ID].combine_chunks())))
    # In order of id: the order in which they first show up would tell something about the histories.
    missing = missing.take(pc.sort_indices(missing))
    without_title = items[TITLE].null_count
    added = pa.table({ITEM_ID: missing, TITLE: pa.nulls(len(missing), pa.string())})
    table = pa.concat_tables([items, added], promote_options="default")
    title = table.column_names.index(TITLE)
    table = table.set_column(title, TITLE, pc.coalesce(table[TITLE], table[ITEM_ID]))
    known = [name for name in TYPES if name in table.column_names]
    further = [name for name in table.column_names if name not in TYPES]
    return Catalog(table.select(known + further)), len(missing), without_title
