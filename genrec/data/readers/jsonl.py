"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genrec.data.readers.rows import BadRow, Rows, open_binary, shown
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def read_jsonl(path: Path, careful: bool, keep: Collection[str] | None = None) -> Rows:
    """Read a JSON Lines file.

    Parameters
    ----------
    path
        The file; decompressed where its name ends in ``.gz``.
    careful
        Without effect: lines are always counted.
    keep
        Keys to keep; None keeps all. Reviews carry texts that would fill the memory for nothing.
    """
    del careful
    bad: list[BadRow] = []
    lines: list[int] = []
    columns: dict[str, list[Any]] = {}
    seen: dict[str, None] = {}
    try:
        with open_binary(path) as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = parse_line(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
                if isinstance(row, str):
                    text = line.decode("utf-8", "backslashreplace").strip()
                    bad.append(BadRow(path.name, number, "", shown(text), row))
                    continue
                seen.update(dict.fromkeys(row))
                for key in row.keys() if keep is None else row.keys() & keep:
                    # A key that shows up late was missing in all rows before.
                    values = columns.setdefault(key, [])
                    values.extend([None] * (len(lines) - len(values)))
                    values.append(row[key])
                lines.append(number)
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    order = [key for key in seen if key in columns]
    arrays = [_array(columns[key] + [None] * (len(lines) - len(columns[key]))) for key in order]
    table = pa.Table.from_arrays(arrays, names=order) if order else pa.table({})
    return Rows(path, table, np.array(lines, dtype=np.int64), tuple(bad), tuple(seen))


def parse_line(line: bytes) -> dict[str, Any] | str:
    """Parse one line to an object, or say why that cannot be."""
    try:
        row = json.loads(line)
        if b"\\u" in line:
            json.dumps(row, ensure_ascii=False).encode()
    except RecursionError:
        return "is nested too deeply"
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
    except ValueError as error:
        return f"is not JSON ({error})"
    return row if isinstance(row, dict) else "is not a JSON object"


def _array(values: list[Any]) -> pa.Array:
    """Type a column by its values; values that fit no common type, and objects, become their JSON text."""
    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError):
        return pa.array([_text(value) for value in values], pa.string())
    inner = array.type
    while pa.types.is_list(inner):
        inner = inner.value_type
    if pa.types.is_struct(inner):
        return pa.array([_text(value) for value in values], pa.string())
    return array.cast(pa.string()) if pa.types.is_null(array.type) else array


def _text(value: Any) -> str | None:  # noqa: ANN401 (any JSON value)
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)
