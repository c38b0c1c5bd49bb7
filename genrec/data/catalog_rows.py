"""A catalog with new and changed rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import ITEM_ID, TITLE
from genrec.data.catalog import TYPES, Catalog
from genrec.data.identifiers import IdMap
from genrec.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class CatalogUpdate:
    """A catalog after a change.

    Parameters
    ----------
    catalog
        Old items keep their rows; new ones come behind, in the order they were given in.
    ids
        Of all rows, in their order.
    new, changed
        Ids of items that the catalog did not have, and of those it had.
    """

    catalog: Catalog
    ids: tuple[str, ...]
    new: tuple[str, ...]
    changed: tuple[str, ...]


def with_rows(catalog: Catalog, rows: pa.Table) -> CatalogUpdate:
    """Add items to a catalog, and change what is known about others.

    Parameters
    ----------
    catalog
        The items so far.
    rows
        ``item_id`` and any columns. Values replace those of items that are there already; where a value is missing
        (null), or a whole column, these keep what they have. New items need a ``title``. A column that the
        catalog does not have is added, with nulls for all others.

    Raises
    ------
    DataError
        An id is missing or stands there twice, a new item has no title, or a value does not fit its column's type.

    Examples
    --------
    >>> tea = Catalog(pa.table({"item_id": ["7"], "title": ["Tea"], "price": [2.5]}))
    >>> update = with_rows(tea, pa.table({"item_id": ["7", "8"], "price": [2.0, 3.0], "title": [None, "Mate"]}))
    >>> update.new, update.catalog.titles, update.catalog.column("price").to_pylist()
    (('8',), ['Tea', 'Mate'], [2.0, 3.0])
    """
    if ITEM_ID not in rows.column_names:
        raise DataError(f"rows of items have no column {ITEM_ID!r}", hint=f"columns are {', '.join(rows.column_names)}")
    ids = IdMap(_cast(rows, ITEM_ID, pa.string()))
    place = pc.index_in(ids.array, value_set=catalog.ids.array)
    is_new = pc.is_null(place).to_numpy(zero_copy_only=False)
    known = place.filter(pc.is_valid(place)).to_numpy()
    names = [name for name in [*catalog.table.column_names, *_added(catalog.table, rows)] if name != ITEM_ID]
    columns = {name: _column(catalog.table, rows, name, is_new, known) for name in names}
    new = ids.array.filter(pa.array(is_new))
    table = pa.table({ITEM_ID: pa.concat_arrays([catalog.ids.array, new]), **columns})
    untitled = np.flatnonzero(pc.is_null(table[TITLE]).to_numpy(zero_copy_only=False))
    if len(untitled):
        raise DataError(f"new item {table[ITEM_ID][int(untitled[0])].as_py()!r} has no title", hint="give it a title")
    changed = ids.array.filter(pa.array(~is_new))
    return CatalogUpdate(Catalog(table), tuple(ids.ids), tuple(new.to_pylist()), tuple(changed.to_pylist()))


def _added(old: pa.Table, rows: pa.Table) -> list[str]:
    """Columns that come with the rows; one without any value brings nothing."""
    new = [name for name in rows.column_names if name not in old.column_names]
    return [name for name in new if not pa.types.is_null(rows[name].type)]


def _column(
    old: pa.Table, rows: pa.Table, name: str, is_new: NDArray[np.bool_], known: NDArray[np.integer]
) -> pa.ChunkedArray:
    """A column of all items: of each old row its own value or the one that replaces it, then those of new rows."""
    num_old, num_new = old.num_rows, int(is_new.sum())
    if name not in rows.column_names:
        return pa.chunked_array([*old[name].chunks, pa.nulls(num_new, old[name].type)])
    kind = old[name].type if name in old.column_names else TYPES.get(name, rows[name].type)
    values = _cast(rows, name, kind)
    before = old[name].combine_chunks() if name in old.column_names else pa.nulls(num_old, kind)
    source = np.arange(num_old + num_new)
    source[num_old:] = num_old + np.flatnonzero(is_new)
    given = pc.is_valid(values).to_numpy(zero_copy_only=False)
    source[known[given[~is_new]]] = num_old + np.flatnonzero(~is_new & given)
    return pa.chunked_array([pa.concat_arrays([before, values]).take(pa.array(source))])


def _cast(rows: pa.Table, name: str, kind: pa.DataType) -> pa.Array:
    try:
        return rows[name].combine_chunks().cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise DataError(f"item column {name!r} does not fit its type {kind}: {error}") from error
