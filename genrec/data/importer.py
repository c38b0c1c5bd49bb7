"""From files of many kinds to one data set folder."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import ITEM_ID, TIMESTAMP, USER_ID
from genrec.data.assemble import assemble
from genrec.data.folder import check_writable, save_folder
from genrec.data.interactions import Interactions
from genrec.data.moments import NOT_A_DATE, NOT_A_TIME, date_options, doubtful_seconds
from genrec.data.preprocess import preprocess
from genrec.data.quarantine import QUARANTINE, quarantined
from genrec.data.readers.delimited import OTHER_ENCODING, UNDECODED
from genrec.data.readers.formats import attribute_source, find_files, in_encoding, interaction_source
from genrec.data.report import FileReport, ImportReport
from genrec.data.strangers import strange_ids
from genrec.data.tables import CheckedTable, read_interactions, read_items, read_users
from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genrec.data.options import Format, OnBadRows, TimestampUnit
    from genrec.data.readers.rows import BadRow
    from genrec.data.readers.source import FileSource

SHOWN_BAD_ROWS = 5


def import_dataset(
    interactions: str | Path,
    out: str | Path,
    *,
    items: str | Path | None = None,
    users: str | Path | None = None,
    format: Format = "auto",
    map: Mapping[str, str] | None = None,
    map_item: Mapping[str, str] | None = None,
    map_user: Mapping[str, str] | None = None,
    timestamp_unit: TimestampUnit = "s",
    timestamp_format: str | None = None,
    encoding: str | None = None,
    on_bad_rows: OnBadRows = "raise",
    min_rating: float | None = None,
    dedup: bool = False,
    k_core: int | None = None,
    name: str | None = None,
    source: str | None = None,
    licence: str = "",
) -> ImportReport:
    r"""Import files into a data set folder.

    Parameters
    ----------
    interactions
        A file of interactions, or the folder of a MovieLens or RecBole set.
    out
        The data set folder to write.
    items, users
        Files of items and users. Without them, an item's title is its id, and users have no attributes.
    format
        Format of `interactions`; ``"auto"`` tells it by name and first line. Item and user files may have another.
    map, map_item, map_user
        genrec's column name -> the file's, of `interactions`, `items` and `users`.
    timestamp_unit
        Unit of the timestamps: ``s``, ``ms``, ``us``, ``ns`` since 1970, or ``iso`` for ISO 8601 dates and times.
    timestamp_format
        Format of dates that are written otherwise, as ``strptime`` takes it, such as ``%d/%m/%Y``; then there is no
        unit. UTC where it names no zone.
    encoding
        Of the files that are delimited text, as Python names it, such as ``cp1252``. Default: UTF-8, or UTF-16 where a
        file begins with its mark.
    on_bad_rows
        ``raise`` names the first bad row and writes nothing; ``skip`` leaves bad rows out; ``quarantine`` also writes
        them to ``quarantine.jsonl`` in `out`, whole (:func:`genrec.data.quarantine.quarantined`).
    min_rating, dedup, k_core
        See :func:`genrec.data.preprocess.preprocess`. Items that the k-core leaves without interactions leave the
        catalog too; items that had none before stay.
    name
        Name of the data set, by default that of the folder.
    source, licence
        Kept with the data set; source is the file name by default.

    Raises
    ------
    ConfigError
        A mapping names what is not a column of genrec's, or there are no dates of such a format.
    DataError
        A file or column is missing, a row is bad (with ``raise``), nothing is left, or `out` is something else.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "log.csv").write_text("user_id,item_id\nann,tea\nann,milk\n")
    >>> report = import_dataset(folder / "log.csv", folder / "shop")
    >>> report.interactions.kept, report.description["time"]
    (2, 'order')
    """
    out = Path(out).absolute()
    check_writable(out)
    found = find_files(Path(interactions), format)
    named = (
        _mapped(interaction_source(found.interactions, found.format), map, "--map"),
        _attributes(items or found.items, found.format, map_item, "--map-item"),
        _attributes(users or found.users, found.format, map_user, "--map-user"),
    )
    sources = named if encoding is None else _decoded(*named, encoding=encoding)
    read = read_interactions(sources[0], timestamp_unit, timestamp_format)
    read_item = read_items(sources[1]) if sources[1] else None
    read_user = read_users(sources[2]) if sources[2] else None
    tables = [table for table in (read, read_item, read_user) if table]
    bad = [row for table in tables for row in table.bad]
    if on_bad_rows == "raise":
        raise_bad(bad)

    has_time = TIMESTAMP in read.table.column_names
    result = preprocess(numbered(read.table), min_rating=min_rating, dedup=dedup, k_core=k_core)
    if not len(result.interactions):
        counts = ", ".join(f"{count} {why}" for why, count in {"bad": len(read.bad), **result.dropped}.items())
        raise DataError(f"{found.interactions}: no interactions left of {read.read} read ({counts})")
    in_seconds = has_time and timestamp_format is None and (sources[0].timestamp_unit or timestamp_unit) == "s"
    if in_seconds and (doubt := doubtful_seconds(result.interactions.table[TIMESTAMP].to_numpy())):
        warnings.warn(doubt, stacklevel=2)
    for other, rows, column in ((sources[1], read_item, ITEM_ID), (sources[2], read_user, USER_ID)):
        if other and rows and (doubt := strange_ids(sources[0], result.interactions.table, other, rows.table, column)):
            warnings.warn(doubt, stacklevel=2)
    item_table = _without(read_item.table, result.items_out) if read_item else None
    made = assemble(
        name or out.name,
        result.interactions,
        item_table,
        read_user.table if read_user else None,
        time="seconds" if has_time else "order",
        source=found.interactions.name if source is None else source,
        licence=licence,
    )
    save_folder(made.dataset, out, {QUARANTINE: quarantined(tables)} if bad and on_bad_rows == "quarantine" else None)
    return ImportReport(
        folder=str(out),
        format=found.format,
        on_bad_rows=on_bad_rows,
        interactions=_report(sources[0], read, len(result.interactions), result.dropped),
        items=_item_report(sources[1], read_item, item_table),
        users=_user_report(sources[2], read_user, made.users_without_interactions),
        items_without_row=made.items_without_row,
        items_without_title=made.items_without_title,
        description=made.dataset.describe(),
        bad_rows=tuple(str(row) for row in bad[:SHOWN_BAD_ROWS]),
    )


def _mapped(source: FileSource, columns: Mapping[str, str] | None, flag: str) -> FileSource:
    return replace(source, columns={**source.columns, **(columns or {})}, flag=flag)


def _attributes(
    path: str | Path | None, format: Format, columns: Mapping[str, str] | None, flag: str
) -> FileSource | None:
    if path is None:
        if columns:
            raise DataError(f"{flag} is given, but there is no such file to map columns of")
        return None
    return _mapped(attribute_source(Path(path), format), columns, flag)


def _decoded(
    interactions: FileSource, items: FileSource | None, users: FileSource | None, *, encoding: str
) -> tuple[FileSource, FileSource | None, FileSource | None]:
    made = (
        in_encoding(interactions, encoding),
        items and in_encoding(items, encoding),
        users and in_encoding(users, encoding),
    )
    if made == (interactions, items, users):
        raise ConfigError("an encoding is given, but none of the files is CSV or TSV", hint="leave it out")
    return made


def raise_bad(bad: Sequence[BadRow]) -> None:
    """Raise, naming the first bad row, if there is one."""
    if not bad:
        return
    more = f" (and {len(bad) - 1} more bad rows)" if len(bad) > 1 else ""
    way = ""
    if bad[0].value and bad[0].reason in (NOT_A_TIME, NOT_A_DATE):
        way = f"if these are dates in text, add {date_options(bad[0].value)}; otherwise "
    if UNDECODED in bad[0].reason:
        way = f"if the whole file is written so, {OTHER_ENCODING}; otherwise "
    raise DataError(f"{bad[0]}{more}", hint=f"{way}correct it, or choose --on-bad-rows skip or quarantine")


def numbered(table: pa.Table) -> Interactions:
    """Make interactions of a table: without timestamps, the order of its rows is their order in time."""
    if TIMESTAMP not in table.column_names:
        table = table.append_column(TIMESTAMP, pa.array(np.arange(len(table), dtype=np.int64)))
    return Interactions(table)


def _without(items: pa.Table, ids: pa.Array) -> pa.Table:
    return items.filter(pc.invert(pc.is_in(items[ITEM_ID], value_set=ids)))


def _report(source: FileSource, read: CheckedTable, kept: int, dropped: dict[str, int]) -> FileReport:
    return FileReport(source.path.name, read.read, kept, len(read.bad), dropped)


def _item_report(source: FileSource | None, read: CheckedTable | None, kept: pa.Table | None) -> FileReport | None:
    if source is None or read is None or kept is None:
        return None
    out = len(read.table) - len(kept)
    return _report(source, read, len(kept), {"k_core": out} if out else {})


def _user_report(source: FileSource | None, read: CheckedTable | None, idle: int) -> FileReport | None:
    if source is None or read is None:
        return None
    return _report(source, read, len(read.table) - idle, {"no interactions": idle} if idle else {})
