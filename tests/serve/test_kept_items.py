"""Items that were sent to a server are there after it: on the disk before they are acknowledged."""

import json
import logging
import os
import shutil
import signal
import time

import pyarrow as pa
import pytest

from genrec.data.catalog_rows import with_rows
from genrec.data.dataset import Dataset
from genrec.events import EventStore
from genrec.serve.kept_items import KeptItems
from genrec.serve.settings import ServeSettings
from genrec.testing import toy_dataset
from genrec.testing.serving import client_of, train_toy_model

NEW = {"item_id": "n1", "title": "Red River Returns", "year": 2024}


@pytest.fixture(scope="module")
def atomic(tmp_path_factory):
    return train_toy_model(tmp_path_factory.mktemp("atomic") / "model", items="atomic", epochs=1)


def send(client, *items):
    answer = client.post("/v1/items", json={"items": items})
    assert answer.status_code == 200, answer.text


def years(client, *ids):
    found = client.get("/v1/items", params={"item_id": ids}).json()["items"]
    return {item["item_id"]: item["year"] for item in found}


def test_a_new_and_a_changed_item_survive_a_kill(server, atomic):
    running = server(model=atomic).start()
    running.post("/v1/items", {"items": [NEW, {"item_id": "i3", "year": 1999}]})
    running.post("/v1/items", {"items": [{"item_id": "n1", "year": 2025}]})
    assert running.stop(signal.SIGKILL) == -signal.SIGKILL
    with client_of(atomic, running.events, ServeSettings()) as again:
        assert years(again, "n1", "i3") == {"n1": 2025, "i3": 1999}
        asked = {"history": ["i1"], "filters": ["year=2025"]}
        [found] = again.post("/v1/recommend", json=asked).json()["items"]
        assert (found["title"], found["categories"]) == ("Red River Returns", [])
        assert again.post("/admin/reload").status_code == 200
        assert years(again, "n1", "i3") == {"n1": 2025, "i3": 1999}


@pytest.fixture
def data(tmp_path):
    toy_dataset().save(tmp_path / "data")
    return tmp_path / "data"


def reloaded(client):
    assert client.post("/admin/reload").status_code == 200
    return years(client, "n1", "i3")


def test_a_data_set_that_is_written_later_is_right(atomic, data, tmp_path):
    with client_of(atomic, tmp_path / "events.db", ServeSettings(), data=str(data)) as client:
        send(client, NEW, {"item_id": "i3", "year": 1999})
        assert reloaded(client) == {"n1": 2024, "i3": 1999}
        time.sleep(1.1)  # times are kept in seconds
        newer = pa.table({"item_id": ["i3"], "year": [2001]})
        dataset = Dataset.load(data)
        dataset.with_catalog(with_rows(dataset.catalog, newer).catalog).save(data)
        assert reloaded(client) == {"i3": 2001}
        send(client, {"item_id": "i3", "year": 2002})
        assert reloaded(client) == {"i3": 2002}


def test_a_copy_of_the_data_set_is_not_a_later_one(atomic, data, tmp_path):
    with client_of(atomic, tmp_path / "events.db", ServeSettings(), data=str(data)) as client:
        send(client, NEW, {"item_id": "i3", "year": 1999})
        shutil.copytree(data, tmp_path / "copy", copy_function=shutil.copy)
        shutil.rmtree(data)
        (tmp_path / "copy").rename(data)
        later = time.time() + 3600  # as if it were copied in an hour
        os.utime(data / "dataset.json", (later, later))
        assert reloaded(client) == {"n1": 2024, "i3": 1999}
        assert client.post("/v1/recommend", json={"history": ["n1"]}).status_code == 200


def test_a_folder_that_does_not_say_when_it_was_written_is_as_old_as_its_file(atomic, data, tmp_path):
    manifest = json.loads((data / "dataset.json").read_text())
    del manifest["written"]
    (data / "dataset.json").write_text(json.dumps(manifest))
    with client_of(atomic, tmp_path / "events.db", ServeSettings(), data=str(data)) as client:
        of_the_data_set = years(client, "i3")
        send(client, NEW, {"item_id": "i3", "year": 1999})
        assert reloaded(client) == {"n1": 2024, "i3": 1999}
        later = time.time() + 3600
        os.utime(data / "dataset.json", (later, later))
        assert reloaded(client) == of_the_data_set


def test_what_does_not_fit_any_longer_is_left_out_and_said(atomic, tmp_path, caplog):
    with EventStore.open(tmp_path / "events.db") as store:
        store.keep_items({"i3": {"year": 1999}, "i4": {"price": 3.5}, "n2": {"year": 2000}})
    with caplog.at_level(logging.WARNING), client_of(atomic, tmp_path / "events.db", ServeSettings()) as client:
        assert years(client, "i3", "n2") == {"i3": 1999}
    assert "item 'i4' does not fit the data set: items have no such column" in caplog.text
    assert "item 'n2' does not fit the data set: a new item needs a title" in caplog.text


def test_a_model_that_takes_no_new_items_starts_with_the_changed_ones(model_folder, tmp_path, caplog):
    with EventStore.open(tmp_path / "events.db") as store:
        store.keep_items({"i3": {"year": 1999}, "n1": {"title": "Red River Returns", "year": 2024}})
    with caplog.at_level(logging.WARNING), client_of(model_folder, tmp_path / "events.db", ServeSettings()) as client:
        assert years(client, "i3", "n1") == {"i3": 1999}
    assert "items that were sent before are not served by this model" in caplog.text


def test_where_the_disk_is_full_nothing_changes(atomic, tmp_path):
    small = EventStore.open(tmp_path / "small.db", max_bytes=100_000)
    with client_of(atomic, tmp_path / "events.db", ServeSettings()) as client, small:
        client.app.state.parts.items = KeptItems(small)
        many = [{"item_id": f"n{n}", "title": "A title that takes room. " * 10} for n in range(500)]
        refused = client.post("/v1/items", json={"items": many})
        assert (refused.status_code, refused.json()["type"]) == (507, "urn:genrec:problem:storage-full")
        assert client.get("/v1/items").json()["total"] == 24
        assert small.items() == {}
        send(client, NEW)
        assert client.get("/v1/items").json()["total"] == 25
