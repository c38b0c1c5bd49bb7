"""Reading: beside the writer and beside each other, nobody waits."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from genrec.errors import StorageError
from genrec.events.schema import open_reader, refused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Readers:
    """Connections for reading; one that is not in use is used again.

    Parameters
    ----------
    path
        The SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        """A connection that nobody else uses meanwhile."""
        with self._lock:
            if self._closed:
                raise StorageError(f"{self._path}: the event store is closed")
            connection = self._idle.pop() if self._idle else None
        try:
            connection = connection or open_reader(self._path)
            yield connection
        except sqlite3.Error as error:
            raise refused(error, self._path) from error
        finally:
            if connection is not None:
                self._give_back(connection)

    def close(self) -> None:
        """Close the connections, those in use when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(connection)
                return
        connection.close()
