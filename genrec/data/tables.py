"""The three tables of a data set, out of files that call and type their columns otherwise."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import CATEGORIES, EVENT, ITEM_ID, RATING, TEXT, TIMESTAMP, TITLE, USER_ID
from genrec.data.amounts import read_amounts
from genrec.data.checks import Checks, infer_type, text_lists
from genrec.data.moments import check_format

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from genrec.data.options import TimestampUnit
    from genrec.data.readers.rows import BadRow
    from genrec.data.readers.source import FileSource


@dataclass(frozen=True, eq=False)
class CheckedTable:
    """The good rows of a file in a data set's types, and the bad ones.

    Parameters
    ----------
    table
        Good rows, in file order.
    read
        Rows in the file: good and bad.
    bad
        Bad rows, by line.
    raw
        As :class:`genrec.data.readers.rows.Rows` has it.
    """

    table: pa.Table
    read: int
    bad: tuple[BadRow, ...]
    raw: Callable[[Collection[int]], dict[int, str]] | None


def read_interactions(source: FileSource, unit: TimestampUnit = "s", format: str | None = None) -> CheckedTable:
    """Read a file of interactions.

    Rows stay in file order, unless timestamps have fractions of a second: then they are put in order of time,
    since whole seconds alone would no longer tell it.

    Parameters
    ----------
    source
        The file.
    unit
        Unit of its timestamps, where the format of the file does not fix it.
    format
        Format of timestamps that are dates in text, as ``strptime`` takes it; then there is no unit.

    Raises
    ------
    ConfigError
        The mapping names what no file of interactions has, or there are no dates in such a format.
    DataError
        A required column is missing.
    """
    source.check_names((USER_ID, ITEM_ID, *OPTIONAL))
    if format is not None:
        check_format(format)

    def convert(source: FileSource, checks: Checks) -> pa.Table:
        return _interactions(source, checks, source.timestamp_unit or unit, format)

    checked = _read(source, convert)
    if FRACTION not in checked.table.column_names:
        return checked
    keys = checked.table[FRACTION].to_numpy(), checked.table[TIMESTAMP].to_numpy()
    table = checked.table.take(np.lexsort(keys)).drop_columns([FRACTION])
    return replace(checked, table=table)


def read_items(source: FileSource) -> CheckedTable:
    """Read a file of items; titles may be null still. The second row of an id is bad.

    Raises
    ------
    ConfigError
        The mapping names what no file of items has.
    DataError
        A required column is missing.
    """
    source.check_names((ITEM_ID, TITLE, TEXT, CATEGORIES))
    return _read(source, _items)


def read_users(source: FileSource) -> CheckedTable:
    """Read a file of user attributes. The second row of an id is bad.

    Raises
    ------
    ConfigError
        The mapping names what no file of users has.
    DataError
        A required column is missing.
    """
    source.check_names((USER_ID,))
    return _read(source, _users)


OPTIONAL = (TIMESTAMP, RATING, EVENT)
FRACTION = "fraction of a second"

logger = logging.getLogger(__name__)


def _read(source: FileSource, convert: Callable[[FileSource, Checks], pa.Table]) -> CheckedTable:
    rows = source.read(source.path, False)
    checks = Checks(rows)
    table = convert(source, checks)
    if rows.lines is None and not checks.good.all():
        rows = source.read(source.path, True)
        checks = Checks(rows)
        table = convert(source, checks)
    for note in checks.notes:
        logger.info("%s: %s", source.path.name, note)
    for doubt in checks.doubts:
        logger.warning("%s: %s", source.path.name, doubt)
    bad = tuple(sorted(checks.bad, key=lambda row: row.line))
    good = table if checks.good.all() else table.filter(pa.array(checks.good))
    return CheckedTable(good, len(rows.table) + len(rows.bad), bad, rows.raw)


def _interactions(source: FileSource, checks: Checks, unit: TimestampUnit, format: str | None) -> pa.Table:
    rows = checks.rows
    columns = {
        USER_ID: checks.ids(source.required(rows, USER_ID)),
        ITEM_ID: checks.ids(source.required(rows, ITEM_ID)),
    }
    if (timestamp := source.column(rows, TIMESTAMP)) is not None:
        seconds, fraction = checks.seconds(timestamp, unit, format)
        columns[TIMESTAMP] = pa.array(seconds, pa.int64())
        if fraction.any():
            columns[FRACTION] = pa.array(fraction, pa.float64())
    if (rating := source.column(rows, RATING)) is not None:
        columns[RATING] = pa.array(checks.numbers(rating).astype(np.float32))
    if (event := source.column(rows, EVENT)) is not None:
        text = rows.table[event].cast(pa.string())
        columns[EVENT] = pc.if_else(pc.equal(text, ""), None, text)
    used = {source.column(rows, name) for name in (USER_ID, ITEM_ID, *OPTIONAL)}
    if unused := [column for column in rows.table.column_names if column not in used]:
        missing = [name for name in OPTIONAL if source.column(rows, name) is None]
        meant = [f"{source.flag} {name}={likely[0]}" for name in missing if (likely := source.likely(unused, name))]
        hint = f"; if they are of use: {' '.join(meant)}" if meant else ""
        checks.notes.append(f"columns not used: {', '.join(unused)}{hint}")
    return pa.table(columns)


def _items(source: FileSource, checks: Checks) -> pa.Table:
    rows = checks.rows
    id = source.required(rows, ITEM_ID)
    title = source.required(rows, TITLE)
    ids = checks.ids(id)
    checks.distinct(ids, id)
    columns = {ITEM_ID: ids, TITLE: _titles(rows.table[title])}
    used = [id, title]
    if (text := source.column(rows, TEXT)) is not None:
        columns[TEXT] = pc.binary_join(text_lists(rows.table[text], "\n"), " ")
        used.append(text)
    if (categories := source.column(rows, CATEGORIES)) is not None:
        columns[CATEGORIES] = text_lists(rows.table[categories], source.list_separator)
        used.append(categories)
    # Dropped twice, a column takes the one before it along.
    return _with_further(columns, rows.table.drop_columns(list(dict.fromkeys(used))), source, checks)


def _users(source: FileSource, checks: Checks) -> pa.Table:
    id = source.required(checks.rows, USER_ID)
    ids = checks.ids(id)
    checks.distinct(ids, id)
    return _with_further({USER_ID: ids}, checks.rows.table.drop_columns([id]), source, checks)


def _titles(values: pa.ChunkedArray) -> pa.ChunkedArray:
    text = values.cast(pa.string())
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(text), ""), None, text)


def _typed(values: pa.ChunkedArray, name: str, checks: Checks) -> pa.ChunkedArray:
    typed = infer_type(values)
    if checks.rows.says_types or not pa.types.is_string(typed.type):
        return typed
    amounts = read_amounts(typed)
    if amounts.doubt:
        effect = f"column {name!r} stays text, which no filter compares by < or >"
        checks.doubts.append(f"{effect}: {amounts.doubt}; write all as 1200.50, or leave them empty")
    if amounts.numbers is None:
        return typed
    checks.notes.append(f"column {name!r}: {amounts.note}")
    return amounts.numbers


def _with_further(
    columns: dict[str, pa.ChunkedArray], further: pa.Table, source: FileSource, checks: Checks
) -> pa.Table:
    for name in further.column_names:
        if name in columns:
            instead = f"{source.flag} {name}={source.columns[name]}"
            checks.doubts.append(f"column {name!r} is left out, since {instead} takes its place; rename it to keep it")
            continue
        columns[name] = _typed(further[name], name, checks)
    return pa.table(columns)
