"""JSON files: an array of objects, as shop systems export them, or JSON Lines."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from genrec.data.readers.jsonl import Columns, checked_object, read_jsonl
from genrec.data.readers.rows import BadRow, Rows, open_binary, shown
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

UNIT = "object"
_ARRAY = re.compile(rb"(\xef\xbb\xbf)?\s*\[\s*([{\]]|$)")
_BLANK = re.compile(r"[ \t\r\n]*")
_HINT = "a JSON file holds one object a line, or one array of objects"


def read_json(path: Path, careful: bool) -> Rows:
    """Read JSON Lines, or a file that is one array of objects; the number of an object stands for its line.

    Raises
    ------
    DataError
        The file holds no object, or an array that is not JSON.
    """
    try:
        with open_binary(path) as file:
            is_array = _ARRAY.match(file.read(4096)) is not None
        rows = _read_array(path) if is_array else read_jsonl(path, careful)
    except (OSError, EOFError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if rows.columns:
        return rows
    if rows.bad:
        raise DataError(str(rows.bad[0]), hint=_HINT)
    raise DataError(f"{path} is empty: there is no object in it", hint=_HINT)


def _read_array(path: Path) -> Rows:
    columns = Columns(None)
    numbers: list[int] = []
    bad: list[BadRow] = []
    for number, (value, text) in enumerate(_elements(path), 1):
        row = checked_object(value, "\\u" in text)
        if isinstance(row, str):
            bad.append(BadRow(path.name, number, "", shown(text), row, UNIT))
        else:
            columns.add(row)
            numbers.append(number)
    lines = np.array(numbers, dtype=np.int64)
    return Rows(path, columns.table(), lines, tuple(bad), tuple(columns.seen), partial(_raw, path), UNIT)


def _raw(path: Path, numbers: Collection[int]) -> dict[int, str]:
    return {number: text for number, (_, text) in enumerate(_elements(path), 1) if number in numbers}


def _elements(path: Path) -> Iterator[tuple[Any, str]]:
    """Values of the array, each with its text. The text of the file is held in memory, its values are not."""
    with open_binary(path) as file:
        content = file.read()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(f"{path.name}, line {line}: is not valid utf-8", hint="save the file as utf-8") from error
    del content
    decoder = json.JSONDecoder()
    at = _skip(text, text.index("[") + 1)
    while text[at : at + 1] != "]":
        try:
            value, end = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            _fail(path, text, error.pos, f"is not JSON ({error.msg})")
        except RecursionError:
            _fail(path, text, at, "is nested too deeply")
        yield value, text[at:end]
        at = _skip(text, end)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            _fail(path, text, at, "is not JSON (the array goes on without a comma, or does not end)")
    if _skip(text, at + 1) < len(text):
        _fail(path, text, _skip(text, at + 1), "stands behind the end of the array")


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _fail(path: Path, text: str, at: int, problem: str) -> NoReturn:
    found = text[at : at + 40].split("\n")[0]
    raise DataError(f"{path.name}, line {text.count(chr(10), 0, at) + 1}: {shown(found)!r} {problem}", hint=_HINT)
