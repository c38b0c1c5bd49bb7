import sqlite3
import time
from contextlib import closing, contextmanager

from genrec.events import EventStore

NAME = "a-name-that-stands-nowhere-else"


def bytes_of(path):
    return b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))


def test_a_forgotten_user_leaves_no_byte_behind(tmp_path, event):
    path = tmp_path / "events.db"
    with EventStore.open(path) as store:
        for start in range(40):
            store.append([event(user=f"user{n}", item=f"i{n}") for n in range(start * 50, start * 50 + 50)])
            store.append([event(user=NAME, item=f"{NAME}-{start}", event_id=f"{NAME}/{start}", request_id=NAME)])
        assert NAME.encode() in bytes_of(path)
        assert store.forget(NAME).events == 40
        assert NAME.encode() not in bytes_of(path)
        assert store.export_user(NAME) == []
        assert store.history(NAME) == []
        assert len(list(store.read())) == 2_000
    assert NAME.encode() not in bytes_of(path)


@contextmanager
def read_beside(path):
    """Another process reads the file, as it is now, until the block ends."""
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        yield


def test_who_reads_meanwhile_holds_nobody_up_and_the_next_write_erases(tmp_path, event):
    path = tmp_path / "events.db"
    with EventStore.open(path) as store:
        store.append([event(user=NAME)])
        with read_beside(path):
            began = time.monotonic()
            assert store.forget(NAME).events == 1
            store.append([event(user="bob")])
            assert time.monotonic() - began < 10  # BUSY_SECONDS are 30
            assert NAME.encode() in bytes_of(path)
        store.append([event(user="bob")])
        assert NAME.encode() not in bytes_of(path)
        assert [one.event.user_id for one in store.read()] == ["bob", "bob"]


def test_a_store_that_is_opened_later_erases_what_one_could_not(tmp_path, event):
    path = tmp_path / "events.db"
    store = EventStore.open(path)
    store.append([event(user=NAME)])
    with EventStore.open(path) as other:
        with read_beside(path):
            store.forget(NAME)
            store.close()
            assert NAME.encode() in bytes_of(path)
        other.record_training("models/1", 0)
        assert NAME.encode() not in bytes_of(path)


def test_the_store_knows_whom_it_forgot_and_not_by_name(store, event):
    before = store.forgettings
    store.append([event(user="ann")])
    store.forget("ann")
    assert store.forgotten_among(["bob", "ann"]) == {"ann"}
    assert store.forgettings > before


def test_who_comes_back_is_a_new_user(store, event):
    store.append([event(user="ann", item="old", event_id="first")])
    store.forget("ann")
    store.append([event(user="ann", item="new", event_id="first")])
    assert store.history("ann") == ["new"]
    assert store.forgotten_among(["ann"]) == {"ann"}  # what a data set knows of them stays out
    before = store.forgettings
    assert store.forget("ann").events == 1
    assert store.forgettings > before


def test_numbers_are_not_given_again(store, event):
    store.append([event(user="bob"), event(user="ann")])
    last = store.last
    store.forget("ann")
    store.append([event(user="bob")])
    assert store.last > last


def test_the_report_says_which_models_must_be_trained_again(store, event):
    store.append([event(user="ann")])
    store.record_training("models/1", store.last)
    store.append([event(user="bob"), event(user="carl", kind="impression", value="")])
    store.record_training("models/2", store.last)
    store.append([event(user="dora")])
    assert store.forget("ann").models == ("models/1", "models/2")
    assert store.forget("bob").models == ("models/2",)
    late, seen_only = store.forget("dora"), store.forget("carl")
    assert late.models == seen_only.models == ()
    assert not late.retrain_after
    assert "nothing needs to be trained again" in late.advice


def test_a_user_of_the_data_set_must_be_trained_without(store):
    forgotten = store.forget("ann", in_training_data=True)
    assert forgotten.events == 0
    assert forgotten.retrain_after
    assert forgotten.to_dict()["retrain_after"] is True
    assert "take the user out of the data set" in forgotten.advice


def test_an_export_has_everything(store, event):
    slip = event(dwell_ms=5)
    shown = event(kind="impression", value="", position=2, request_id="r1")
    store.append([event(user="bob"), slip, shown])
    found = store.export_user("ann")
    assert [one["event_id"] for one in found] == [slip.event_id, shown.event_id]
    assert found[0]["noise"] == "dwell"
    assert found[1]["position"] == 2
    assert set(found[0]) == {*slip.to_dict(), "received", "noise"}
