"""Writing: threads share one connection, and batches that wait go to the disk together."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrec.errors import StorageError
from genrec.events.rows import FIELDS, INSERT
from genrec.events.schema import BUSY_SECONDS, open_writer, refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from genrec.events.rows import Row

logger = logging.getLogger(__name__)

LOG_SECONDS = 0.1
"""How long to wait for readers before the log is emptied another time: nobody can write meanwhile."""


@dataclass(frozen=True)
class Appended:
    """What became of a batch of events.

    Parameters
    ----------
    accepted
        Events that are new, and now on disk.
    duplicates
        Events whose id was there already, or came twice in the batch.
    conflicts
        Ids of those duplicates that say something else than the event that is kept, which is the first.
    """

    accepted: int
    duplicates: int
    conflicts: tuple[str, ...] = ()


@dataclass(eq=False)
class _Batch:
    """Rows of one caller, waiting for the transaction that takes them along."""

    rows: list[Row]
    appended: Appended | None = None
    error: Exception | None = None


class Writer:
    """The one connection of a process that writes.

    Parameters
    ----------
    path
        The SQLite file.
    max_bytes
        Size that the file may grow to. Default: as large as the disk.
    """

    def __init__(self, path: Path, max_bytes: int | None) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = open_writer(path, max_bytes)
        self._turn = threading.Lock()
        self._waiting: list[_Batch] = []
        self._door = threading.Lock()
        self._must_empty_log = True  # a process that was killed may have left there what it erased

    def insert(self, rows: list[Row]) -> Appended:
        """Insert rows, all or none, and return once they are on disk.

        Whoever gets the turn writes for all who wait, in one transaction.
        """
        batch = _Batch(rows)
        with self._door:
            self._waiting.append(batch)
        with self._turn:
            if batch.appended is None and batch.error is None:
                with self._door:
                    group, self._waiting = self._waiting, []
                self._insert_group(group)
                self._empty_log_if_due()
        if batch.appended is None:
            raise batch.error or StorageError(f"{self._path}: interrupted")
        return batch.appended

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """What is executed within is on disk afterwards, or, if anything raises, undone."""
        with self._turn:
            with self._begun() as connection:
                yield connection
            self._empty_log_if_due()

    def empty_log(self) -> bool:
        """Bring everything from the log into the file and cut the log.

        Returns
        -------
        bool
            False if a reader of old rows is in the way. Then it is tried again after each write, and at the end.
        """
        with self._turn:
            self._must_empty_log = True
            self._empty_log_if_due(LOG_SECONDS)
            return not self._must_empty_log

    def close(self) -> None:
        """Close the connection once what is being written is on disk."""
        with self._turn:
            self._empty_log_if_due(LOG_SECONDS)
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StorageError(f"{self._path}: the event store is closed")
        return self._connection

    @contextmanager
    def _begun(self) -> Iterator[sqlite3.Connection]:
        connection = self._open()
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise refused(error, self._path) from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def _empty_log_if_due(self, patience_s: float = 0.0) -> None:
        """Empty the log if that has to be done, and remember to do it if readers are in the way for so long."""
        connection = self._connection
        if connection is None or not self._must_empty_log:
            return
        try:
            connection.execute(f"PRAGMA busy_timeout = {round(1e3 * patience_s)}")
            [busy, *_] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            self._must_empty_log = bool(busy)
        except sqlite3.Error as error:  # what was written is in the log, and safe there
            logger.warning("%s: its log cannot be emptied now: %s", self._path, error)
        finally:
            connection.execute(f"PRAGMA busy_timeout = {round(1e3 * BUSY_SECONDS)}")

    def _insert_group(self, group: list[_Batch]) -> None:
        try:
            with self._begun() as connection:
                found = [_insert(connection, batch.rows) for batch in group]
        except StorageError as error:
            if len(group) == 1:
                group[0].error = error
                return
            # There may be room for some of them.
            for batch in group:
                self._insert_group([batch])
            return
        for batch, appended in zip(group, found, strict=True):
            batch.appended = appended


def _insert(connection: sqlite3.Connection, rows: list[Row]) -> Appended:
    before = connection.total_changes
    connection.executemany(INSERT, rows)
    accepted = connection.total_changes - before
    conflicts = _conflicts(connection, rows) if accepted < len(rows) else ()
    return Appended(accepted, len(rows) - accepted, conflicts)


def _conflicts(connection: sqlite3.Connection, rows: list[Row]) -> tuple[str, ...]:
    """Ids of rows that differ from the event that is kept under their id."""
    found: dict[str, None] = {}
    for *fields, _ in rows:
        kept = connection.execute(f"SELECT {FIELDS} FROM events WHERE event_id = ?", (fields[0],)).fetchone()
        if kept != tuple(fields):
            found[fields[0]] = None
    return tuple(found)
