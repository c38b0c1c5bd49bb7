"""What can be said about items in a request: categories, brands and the like, and years."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import CATEGORIES, ITEM_ID, TEXT, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog

MAX_VALUE_CHARS = 40
MAX_VALUES = 20_000


@dataclass(frozen=True, eq=False)
class ItemAttributes:
    """The attribute values of every item (CSR), and its year.

    Parameters
    ----------
    columns, values
        Catalog column and text of each of the A values.
    indptr
        int64 (N+1,): the values of item ``i`` are ``indices[indptr[i] : indptr[i+1]]``.
    indices
        int32 (nnz,): indices of values, ascending per item.
    counts
        int64 (A,): number of items that have each value.
    year_column
        Name of the catalog's integer column of years, or None.
    years
        int32 (N,), 0 where unknown.

    Examples
    --------
    >>> from genrec.data.catalog import Catalog
    >>> table = pa.table({"item_id": ["a", "b"], "title": ["A", "B"], "brand": ["Acme", "Acme"], "year": [1994, 1995]})
    >>> attributes = ItemAttributes.of_catalog(Catalog(table))
    >>> attributes.values, attributes.counts.tolist(), attributes.years.tolist()
    (('Acme',), [2], [1994, 1995])
    """

    columns: tuple[str, ...]
    values: tuple[str, ...]
    indptr: NDArray[np.int64]
    indices: NDArray[np.int32]
    counts: NDArray[np.int64]
    year_column: str | None
    years: NDArray[np.int32]

    @classmethod
    def of_catalog(cls, catalog: Catalog) -> ItemAttributes:
        """Collect ``categories`` and every string column whose values are shared by items."""
        names: list[tuple[str, str]] = []
        items: list[NDArray[np.int64]] = []
        values: list[NDArray[np.int64]] = []
        for column, rows, texts in _value_columns(catalog):
            distinct, codes = np.unique(np.array(texts, dtype=object).astype(str), return_inverse=True)
            items.append(rows)
            values.append(codes + len(names))
            names.extend((column, str(text)) for text in distinct)
        pairs = np.unique(np.stack([np.concatenate(items), np.concatenate(values)]), axis=1) if items else None
        pairs = np.empty((2, 0), dtype=np.int64) if pairs is None else pairs
        indptr = np.zeros(len(catalog) + 1, dtype=np.int64)
        np.cumsum(np.bincount(pairs[0], minlength=len(catalog)), out=indptr[1:])
        year_column, years = _years(catalog)
        return cls(
            columns=tuple(column for column, _ in names),
            values=tuple(value for _, value in names),
            indptr=indptr,
            indices=pairs[1].astype(np.int32),
            counts=np.bincount(pairs[1], minlength=len(names)),
            year_column=year_column,
            years=years,
        )

    def of_item(self, item: int) -> NDArray[np.int32]:
        """Return the indices of an item's values, int32."""
        return self.indices[self.indptr[item] : self.indptr[item + 1]]

    @property
    def informative(self) -> NDArray[np.bool_]:
        """Values that tell items apart: on at least one and at most 60% of them, bool (A,)."""
        return self.counts <= 0.6 * (len(self.indptr) - 1)


def _value_columns(catalog: Catalog) -> Iterator[tuple[str, NDArray[np.int64], list[str]]]:
    """Yield column, row of each value and the values, blanks and long texts left out."""
    for field in catalog.table.schema:
        column = catalog.column(field.name).combine_chunks()
        if field.name in (ITEM_ID, TITLE, TEXT):
            continue
        if pa.types.is_list(field.type) and pa.types.is_string(field.type.value_type):
            rows, flat = pc.list_parent_indices(column), pc.list_flatten(column)
        elif pa.types.is_string(field.type) and 2 * pc.count_distinct(column).as_py() <= len(column) + 1:
            rows, flat = pa.array(np.arange(len(column))), column
        else:
            continue
        text = pc.utf8_trim_whitespace(flat)
        length = pc.utf8_length(text)
        keep = pc.fill_null(pc.and_(pc.greater(length, 0), pc.less_equal(length, MAX_VALUE_CHARS)), False)
        texts = text.filter(keep).to_pylist()
        if field.name == CATEGORIES or len(set(texts)) <= MAX_VALUES:
            yield field.name, rows.filter(keep).to_numpy(zero_copy_only=False).astype(np.int64), texts


def _years(catalog: Catalog) -> tuple[str | None, NDArray[np.int32]]:
    names = [field.name for field in catalog.table.schema if pa.types.is_integer(field.type)]
    found = [name for name in names if name == "year"] or [name for name in names if name.endswith("year")]
    if not found:
        return None, np.zeros(len(catalog), dtype=np.int32)
    column = pc.fill_null(catalog.column(found[0]), 0)
    return found[0], column.to_numpy().astype(np.int32)
