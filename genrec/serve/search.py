"""Items by words: for people, and for programs that look for an id."""

from __future__ import annotations

import math
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import CATEGORIES, ITEM_ID, TITLE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog

_MAX_WORDS = 12


class ItemSearch:
    """Finds items all of whose words are asked for, in title, categories or id.

    Parameters
    ----------
    catalog
        The items.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> search = ItemSearch(toy_dataset().catalog)
    >>> rows, total = search.find("blue castle")
    >>> search.items(rows)[0]["title"], total
    ('Blue Castle', 1)
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @cached_property
    def _titles(self) -> pa.Array:
        return pc.utf8_lower(self._catalog.table[TITLE].combine_chunks().cast(pa.large_string()))

    @cached_property
    def _texts(self) -> pa.Array:
        categories = pa.array([" ".join(values) for values in self._catalog.categories], pa.large_string())
        ids, space = self._catalog.ids.array.cast(pa.large_string()), pa.scalar(" ", pa.large_string())
        return pc.binary_join_element_wise(self._titles, pc.utf8_lower(categories), pc.utf8_lower(ids), space)

    def find(self, query: str, limit: int = 20, offset: int = 0) -> tuple[NDArray[np.int64], int]:
        """Rows of the items that have all the words, best first: titles that begin with the query, then that hold it.

        Parameters
        ----------
        query
            Words; none finds every item.
        limit, offset
            Which of them.

        Returns
        -------
        tuple
            Rows (at most `limit`,), and how many there are in all.
        """
        words = query.lower().split()[:_MAX_WORDS]
        if not words:
            return np.arange(offset, min(offset + limit, len(self._catalog))), len(self._catalog)
        hits = np.ones(len(self._catalog), dtype=np.bool_)
        for word in words:
            hits &= pc.match_substring(self._texts, word).to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(hits)
        titles, phrase = self._titles.take(pa.array(rows)), " ".join(words)
        begins = pc.starts_with(titles, phrase).to_numpy(zero_copy_only=False)
        holds = pc.match_substring(titles, phrase).to_numpy(zero_copy_only=False)
        order = np.argsort(-(2 * begins.astype(np.int8) + holds), kind="stable")
        return rows[order][offset : offset + limit], len(rows)

    def named(self, item_ids: Sequence[str]) -> NDArray[np.int32]:
        """Rows of some items, in the order of their ids; ids that the catalog does not have are left out."""
        ids = self._catalog.ids
        return ids.indices([item for item in item_ids if item in ids])

    def items(self, rows: NDArray[np.integer]) -> list[dict[str, Any]]:
        """All columns of some items, as JSON has them."""
        found = self._catalog.table.take(pa.array(rows, pa.int64())).to_pylist()
        return [
            {name: jsonable(value) for name, value in item.items()}
            | {ITEM_ID: item[ITEM_ID], CATEGORIES: item.get(CATEGORIES) or []}
            for item in found
        ]


@lru_cache(maxsize=2)  # the catalog that is served, and the one that takes its place
def search_of(catalog: Catalog) -> ItemSearch:
    """The search of a catalog, kept while it is served."""
    return ItemSearch(catalog)


def jsonable(value: object) -> Any:  # noqa: ANN401 (JSON is what it is)
    """A value of a catalog column as JSON has it: dates as text, what is no number as null, bytes left out.

    Examples
    --------
    >>> jsonable(date(2024, 1, 31)), jsonable(float("nan")), jsonable([1.5, None])
    ('2024-01-31', None, [1.5, None])
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [jsonable(one) for one in value]
    return value if value is None or isinstance(value, str | bool | int) else None
