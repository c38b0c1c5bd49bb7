"""Delimited text: CSV, TSV and their relatives.

A clean file is read by arrow, at full speed. Where arrow finds a fault, it cannot say on which line, so the file is
read again by the ``csv`` module, which can.
"""

from __future__ import annotations

import csv
import io
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from genrec.data.readers.dialect import text_encoding, told_by_first_line, told_by_mark
from genrec.data.readers.rows import BadRow, Rows, lossless, open_binary, shown
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from pathlib import Path

    from genrec.data.readers.dialect import Dialect

CHUNK_ROWS = 100_000
UNNAMED = "unnamed column"
UNDECODED = "is not valid"
OTHER_ENCODING = "say --encoding; that of spreadsheets on Windows is cp1252"
# The csv module's default refuses a field of 128 KiB, which a book's full text is longer than; after a quote that is
# never closed, all the rest of the file is one field.
MAX_FIELD = 2**31 - 1


class Record(NamedTuple):
    """One row: the line it begins on, its fields, its text as it stands, and what is wrong with its quotes, if any."""

    line: int
    fields: list[str]
    text: str
    fault: str


def read_delimited(path: Path, careful: bool, dialect: Dialect) -> Rows:
    """Read a delimited text file, every value as text.

    Parameters
    ----------
    path
        The file; decompressed where its name ends in ``.gz``.
    careful
        Count lines and collect the rows that cannot be read. Otherwise that is done only where a row is bad.
    dialect
        How the file is written.

    Raises
    ------
    DataError
        The file has no header, or two columns of one name, or its compression is damaged.
    """
    try:
        dialect = told_by_mark(path, dialect)
        if dialect.told:
            dialect = told_by_first_line(path, dialect)
        header = dialect.header or _read_header(path, dialect)
        table = None if careful else _read_fast(path, dialect, header)
        if table is None:
            return _without_unnamed(_read_careful(path, dialect, header))
        return _without_unnamed(Rows(path, table, None, (), header, partial(_raw, path, dialect)))
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    except UnicodeError as error:
        raise DataError(f"{path} is not valid {dialect.encoding}: {error}", hint=OTHER_ENCODING) from error
    except csv.Error as error:
        hint = "look for a quote that is never closed"
        raise DataError(f"{path} cannot be read: {error}", hint=hint) from error


def _without_unnamed(rows: Rows) -> Rows:
    """Rows without the empty columns that spreadsheets add."""
    unnamed = [name for name in rows.columns if name.startswith(UNNAMED)]
    empty = [name for name in unnamed if not pc.any(pc.not_equal(rows.table[name], "")).as_py()]
    columns = tuple(name for name in rows.columns if name not in empty)
    return replace(rows, table=rows.table.drop_columns(empty), columns=columns) if empty else rows


def _read_header(path: Path, dialect: Dialect) -> tuple[str, ...]:
    with closing(_records(path, dialect)) as records:
        line, header, _, fault = next(records, Record(0, [], "", ""))
    if not header:
        raise DataError(f"{path} is empty", hint="the first line must name the columns")
    if fault := fault or _fault(header, len(header), dialect):
        hint = f"save the file as {dialect.encoding}, or {OTHER_ENCODING}" if UNDECODED in fault else "close it"
        raise DataError(f"{path}, line {line}: the header {fault}", hint=hint)
    header = [name if name.strip() else f"{UNNAMED} {number}" for number, name in enumerate(header, 1)]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise DataError(f"{path} has more than one column {twice[0]!r}", hint="rename one of them")
    return tuple(header)


