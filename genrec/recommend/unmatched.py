"""Values that filters ask for and no item has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from genrec.recommend.filters import Comparison, comparisons, parse_filter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genrec.data.catalog import Catalog


def unmatched(catalog: Catalog, expressions: Iterable[str]) -> list[str]:
    """What to say of each ``column=value`` that no item satisfies, with the value that was probably meant.

    Parameters
    ----------
    catalog
        The items and their columns.
    expressions
        Filter expressions, see :func:`~genrec.recommend.filters.parse_filter`.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> unmatched(toy_dataset().catalog, ["genre=Drama and not genre=comedi", "year>3000"])
    ["no item has genre='comedi': did you mean 'Comedy'?"]
    """
    tests = [one for expression in expressions for one in comparisons(parse_filter(expression))]
    return [_said(catalog, one) for one in tests if one.operator == "=" and not one.mask(catalog).any()]


def _said(catalog: Catalog, test: Comparison) -> str:
    from rapidfuzz import fuzz, process

    column = catalog.table[test.column_name(catalog)].combine_chunks()
    values = column.flatten() if pa.types.is_list(column.type) or pa.types.is_large_list(column.type) else column
    near = None
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        known = values.unique().drop_null().to_pylist()
        near = process.extractOne(test.value, known, scorer=fuzz.ratio, processor=str.lower, score_cutoff=60)
    hint = f": did you mean {near[0]!r}?" if near else ""
    return f"no item has {test.column}={test.value!r}{hint}"
