import json
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genrec.data import folder as folder_module
from genrec.data.dataset import Dataset
from genrec.data.folder import written_aside
from genrec.data.toy import toy_dataset
from genrec.errors import DataError


@pytest.fixture
def toy():
    return toy_dataset(users=5, items=8, length=3)


def test_what_is_saved_comes_back(toy, tmp_path):
    toy.save(tmp_path / "d")
    back = Dataset.load(tmp_path / "d")
    assert (back.name, back.source, back.licence, back.time) == (toy.name, toy.source, toy.licence, toy.time)
    assert back.interactions.table.equals(toy.interactions.table)
    assert back.catalog.table.equals(toy.catalog.table)
    assert back.user_attributes.equals(toy.user_attributes)
    assert back.users.ids == toy.users.ids


def test_users_without_interactions_keep_their_index(toy, tmp_path):
    toy.with_interactions(toy.user_indices == 3).save(tmp_path / "d")
    back = Dataset.load(tmp_path / "d")
    assert back.users.ids == toy.users.ids
    np.testing.assert_array_equal(back.histories[3], toy.histories[3])


def test_the_folder_is_as_documented(toy, tmp_path):
    began = int(time.time())
    toy.save(tmp_path / "d")
    files = {path.name for path in (tmp_path / "d").iterdir()}
    assert files == {"interactions.parquet", "items.parquet", "users.parquet", "dataset.json"}
    manifest = json.loads((tmp_path / "d/dataset.json").read_text())
    assert manifest["format_version"] == 1
    assert began <= manifest["written"] <= time.time()
    assert Dataset.load(tmp_path / "d").written == manifest["written"]
    assert manifest["counts"] == {"users": 5, "items": 8, "interactions": 15}
    assert set(manifest["sha256"]) == files - {"dataset.json"}
    assert [path.name for path in tmp_path.iterdir()] == ["d"], "nothing is left beside the folder"


def test_a_folder_made_by_hand_needs_no_users(toy, tmp_path):
    toy.save(tmp_path / "d")
    manifest = json.loads((tmp_path / "d/dataset.json").read_text())
    del manifest["sha256"]["users.parquet"]
    (tmp_path / "d/users.parquet").unlink()
    (tmp_path / "d/dataset.json").write_text(json.dumps(manifest))
    assert Dataset.load(tmp_path / "d").users.ids == ["u0", "u1", "u2", "u3", "u4"]


def test_a_changed_file_is_noticed(toy, tmp_path):
    toy.save(tmp_path / "d")
    pq.write_table(toy.catalog.table.slice(1), tmp_path / "d/items.parquet")
    with pytest.raises(DataError, match=r"items.parquet is not the file that was saved"):
        Dataset.load(tmp_path / "d")


def test_a_missing_file_is_noticed(toy, tmp_path):
    toy.save(tmp_path / "d")
    (tmp_path / "d/interactions.parquet").unlink()
    with pytest.raises(DataError, match=r"interactions.parquet is missing"):
        Dataset.load(tmp_path / "d")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format_version": 99}', "format version 99; this genrec reads 1"),
        ("{", "not a data set"),
        ("[]", "not a data"),
    ],
)
def test_an_unreadable_description_is_refused(tmp_path, text, message):
    (tmp_path / "dataset.json").write_text(text)
    with pytest.raises(DataError, match=message):
        Dataset.load(tmp_path)


def test_no_such_data_set(tmp_path):
    with pytest.raises(DataError, match="no data set at") as caught:
        Dataset.load(tmp_path / "nowhere")
    assert "genrec data list" in caught.value.hint


def test_saving_replaces_a_data_set_and_nothing_else(toy, tmp_path):
    toy.save(tmp_path / "d")
    toy_dataset(users=2, items=8, length=3).save(tmp_path / "d")
    assert Dataset.load(tmp_path / "d").num_users == 2
    (tmp_path / "home").mkdir()
    (tmp_path / "home/thesis.tex").write_text("...")
    (tmp_path / "file").write_text("...")
    for place, message in (("home", "not a data set folder"), ("file", "is a file")):
        with pytest.raises(DataError, match=message):
            toy.save(tmp_path / place)
    assert (tmp_path / "home/thesis.tex").read_text() == "..."


def test_an_interrupted_save_leaves_the_old_one(toy, tmp_path, monkeypatch):
    toy.save(tmp_path / "d")

    def full_disk(path, fields):
        raise OSError("no space left on device")

    monkeypatch.setattr(folder_module, "write_manifest", full_disk)
    with pytest.raises(OSError, match="no space"):
        toy_dataset(users=2, items=8, length=3).save(tmp_path / "d")
    assert Dataset.load(tmp_path / "d").num_users == 5
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_written_aside_shows_nothing_before_its_end(tmp_path):
    with written_aside(tmp_path / "d") as aside:
        (aside / "dataset.json").write_text("{}")
        assert not (tmp_path / "d").exists()
    assert (tmp_path / "d/dataset.json").exists()


def test_further_columns_keep_their_types(toy, tmp_path):
    extra = {"price": pa.array([1.5] * 8), "in_stock": pa.array([True] * 8), "image": pa.array([[0.5]] * 8)}
    table = toy.catalog.table
    for name, values in extra.items():
        table = table.append_column(name, values)
    Dataset("d", toy.interactions, type(toy.catalog)(table), toy.users).save(tmp_path / "d")
    assert Dataset.load(tmp_path / "d").catalog.table.schema.equals(table.schema)
