"""Events in a SQLite file: on disk before they are acknowledged, each once."""

from __future__ import annotations

import json
import logging
import time
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from genrec.events import kept_items
from genrec.events.event import Event, StoredEvent
from genrec.events.forgetting import Forgotten, name_hash
from genrec.events.noise import DAY, NoiseSettings, noise_of
from genrec.events.readers import Readers
from genrec.events.rows import row_of, select, statement, stored
from genrec.events.taste import Taste, taste_of
from genrec.events.writer import Appended, Writer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

logger = logging.getLogger(__name__)

CHUNK = 2_000
RECENT = 5_000
"""Interactions of a user that a history is made from; what is older is further back than any model reads."""


class EventStore:
    """A durable record of events, safe to use from many threads and several processes.

    Writers of one process share a connection: while one batch is on its way to the disk, those that come meanwhile
    wait, and go together in the next transaction (group commit).

    Parameters
    ----------
    path
        The SQLite file.
    noise
        What counts as noise. Default: see :class:`~genrec.events.noise.NoiseSettings`.
    max_bytes
        Size that the file may grow to, its write-ahead log aside. Default: as large as the disk.

    Raises
    ------
    DataError
        The file is no event store, or one of a later version.
    StorageError
        The file cannot be opened.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, EventStore.open(Path(folder) / "events.db") as store:
    ...     event = Event("e1", "ann", "tea", "interaction", "view", timestamp=1_700_000_000)
    ...     print(store.append([event]), store.append([event]).duplicates, store.history("ann"))
    Appended(accepted=1, duplicates=0, conflicts=()) 1 ['tea']
    """

    def __init__(self, path: str | Path, *, noise: NoiseSettings | None = None, max_bytes: int | None = None) -> None:
        self.path = Path(path)
        self.noise = noise or NoiseSettings()
        self._writer = Writer(self.path, max_bytes)
        self._readers = Readers(self.path)

    @classmethod
    def open(cls, path: str | Path, *, noise: NoiseSettings | None = None, max_bytes: int | None = None) -> Self:
        """Open a store, made if it is not there; parameters and errors are the class's."""
        return cls(path, noise=noise, max_bytes=max_bytes)

    def close(self) -> None:
        """Close the file, once whatever is being written is on disk."""
        self._readers.close()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, events: Sequence[Event]) -> Appended:
        """Keep events: when this returns, they are on disk, and a killed process or a power cut does not lose them.

        Parameters
        ----------
        events
            All are kept or, if this raises, none is.

        Raises
        ------
        StorageFullError
            There is no room.
        StorageError
            The disk refuses for another reason, or the store is closed.
        """
        if not events:
            return Appended(0, 0)
        received = int(time.time())
        return self._writer.insert([row_of(event, received) for event in events])

    def taste(self, user_id: str) -> Taste:
        """What is known of a user: items learnt from, and hidden ones."""
        with self._readers.connection() as connection:
            recent = "WHERE user_id = ? AND kind = 'interaction' ORDER BY timestamp DESC, number DESC LIMIT ?"
            acts = select(connection, recent, (user_id, RECENT))
            acts += select(connection, "WHERE user_id = ? AND kind = 'feedback'", (user_id,))
        return taste_of(self._flagged(acts))

    def history(self, user_id: str) -> list[str]:
        """Item ids learnt from, oldest first; see :class:`~genrec.events.taste.Taste`."""
        return list(self.taste(user_id).items)

    def hidden(self, user_id: str) -> list[str]:
        """Item ids that the user disliked or hid and did not take back."""
        return list(self.taste(user_id).hidden)

    def tastes(self) -> Iterator[tuple[str, Taste]]:
        """Every user with an interaction or feedback, in order of ids, and what is known of them."""
        with self._readers.connection() as connection:
            rows = connection.execute(statement("WHERE kind <> 'impression' ORDER BY user_id"))
            for user_id, own in groupby(map(stored, rows), key=lambda one: one.event.user_id):
                yield user_id, taste_of(self._flagged(list(own)))

    def read(self, after: int = 0, limit: int | None = None) -> Iterator[StoredEvent]:
        """Events in order of arrival, each with its flag.

        Parameters
        ----------
        after
            Number of the event to go on after. Default: from the first.
        limit
            Most events. Default: all that are there.
        """
        left = limit
        while left is None or left > 0:
            size = CHUNK if left is None else min(CHUNK, left)
            with self._readers.connection() as connection:
                chunk = select(connection, "WHERE number > ? ORDER BY number LIMIT ?", (after, size))
                chunk = self._chunk_flagged(connection, chunk)
            yield from chunk
            if len(chunk) < size:
                return
            after = chunk[-1].number
            left = None if left is None else left - size

    @property
    def last(self) -> int:
        """Number of the latest event; 0 if there is none."""
        with self._readers.connection() as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM events").fetchone()[0])

    @property
    def identity(self) -> str:
        """Tells this store from others, whose events have the same numbers."""
        with self._readers.connection() as connection:
            return name_hash(_salt(connection), "").hex()[:16]

    def export_user(self, user_id: str) -> list[dict[str, str | int | None]]:
        """Everything that is kept about a user, oldest first: the fields of each event, ``received`` and ``noise``."""
        with self._readers.connection() as connection:
            found = self._flagged(select(connection, "WHERE user_id = ?", (user_id,)))
        return [{**one.event.to_dict(), "received": one.received, "noise": one.noise} for one in found]

    def forget(self, user_id: str, *, in_training_data: bool = False) -> Forgotten:
        """Erase a user's events, and their traces in the file's free space and its log.

        What stays is a salted hash of the id, by which ``genrec update`` leaves the user out of old histories.

        Parameters
        ----------
        user_id
            Whom to forget.
        in_training_data
            Whether the data set of the served model has the user: says whether a training must follow.
        """
        with self._writer.transaction() as connection:
            query = "SELECT min(number) FROM events WHERE user_id = ? AND kind <> 'impression'"
            [first] = connection.execute(query, (user_id,)).fetchone()
            models = connection.execute("SELECT model FROM trainings WHERE last >= ? ORDER BY finished", (first,))
            learnt = tuple(model for (model,) in models)
            erased = connection.execute("DELETE FROM events WHERE user_id = ?", (user_id,)).rowcount
            key = name_hash(_salt(connection), user_id)
            connection.execute(
                "INSERT OR REPLACE INTO forgotten (name_hash, erased) VALUES (?, ?)", (key, int(time.time()))
            )
        if not self._writer.empty_log():
            logger.info("the log of %s is being read; what was erased leaves it with a later write", self.path)
        return Forgotten(erased, learnt, in_training_data)

    def forgotten_among(self, user_ids: Iterable[str]) -> set[str]:
        """Those of the users who were forgotten."""
        with self._readers.connection() as connection:
            if connection.execute("SELECT NOT EXISTS (SELECT 1 FROM forgotten)").fetchone()[0]:
                return set()
            salt, query = _salt(connection), "SELECT 1 FROM forgotten WHERE name_hash = ?"
            return {user for user in user_ids if connection.execute(query, (name_hash(salt, user),)).fetchone()}

    @property
    def forgettings(self) -> int:
        """A number that rises whenever somebody is forgotten."""
        with self._readers.connection() as connection:
            return int(connection.execute("SELECT coalesce(max(number), 0) FROM forgotten").fetchone()[0])

    def keep_items(self, items: Mapping[str, Mapping[str, Any]]) -> None:
        """Keep what was said of items; when this returns, it is on disk.

        Parameters
        ----------
        items
            By item id, JSON values by the name of their column; they replace what was kept of the same columns.

        Raises
        ------
        StorageFullError
            There is no room; then nothing of it is kept.
        """
        with self._writer.transaction() as connection:
            kept_items.keep(connection, items, int(time.time()))

    def items(self, since: int = 0) -> dict[str, dict[str, Any]]:
        """What was said of items at a second (UTC) or after it: JSON values by item id and column."""
        with self._readers.connection() as connection:
            return kept_items.kept(connection, since)

    def record_training(self, model: str, last: int) -> None:
        """Remember that a model has learnt from the events up to number ``last``."""
        with self._writer.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO trainings VALUES (?, ?, ?)", (model, last, int(time.time())))

    def _flagged(self, events: list[StoredEvent]) -> list[StoredEvent]:
        """Events of one user in order of time, those of one second as they arrived, each with its flag."""
        events = sorted(events, key=lambda one: (one.event.timestamp, one.number))
        flags = noise_of([one.event for one in events], self.noise)
        return [StoredEvent(one.number, one.event, one.received, flag) for one, flag in zip(events, flags, strict=True)]

    def _chunk_flagged(self, connection: sqlite3.Connection, chunk: list[StoredEvent]) -> list[StoredEvent]:
        """Events in order of arrival, each with its flag."""
        flags = {one.number: noise_of([one.event], self.noise)[0] for one in chunk}
        # How fast somebody is shows in the events around these, of those who did enough for it.
        busy = connection.execute(
            "SELECT user_id FROM events WHERE user_id IN (SELECT value FROM json_each(?)) AND kind <> 'impression'"
            " GROUP BY user_id HAVING count(*) > ?",
            (
                json.dumps(sorted({one.event.user_id for one in chunk})),
                min(self.noise.max_per_minute, self.noise.max_per_day),
            ),
        ).fetchall()
        for (user_id,) in busy:
            times = [one.event.timestamp for one in chunk if one.event.user_id == user_id]
            around = "WHERE user_id = ? AND kind <> 'impression' AND timestamp BETWEEN ? AND ?"
            acts = self._flagged(select(connection, around, (user_id, min(times) - DAY, max(times) + DAY)))
            flags.update({one.number: one.noise for one in acts if one.number in flags})
        return [StoredEvent(one.number, one.event, one.received, flags[one.number]) for one in chunk]


def _salt(connection: sqlite3.Connection) -> bytes:
    [salt] = connection.execute("SELECT value FROM salt").fetchone()
    return bytes(salt)
