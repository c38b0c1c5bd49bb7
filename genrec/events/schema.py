"""The SQLite file of an event store: its tables, and how it is opened."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from genrec.errors import DataError, StorageError, StorageFullError, UnsupportedError

APPLICATION_ID = 0x67726563
"""Says in the file's header that it is one of ours ("grec")."""
SCHEMA_VERSION = 2
LEAST_SQLITE = (3, 38, 0)
BUSY_SECONDS = 30.0
"""How long to wait for another process that writes."""

TABLES = """
CREATE TABLE events (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    user_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('interaction', 'impression', 'feedback')),
    value TEXT NOT NULL,
    timestamp INTEGER NOT NULL,
    dwell_ms INTEGER,
    request_id TEXT NOT NULL,
    position INTEGER,
    received INTEGER NOT NULL
) STRICT;
CREATE INDEX events_of_user ON events (user_id, kind, timestamp, number);
CREATE TABLE trainings (model TEXT PRIMARY KEY, last INTEGER NOT NULL, finished INTEGER NOT NULL) STRICT;
CREATE TABLE forgotten (
    number INTEGER PRIMARY KEY AUTOINCREMENT, name_hash BLOB NOT NULL UNIQUE, erased INTEGER NOT NULL
) STRICT;
CREATE TABLE salt (value BLOB NOT NULL) STRICT;
"""
ITEM_FIELDS = """
CREATE TABLE item_fields (
    item_id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    changed INTEGER NOT NULL,
    PRIMARY KEY (item_id, name)
) STRICT, WITHOUT ROWID
"""
"""What version 1 did not have."""

FULL_CODES = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE)


def open_writer(path: Path, max_bytes: int | None) -> sqlite3.Connection:
    """Open the file for writing, made if it is not there, with every commit on disk before it returns.

    Raises
    ------
    DataError
        The file is no event store, or one of a later version.
    StorageError
        The file cannot be opened, or its file system has no write-ahead log.
    """
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        least = ".".join(map(str, LEAST_SQLITE))
        raise UnsupportedError(f"SQLite {sqlite3.sqlite_version} is too old", hint=f"events need {least} or newer")
    try:
        if not path.exists():
            path.touch(mode=0o600)  # what people did is nobody else's business; SQLite gives its log the same mode
        connection = _connect(path)
    except (OSError, sqlite3.OperationalError) as error:
        raise StorageError(f"{path}: {error}", hint="is the folder there, and may it be written?") from error
    try:
        _prepare(connection, path, max_bytes)
    except sqlite3.Error as error:
        connection.close()
        raise refused(error, path) from error
    except BaseException:
        connection.close()
        raise
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """Open the file for reading alone."""
    connection = _connect(path)
    connection.execute("PRAGMA query_only = ON")
    return connection


def refused(error: sqlite3.Error, path: Path) -> DataError | StorageError:
    """What to raise for an error of SQLite."""
    code = getattr(error, "sqlite_errorcode", None)
    if code in FULL_CODES:
        return StorageFullError(f"{path}: no room for events: {error}", hint="free some disk, or raise the size limit")
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        if code == sqlite3.SQLITE_NOTADB:
            hint = "give a file that `genrec serve --events` wrote; if it is one, restore it from a backup"
            return DataError(f"{path}: not an event store", hint=hint)
        return DataError(f"{path}: a broken event store: {error}", hint="restore it from a backup")
    return StorageError(f"{path}: {error}")


def _connect(path: Path) -> sqlite3.Connection:
    # Transactions begin and end where the code says so; threads share connections, one at a time.
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _prepare(connection: sqlite3.Connection, path: Path, max_bytes: int | None) -> None:
    if _pragma(connection, "journal_mode = WAL") != "wal":
        raise StorageError(f"{path}: this file system has no write-ahead log", hint="put the file on a local disk")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("BEGIN IMMEDIATE")  # of processes that open it at once, one makes the tables
    version = _pragma(connection, "user_version")
    ours = _pragma(connection, "application_id") == APPLICATION_ID
    [(tables,)] = connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()
    if not ours and (version or tables):
        raise DataError(f"{path}: a SQLite file, but not an event store", hint="give another file")
    if ours and version not in (1, SCHEMA_VERSION):
        hint = "install the genrec that wrote it, or a newer one"
        raise DataError(f"{path}: event store of version {version}, this genrec reads {SCHEMA_VERSION}", hint=hint)
    if not ours:
        for statement in TABLES.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO salt VALUES (?)", (os.urandom(32),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    if version != SCHEMA_VERSION:
        connection.execute(ITEM_FIELDS)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    connection.execute("COMMIT")
    if max_bytes is not None:
        page = int(_pragma(connection, "page_size"))
        connection.execute(f"PRAGMA max_page_count = {max(1, max_bytes // page)}")


def _pragma(connection: sqlite3.Connection, text: str) -> str | int:
    value: str | int = connection.execute(f"PRAGMA {text}").fetchone()[0]
    return value
