"""What the columns of a catalog hold: for whoever builds filters."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import ITEM_ID, TEXT, TITLE
from genrec.serve.schemas.model import Column
from genrec.serve.search import jsonable

if TYPE_CHECKING:
    from genrec.data.catalog import Catalog

Kind = Literal["number", "boolean", "date", "text"]

MAX_VALUES = 100
"""Most different values of a column that are listed."""
_MAX_CHARS = 100  # of one value: longer ones are text to read, not to choose from


@lru_cache(maxsize=2)  # the catalog that is served, and the one that takes its place
def columns_of(catalog: Catalog) -> list[Column]:
    """Describe every column.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> year = columns_of(toy_dataset(items=3).catalog)[-1]
    >>> year.name, year.kind, year.lowest, year.highest
    ('year', 'number', 1970, 1972)
    """
    return [_describe(name, catalog.table[name]) for name in catalog.table.column_names]


def _describe(name: str, column: pa.ChunkedArray) -> Column:
    kind = column.type
    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        column = pc.list_flatten(column)
        kind = column.type
    about = Column(name=name, type=str(kind), kind=_kind(kind))
    if name in (ITEM_ID, TITLE, TEXT):
        return about
    if about.kind in ("number", "date"):
        about.lowest, about.highest = _range(column)
    elif about.kind == "text":
        about.values = _values(column)
    return about


def _kind(kind: pa.DataType) -> Kind | None:
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "number"
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return "date"
    return "text" if pa.types.is_string(kind) or pa.types.is_large_string(kind) else None


def _range(column: pa.ChunkedArray) -> tuple[Any, Any]:
    if pa.types.is_floating(column.type):
        column = column.filter(pc.is_finite(column))
    ends = pc.min_max(column).as_py()
    return jsonable(ends["min"]), jsonable(ends["max"])


def _values(column: pa.ChunkedArray) -> list[str] | None:
    """Its values, the most frequent first; None if there are too many to choose from."""
    column = column.drop_null()
    if pc.count_distinct(column).as_py() > MAX_VALUES:
        return None
    counts = sorted(pc.value_counts(column).to_pylist(), key=lambda one: (-one["counts"], one["values"]))
    values = [str(one["values"]) for one in counts]
    return values if max(map(len, values), default=0) <= _MAX_CHARS else None
