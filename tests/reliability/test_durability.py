"""What was acknowledged is there: after kill -9 at any moment, and when there is no room."""

import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from genrec.errors import StorageError, StorageFullError
from genrec.events import Appended, Event, EventStore

WRITER = Path(__file__).with_name("event_writer.py")
KILLS = 200


def integrity(path):
    with sqlite3.connect(path) as connection:
        [found] = connection.execute("PRAGMA integrity_check").fetchone()
    connection.close()
    return found


def test_a_writer_killed_200_times_loses_no_acknowledged_event(tmp_path):
    path, rng, acknowledged = tmp_path / "events.db", random.Random(0), []
    with subprocess.Popen(
        [sys.executable, WRITER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as writer:
        for life in range(KILLS):
            writer.stdin.write(f"life{life}\n")
            pid = int(writer.stdout.readline().removeprefix("pid "))
            if life % 10:  # else it is killed while it opens the file
                acknowledged += writer.stdout.readline().split()
            time.sleep(rng.random() * 0.02)
            os.kill(pid, signal.SIGKILL)
            while (line := writer.stdout.readline()) != "dead\n":
                acknowledged += line.split()
        writer.stdin.close()
    assert integrity(path) == "ok"
    with EventStore.open(path) as store:
        found = Counter(one.event.event_id for one in store.read())
    assert len(acknowledged) > KILLS
    assert max(found.values()) == 1
    assert set(acknowledged) <= set(found)
    # A batch is there as a whole or not at all, whether it was acknowledged or not.
    batches = Counter(event_id.rpartition(".")[0] for event_id in found)
    assert all(int(batch.rpartition(".")[2]) == count for batch, count in batches.items())


def events(prefix, count):
    return [Event(f"{prefix}-{n}", f"user{n}", "tea" * 100, "interaction", timestamp=n) for n in range(count)]


def test_a_full_disk_refuses_whole_batches_and_goes_on_when_there_is_room(tmp_path):
    path = tmp_path / "events.db"
    with EventStore.open(path, max_bytes=400_000) as store:
        full, kept = None, []
        for batch in range(1_000):
            try:
                store.append(events(batch, 50))
            except StorageFullError as error:
                full = str(error)
                break
            kept += [f"{batch}-{n}" for n in range(50)]
        assert "no room" in full
        assert [one.event.event_id for one in store.read()] == kept
        # A small one may still fit; what is there can be read, forgotten, and makes room.
        for user in range(50):
            store.forget(f"user{user}")
        assert store.append(events("again", 50)) == Appended(50, 0)
    assert integrity(path) == "ok"


def test_of_batches_that_wait_together_those_that_fit_are_kept(tmp_path):
    with EventStore.open(tmp_path / "events.db", max_bytes=300_000) as store:
        outcome = {}

        def append(name, count):
            try:
                outcome[name] = store.append(events(name, count))
            except StorageFullError:
                outcome[name] = "full"

        with store._writer._turn:
            threads = [threading.Thread(target=append, args=case) for case in [("small", 5), ("huge", 5_000), ("b", 5)]]
            for thread in threads:
                thread.start()
            while len(store._writer._waiting) < 3:
                time.sleep(0.001)
        for thread in threads:
            thread.join()
        assert outcome == {"small": Appended(5, 0), "huge": "full", "b": Appended(5, 0)}
        assert sum(1 for _ in store.read()) == 10


def test_a_file_that_the_system_will_not_let_grow_is_an_error_and_not_half_a_batch(tmp_path):
    path, (soft, hard) = tmp_path / "events.db", resource.getrlimit(resource.RLIMIT_FSIZE)
    with EventStore.open(path) as store:
        store.append(events("before", 20))
        size = max(file.stat().st_size for file in tmp_path.iterdir())
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, hard))
        try:
            with pytest.raises(StorageError):
                store.append(events("refused", 500))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert sum(1 for _ in store.read()) == 20
        store.append(events("after", 500))
        assert sum(1 for _ in store.read()) == 520
    assert integrity(path) == "ok"
