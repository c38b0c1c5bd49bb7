"""Events as rows of the table, and back."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from genrec.events.event import Event, StoredEvent

if TYPE_CHECKING:
    import sqlite3

Row = tuple[Any, ...]

NAMES = [field.name for field in fields(Event)]
FIELDS = ", ".join(NAMES)
INSERT = f"INSERT INTO events ({FIELDS}, received) VALUES ({'?, ' * len(NAMES)}?) ON CONFLICT DO NOTHING"

_values = attrgetter(*NAMES)


def row_of(event: Event, received: int) -> Row:
    """What :data:`INSERT` takes."""
    return (*_values(event), received)


def select(connection: sqlite3.Connection, condition: str, values: tuple[object, ...] = ()) -> list[StoredEvent]:
    """Events that satisfy a condition, not flagged yet."""
    return [stored(row) for row in connection.execute(statement(condition), values)]


def statement(condition: str) -> str:
    """A query whose rows :func:`stored` reads."""
    return f"SELECT number, received, {FIELDS} FROM events {condition}"


def stored(row: Row) -> StoredEvent:
    """The event of a row, not flagged yet."""
    # It was checked when it was made; checking every event again would double the time of reading them.
    event = object.__new__(Event)
    event.__dict__.update(zip(NAMES, row[2:], strict=True))
    return StoredEvent(row[0], event, row[1])
