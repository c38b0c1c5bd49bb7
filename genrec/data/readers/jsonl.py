"""JSON Lines: one object a line."""

from __future__ import annotations

import json
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genrec.data.readers.rows import BadRow, Rows, lossless, open_binary, shown
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


CHUNK_ROWS = 10_000


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
    columns = Columns(keep)
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
                columns.add(row)
                lines.append(number)
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    numbers = np.array(lines, dtype=np.int64)
    return Rows(path, columns.table(), numbers, tuple(bad), tuple(columns.seen), partial(_raw, path))


def _raw(path: Path, lines: Collection[int]) -> dict[int, str]:
    with open_binary(path) as file:
        found = {number: line.strip() for number, line in enumerate(file, 1) if number in lines}
    return {number: lossless(line.removeprefix(b"\xef\xbb\xbf")) for number, line in found.items()}


class Columns:
    """Turns objects into columns, a chunk at a time: far less work than a step for each value."""

    def __init__(self, keep: Collection[str] | None) -> None:
        self.seen: dict[str, None] = {}
        self._keep = keep
        self._values: dict[str, list[Any]] = {}
        self._chunk: list[dict[str, Any]] = []
        self._rows = 0

    def add(self, row: dict[str, Any]) -> None:
        """Add one row."""
        self._chunk.append(row)
        if len(self._chunk) == CHUNK_ROWS:
            self._flush()

    def table(self) -> pa.Table:
        """All rows; keys that a row does not have are null."""
        self._flush()
        arrays = {key: _array(self._values[key]) for key in self.seen if key in self._values}
        return pa.table(arrays)

    def _flush(self) -> None:
        self.seen.update(dict.fromkeys(chain.from_iterable(self._chunk)))
        for key in self.seen:
            if self._keep is None or key in self._keep:
                # A key that shows up late was missing in all rows before.
                values = self._values.setdefault(key, [None] * self._rows)
                values.extend([row.get(key) for row in self._chunk])
        self._rows += len(self._chunk)
        self._chunk.clear()


def parse_line(line: bytes) -> dict[str, Any] | str:
    """Parse one line to an object, or say why that cannot be."""
    try:
        row = json.loads(line)
    except RecursionError:
        return "is nested too deeply"
    except ValueError as error:
        return f"is not JSON ({error})"
    return checked_object(row, b"\\u" in line)


def checked_object(row: Any, escaped: bool) -> dict[str, Any] | str:  # noqa: ANN401 (any JSON value)
    """A parsed value, if it is an object that UTF-8 can hold, else why not; `escaped` where its text has escapes."""
    try:
        if escaped:
            json.dumps(row, ensure_ascii=False).encode()
    except RecursionError:
        return "is nested too deeply"
    except UnicodeEncodeError:
        return "holds half of a surrogate pair"
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
