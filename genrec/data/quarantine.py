"""Rows that could not be imported, kept whole, so that they can be mended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from genrec.data.tables import CheckedTable

QUARANTINE = "quarantine.jsonl"


def quarantined(tables: Iterable[CheckedTable]) -> bytes:
    """The bad rows of some files as JSON Lines.

    Parameters
    ----------
    tables
        What was read of the files. Those with bad rows are read once more.

    Returns
    -------
    bytes
        One object a row: ``file``, ``line``, ``column``, ``value`` (at most 200 characters), ``reason`` and
        ``unit`` (what ``line`` counts); and
        ``row``, the whole row as the file has it (in Parquet, as JSON). A row that is not in the file's encoding
        is read as latin-1, in which every byte is one character.
    """
    lines = []
    for table in tables:
        raw = table.raw({row.line for row in table.bad}) if table.bad and table.raw else {}
        lines += [json.dumps(row.to_dict() | {"row": raw[row.line]}, ensure_ascii=False) for row in table.bad]
    return "".join(f"{line}\n" for line in lines).encode()
