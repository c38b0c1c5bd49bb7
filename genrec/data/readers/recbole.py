"""RecBole's atomic files: tab separated, with a type behind each column name (``user_id:token``)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa

from genrec.data.checks import Checks, text_lists
from genrec.data.readers.delimited import read_delimited
from genrec.data.readers.dialect import Dialect
from genrec.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.data.readers.rows import Rows

DIALECT = Dialect(delimiter="\t", quoted=False)
TYPES = ("token", "token_seq", "float", "float_seq")


def read_atomic(path: Path, careful: bool) -> Rows:
    """Read an atomic file; column names lose their type.

    ``token_seq`` columns stay text, since RecBole uses them for titles and for lists alike; ``float`` columns become
    numbers, and ``float_seq`` lists of text.

    Raises
    ------
    DataError
        A column has no type, or one that RecBole does not have.
    """
    rows = read_delimited(path, careful, DIALECT)
    names, types = [], []
    for column in rows.columns:
        name, _, type = column.rpartition(":")
        if type not in TYPES or not name:
            hint = f"RecBole headers read `name:type`, with types {', '.join(TYPES)}; for plain TSV use --format tsv"
            raise DataError(f"{path.name}: column {column!r} has no RecBole type", hint=hint)
        names.append(name)
        types.append(type)
    table = rows.table.rename_columns(names)
    for index, (name, type) in enumerate(zip(names, types, strict=True)):
        if type == "float_seq":
            table = table.set_column(index, name, text_lists(table[name], " "))
    return _floats(replace(rows, table=table, columns=tuple(names), says_types=True), types)


def _floats(rows: Rows, types: list[str]) -> Rows:
    # Timestamps and ratings are checked, row by row, where they are used; here only columns that are all
    # numbers change their type, so that an age of 24 stays 24 and is not the word "24".
    table = rows.table
    for index, (name, type) in enumerate(zip(rows.columns, types, strict=True)):
        if type != "float" or name in ("timestamp", "rating"):
            continue
        checks = Checks(replace(rows, table=table, lines=None))
        numbers = checks.numbers(name)
        if checks.good.all():
            table = table.set_column(index, name, pa.chunked_array([pa.array(numbers)]))
    return replace(rows, table=table)
