import datasets
import pytest

from genrec.data.dataset import Dataset
from genrec.data.hf import from_hf, to_hf
from genrec.data.toy import toy_dataset
from genrec.errors import DataError


def same(one, other):
    assert one.interactions.table.equals(other.interactions.table)
    assert one.catalog.table.equals(other.catalog.table)
    assert one.user_attributes.equals(other.user_attributes)
    assert (one.name, one.source, one.licence, one.time) == (other.name, other.source, other.licence, other.time)


def test_there_and_back():
    toy = toy_dataset(users=7, items=12, length=4)
    same(from_hf(to_hf(toy)), toy)


def test_through_a_folder_on_disk(tmp_path):
    toy = toy_dataset(users=7, items=12, length=4)
    to_hf(toy).save_to_disk(str(tmp_path / "hf"))
    same(from_hf(tmp_path / "hf"), toy)
    from_hf(tmp_path / "hf").save(tmp_path / "d")
    same(Dataset.load(tmp_path / "d"), toy)


def test_real_data_there_and_back():
    movies = Dataset.load("ml-100k")
    same(from_hf(to_hf(movies)), movies)


def test_order_without_time_stays_order():
    rows = datasets.Dataset.from_dict({"user": ["b", "a", "b"], "movie": [2, 1, 1]})
    dataset = from_hf(datasets.DatasetDict({"train": rows}), map={"user_id": "user", "item_id": "movie"}, name="mine")
    assert dataset.time == "order"
    assert [dataset.catalog.ids[item] for item in dataset.histories[0]] == ["2", "1"]
    again = from_hf(to_hf(dataset))
    assert (again.time, again.name) == ("order", "mine")


def test_selected_rows_are_the_ones_read():
    rows = datasets.Dataset.from_dict({"user_id": ["a", "b", "c"], "item_id": ["x", "y", "z"]}).select([2, 0])
    assert from_hf(rows).users.ids == ["c", "a"]


def test_wrong_splits_columns_and_rows_are_named():
    rows = datasets.Dataset.from_dict({"user_id": ["a", None], "item": ["x", "y"]})
    with pytest.raises(DataError, match="no split 'interactions'") as caught:
        from_hf(datasets.DatasetDict({"train": rows, "test": rows}))
    assert "train, test" in caught.value.hint
    with pytest.raises(DataError, match="columns are user_id, item"):
        from_hf(rows)
    with pytest.raises(DataError, match="interactions, line 2, column 'user_id'"):
        from_hf(rows, map={"item_id": "item"})


def test_a_hub_id_without_internet_is_a_data_error():
    with pytest.raises(DataError, match="no Hugging Face data set at 'nobody/nothing'"):
        from_hf("nobody/nothing")
