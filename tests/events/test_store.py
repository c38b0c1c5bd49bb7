import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from genrec.errors import DataError, StorageError
from genrec.events import Appended, EventStore


def numbers(store, **options):
    return [one.number for one in store.read(**options)]


def test_an_event_counts_once_however_often_it_is_sent(store, event):
    first, second = event(), event()
    assert store.append([first, second]) == Appended(2, 0)
    assert store.append([second, first, event()]) == Appended(1, 2)
    third = event()
    assert store.append([third, third, third]) == Appended(1, 2)
    assert [one.event.event_id for one in store.read()][:2] == [first.event_id, second.event_id]
    assert len(numbers(store)) == 4


def test_an_id_that_stands_for_something_else_is_told_and_the_first_stays(store, event):
    store.append([event(event_id="same", item="tea")])
    found = store.append([event(event_id="same", item="mate"), event()])
    assert found == Appended(1, 1, ("same",))
    assert store.history("ann")[0] == "tea"


def test_nothing_is_appended_of_nothing(store):
    assert store.append([]) == Appended(0, 0)
    assert store.last == 0


def test_what_was_stored_is_there_when_it_is_opened_again(tmp_path, event):
    path = tmp_path / "kept.db"
    given = event(dwell_ms=2_000, request_id="r", position=3)
    with EventStore.open(path) as store:
        store.append([given])
    with EventStore.open(path) as store:
        [found] = store.read()
    assert found.event == given
    assert abs(found.received - time.time()) < 60


def test_reading_goes_on_where_it_stopped(store, event, monkeypatch):
    monkeypatch.setattr("genrec.events.store.CHUNK", 4)
    store.append([event() for _ in range(10)])
    every = numbers(store)
    assert every == sorted(every)
    assert len(every) == 10
    assert numbers(store, after=every[3]) == every[4:]
    assert numbers(store, limit=7) == every[:7]
    assert numbers(store, after=every[8], limit=5) == every[9:]
    assert numbers(store, after=every[-1]) == []
    assert store.last == every[-1]


def test_events_that_arrive_while_one_reads_are_read_too(store, event, monkeypatch):
    monkeypatch.setattr("genrec.events.store.CHUNK", 2)
    store.append([event() for _ in range(2)])
    reading = store.read()
    next(reading)
    store.append([event()])
    assert len(list(reading)) == 2


def test_threads_that_write_share_transactions_and_lose_nothing(store, event):
    batches = [[event() for _ in range(3)] for _ in range(200)]
    with ThreadPoolExecutor(16) as threads:
        found = list(threads.map(store.append, batches))
    assert found == [Appended(3, 0)] * 200
    assert len(numbers(store)) == 600


def test_one_waits_in_line_and_its_batch_goes_along_with_others(store, event):
    commits = []
    store._writer._connection.set_trace_callback(lambda sql: commits.append(sql) if sql == "COMMIT" else None)
    with store._writer._turn:  # somebody is writing
        waiting = [threading.Thread(target=store.append, args=([event()],)) for _ in range(8)]
        for thread in waiting:
            thread.start()
        while len(store._writer._waiting) < 8:
            time.sleep(0.001)
    for thread in waiting:
        thread.join()
    assert len(commits) == 1
    assert len(numbers(store)) == 8


def test_two_stores_write_one_file(tmp_path, event):
    path = tmp_path / "shared.db"
    with EventStore.open(path) as one, EventStore.open(path) as other:
        events = [event() for _ in range(100)]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda at: (one, other)[at % 2].append([events[at]]), range(100)))
        assert numbers(one) == numbers(other)
        assert len(numbers(one)) == 100
        assert one.identity == other.identity


def test_a_closed_store_says_so(tmp_path, event):
    store = EventStore.open(tmp_path / "events.db")
    store.close()
    store.close()
    for ask in (lambda: store.append([event()]), lambda: store.history("ann"), lambda: store.forget("ann")):
        with pytest.raises(StorageError, match="closed"):
            ask()


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"so much for a data base" * 100, "not an event store"), ("CREATE TABLE shop (id)", "not an event store")],
)
def test_another_file_is_refused_and_left_alone(tmp_path, content, says):
    path = tmp_path / "other.db"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        with sqlite3.connect(path) as other:
            other.execute(content)
        other.close()
    with pytest.raises(DataError, match=says) as caught:
        EventStore.open(path)
    assert caught.value.hint.startswith("give ")
    if isinstance(content, bytes):
        assert path.read_bytes() == content


def test_a_store_of_a_later_version_is_refused(tmp_path):
    path = tmp_path / "events.db"
    EventStore.open(path).close()
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 3")
    other.close()
    with pytest.raises(DataError, match="version 3, this genrec reads 2"):
        EventStore.open(path)


def test_a_store_of_the_first_version_is_taken_over(tmp_path, event):
    path, first = tmp_path / "events.db", event()
    with EventStore.open(path) as store:
        store.append([first])
    with sqlite3.connect(path) as other:  # the first had no items
        other.execute("DROP TABLE item_fields")
        other.execute("PRAGMA user_version = 1")
    other.close()
    for _ in range(2):
        with EventStore.open(path) as store:
            assert [one.event for one in store.read()] == [first]
            store.keep_items({"i1": {"price": 2.5}})
            assert store.items() == {"i1": {"price": 2.5}}


def test_of_items_what_was_said_last_of_each_column_is_kept(tmp_path):
    with EventStore.open(tmp_path / "events.db") as store:
        store.keep_items({"i1": {"price": 2.5, "title": "Tea"}, "i2": {"categories": ["Drinks"]}})
        now = int(time.time())
        store.keep_items({"i1": {"price": 3}})
        assert store.items() == {"i1": {"price": 3, "title": "Tea"}, "i2": {"categories": ["Drinks"]}}
        assert store.items(since=now)["i1"]["price"] == 3
        assert store.items(since=now + 60) == {}


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(StorageError, match="No such file") as caught:
        EventStore.open(tmp_path / "missing" / "events.db")
    assert "is the folder there" in str(caught.value)


def test_nobody_else_may_read_the_files(tmp_path, event):
    with EventStore.open(tmp_path / "private.db") as store:
        store.append([event()])
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.glob("private*")}
    assert modes == {"private.db": 0o600, "private.db-wal": 0o600, "private.db-shm": 0o600}


def test_every_commit_waits_for_the_disk(store):
    [level] = store._writer._connection.execute("PRAGMA synchronous").fetchone()
    [journal] = store._writer._connection.execute("PRAGMA journal_mode").fetchone()
    assert (level, journal) == (2, "wal")


def test_the_tables_refuse_another_type(store):
    with pytest.raises(sqlite3.IntegrityError):
        store._writer._connection.execute("INSERT INTO trainings VALUES ('m', 'not a number', 0)")


def test_ids_are_data_and_never_sql(store, event):
    nasty = "x'; DROP TABLE events; --"
    store.append([event(user=nasty, item=nasty)])
    assert store.history(nasty) == [nasty]
    assert store.forget(nasty).events == 1
