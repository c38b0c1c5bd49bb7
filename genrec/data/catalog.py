"""The items that can be recommended, and what is known about them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import pyarrow as pa

from genrec.columns import CATEGORIES, ITEM_ID, TEXT, TITLE
from genrec.data.identifiers import IdMap
from genrec.errors import DataError

TYPES = {
    ITEM_ID: pa.string(),
    TITLE: pa.string(),
    TEXT: pa.string(),
    CATEGORIES: pa.list_(pa.string()),
}


@dataclass(frozen=True, eq=False)
class Catalog:
    """A table of items; the row of an item is its index everywhere else.

    Parameters
    ----------
    table
        Columns ``item_id`` and ``title`` string, optionally ``text`` string and ``categories``
        list<string>, and any further columns with types of their own (price, year, in_stock ...).

    Raises
    ------
    DataError
        A column is missing or of another type, an ``item_id`` or ``title`` is null, or an id stands
        there twice.

    Examples
    --------
    >>> catalog = Catalog(pa.table({"item_id": ["7"], "title": ["Tea"], "price": [2.5]}))
    >>> catalog.titles, catalog.categories, catalog.column("price")[0].as_py()
    (['Tea'], [[]], 2.5)
    """

    table: pa.Table

    def __post_init__(self) -> None:
        for name in (ITEM_ID, TITLE):
            if self.column(name).null_count:
                raise DataError(f"item column {name!r} has missing values (nulls)")
        for name, wanted in TYPES.items():
            if name in self.table.column_names and not self.table[name].type.equals(wanted):
                raise DataError(f"item column {name!r} is {self.table[name].type}, not {wanted}")
        self.ids  # noqa: B018 (ids must be distinct from the start)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @cached_property
    def ids(self) -> IdMap:
        """Map between item ids and rows."""
        return IdMap(self.table[ITEM_ID], "item")

    @cached_property
    def titles(self) -> list[str]:
        """Title of each item, (N,)."""
        return cast("list[str]", self.table[TITLE].to_pylist())

    @cached_property
    def categories(self) -> list[list[str]]:
        """Categories of each item, (N,); empty lists where there are none."""
        if CATEGORIES not in self.table.column_names:
            return [[] for _ in range(len(self))]
        return [values or [] for values in self.table[CATEGORIES].to_pylist()]

    def column(self, name: str) -> pa.ChunkedArray:
        """One column, (N,).

        Raises
        ------
        DataError
            There is no such column; the hint lists those there are.
        """
        if name not in self.table.column_names:
            raise DataError(f"items have no column {name!r}", hint=f"columns are {', '.join(self.table.column_names)}")
        return self.table[name]

    def text_of(self) -> list[str]:
        """Title, categories and text of each item in one string, (N,), for text encoders.

        Examples
        --------
        >>> Catalog(pa.table({"item_id": ["7"], "title": ["Tea"], "categories": [["Drinks", "Hot"]]})).text_of()
        ['Tea. Drinks, Hot']
        """
        texts = self.table[TEXT].to_pylist() if TEXT in self.table.column_names else [None] * len(self)
        parts = zip(self.titles, (", ".join(values) for values in self.categories), texts, strict=True)
        return [". ".join(part for part in item if part) for item in parts]
