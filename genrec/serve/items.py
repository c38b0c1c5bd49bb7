"""Items that are sent become rows for the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from genrec.columns import ITEM_ID, TITLE
from genrec.serve.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.data.catalog import Catalog
    from genrec.serve.schemas.items import ItemIn


@dataclass(frozen=True, eq=False)
class ItemRows:
    """Rows of new and changed items.

    Parameters
    ----------
    table
        One row an item, with those of the catalog's columns that were sent.
    new, changed
        How many there are of each.
    """

    table: pa.Table
    new: int
    changed: int


def rows_of(catalog: Catalog, items: Sequence[ItemIn]) -> ItemRows:
    """Make a table of what was sent; what was not is null, which changes nothing.

    Raises
    ------
    Problem
        422: a column that the catalog does not have, a value of another type, a new item without a title, or an item
        that is sent twice.
    """
    schema, ids = catalog.table.schema, catalog.ids
    sent = [item.model_dump(exclude_unset=True) for item in items]
    places: dict[str, int] = {}
    for place, item in enumerate(sent):
        if item[ITEM_ID] in places:
            detail = f"the item stands at items.{places[item[ITEM_ID]]} already"
            raise Problem(422, "invalid", detail, field=f"items.{place}.item_id", value=item[ITEM_ID])
        places[item[ITEM_ID]] = place
        _check(item, place, item[ITEM_ID] in ids, schema)
    names = [name for name in schema.names if any(name in item for item in sent)]
    columns = {name: _column(sent, schema.field(name)) for name in names}
    known = sum(item[ITEM_ID] in ids for item in sent)
    return ItemRows(pa.table(columns), len(sent) - known, known)


def _check(item: dict[str, Any], place: int, is_known: bool, schema: pa.Schema) -> None:
    for name in item:
        if name not in schema.names:
            hint = f"columns are {', '.join(schema.names)}"
            raise Problem(422, "unknown-column", "items have no such column", field=f"items.{place}.{name}", hint=hint)
    if item.get(TITLE) is None and (not is_known or TITLE in item):
        detail = "a new item needs a title" if not is_known else "a title cannot be taken away"
        raise Problem(422, "invalid", detail, field=f"items.{place}.title")


def _column(sent: Sequence[dict[str, Any]], field: pa.Field) -> pa.Array:
    values = [item.get(field.name) for item in sent]
    try:
        return _array(values, field.type)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        place = next(place for place, value in enumerate(values) if not _fits(value, field.type))
        value, where = values[place], f"items.{place}.{field.name}"
        detail = f"the column {field.name} is {field.type}"
        raise Problem(422, "invalid", detail, field=where, limit=str(field.type), value=value) from None


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    if pa.types.is_temporal(kind):  # dates are text in JSON
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(values, kind)


def _fits(value: object, kind: pa.DataType) -> bool:
    try:
        _array([value], kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True