def _read_fast(path: Path, dialect: Dialect, header: tuple[str, ...]) -> pa.Table | None:
    """Read with arrow; None where the file needs the careful read."""
    delimiter = dialect.delimiter
    with open_binary(path) as file:
        if len(delimiter) > 1:
            content = file.read()
            delimiter = "\x1f"
            if b"\x1f" in content:
                return None
            source: IO[bytes] = io.BytesIO(content.replace(dialect.delimiter.encode(), b"\x1f"))
        else:
            source = file
        try:
            table = arrow_csv.read_csv(
                source,
                read_options=arrow_csv.ReadOptions(
                    column_names=header,
                    skip_rows=dialect.skip + (0 if dialect.header else 1),
                    encoding=dialect.encoding,
                ),
                parse_options=arrow_csv.ParseOptions(
                    delimiter=delimiter, quote_char='"' if dialect.quoted else False, newlines_in_values=dialect.quoted
                ),
                convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
            )
        except (pa.ArrowInvalid, UnicodeDecodeError):
            return None
    # A value of several lines is rare, and most often a quote that somebody forgot to close.
    has_newline = any(pc.any(pc.match_substring(column, "\n")).as_py() for column in table.columns)
    return None if has_newline and dialect.quoted else table


def _read_careful(path: Path, dialect: Dialect, header: tuple[str, ...]) -> Rows:
    bad: list[BadRow] = []
    chunks: list[pa.Table] = []
    lines: list[int] = []
    records: list[list[str]] = []
    schema = pa.schema([(name, pa.string()) for name in header])

    def flush() -> None:
        columns = zip(*records, strict=True) if records else ((),) * len(header)
        arrays = [pa.array(column, pa.string()) for column in columns]
        chunks.append(pa.Table.from_arrays(arrays, schema=schema))
        records.clear()

    with closing(_records(path, dialect)) as rows:
        if dialect.header is None:
            next(rows)
        for line, record, text, fault in rows:
            reason = fault or _fault(record, len(header), dialect)
            if reason:
                bad.append(BadRow(path.name, line, "", shown(text), reason))
                continue
            lines.append(line)
            records.append(record)
            if len(records) == CHUNK_ROWS:
                flush()
    flush()
    raw = partial(_raw, path, dialect)
    return Rows(path, pa.concat_tables(chunks), np.array(lines, dtype=np.int64), tuple(bad), header, raw)


def _raw(path: Path, dialect: Dialect, lines: Collection[int]) -> dict[int, str]:
    encoding = dialect.encoding
    with closing(_records(path, dialect)) as rows:
        found = {row.line: row.text for row in rows if row.line in lines}
    return {line: lossless(text.encode(encoding, "surrogateescape"), encoding) for line, text in found.items()}


def _fault(record: list[str], width: int, dialect: Dialect) -> str:
    if len(record) != width:
        return f"has {len(record)} fields, not {width}"
    if all(map(str.isascii, record)):
        return ""
    undecoded = any("\udc80" <= char <= "\udcff" for field in record for char in field)
    return f"{UNDECODED} {dialect.encoding}" if undecoded else ""


def _records(path: Path, dialect: Dialect) -> Generator[Record]:
    # Undecodable bytes become lone surrogates, so that only their own row is bad.
    with io.TextIOWrapper(open_binary(path), text_encoding(dialect), "surrogateescape", newline="") as text:
        skip = sum(1 for _ in islice(text, dialect.skip))
        if not dialect.quoted:
            for number, line in enumerate(text, 1 + skip):
                if bare := line.strip("\r\n"):
                    yield Record(number, bare.split(dialect.delimiter), bare, "")
            return
        lines = _Lines(text)
        reader = csv.reader(lines, delimiter=dialect.delimiter)
        begin = 1 + skip
        limit = csv.field_size_limit(MAX_FIELD)
        try:
            for record in reader:
                whole = lines.taken()
                if record:
                    fault = _unclosed(reader.line_num + skip - begin) if lines.ended else ""
                    yield Record(begin, record, whole, fault)
                begin = reader.line_num + skip + 1
        finally:
            csv.field_size_limit(limit)


def _unclosed(below: int) -> str:
    swallowed = f", and takes the {below} lines below with it" if below else ""
    return f"opens a quote that is never closed{swallowed}"


class _Lines:
    """Lines of a text file; knows which the reader took, and whether it asked for one after the last."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._lines = iter(text)
        self.ended = False
        self._taken: list[str] = []

    def taken(self) -> str:
        """The lines taken since the last call."""
        text = "".join(self._taken).rstrip("\r\n")
        self._taken.clear()
        return text

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        try:
            line = next(self._lines)
        except StopIteration:
            self.ended = True
            raise
        self._taken.append(line)
        return line
