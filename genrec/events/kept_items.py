"""What was said of items while a server ran, field by field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping

Fields = dict[str, Any]

_UPSERT = "INSERT OR REPLACE INTO item_fields (item_id, name, value, changed) VALUES (?, ?, ?, ?)"
_SELECT = "SELECT item_id, name, value FROM item_fields WHERE changed >= ? ORDER BY item_id, name"


def keep(connection: sqlite3.Connection, items: Mapping[str, Mapping[str, Any]], now: int) -> None:
    """Write fields of items by their ids; what was said of the same fields before goes."""
    connection.executemany(
        _UPSERT,
        [
            (item_id, name, json.dumps(value, ensure_ascii=False), now)
            for item_id, fields in items.items()
            for name, value in fields.items()
        ],
    )


def kept(connection: sqlite3.Connection, since: int) -> dict[str, Fields]:
    """Fields by item id that were written at a second or after it."""
    rows: Iterable[tuple[str, str, str]] = connection.execute(_SELECT, (since,))
    found: dict[str, Fields] = {}
    for item_id, name, value in rows:
        found.setdefault(item_id, {})[name] = json.loads(value)
    return found
