import numpy as np
import pyarrow.parquet as pq
import pytest

from genrec.data.dataset import Dataset
from genrec.data.streaming import sort_by_user, stream_histories
from genrec.data.toy import toy_dataset
from genrec.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def sorted_movies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    movies = Dataset.load("ml-100k")
    movies.save(folder / "movies")
    sort_by_user(folder / "movies", folder / "sorted", rows_per_group=7_000)
    return movies, folder / "sorted"


def test_streamed_histories_are_those_in_memory(sorted_movies):
    movies, folder = sorted_movies
    examples = list(stream_histories(folder))
    assert [example["user"] for example in examples] == list(range(943))
    for example in examples:
        user, histories = example["user"], movies.histories
        rows = slice(histories.indptr[user], histories.indptr[user + 1])
        assert example["user_id"] == movies.users[user]
        assert example["items"] == histories.items[rows].tolist()
        assert example["timestamps"] == histories.timestamps[rows].tolist()
        assert example["ratings"] == histories.ratings[rows].tolist()


def test_the_sorted_copy_is_the_same_data_set(sorted_movies):
    movies, folder = sorted_movies
    copy = Dataset.load(folder)
    assert copy.users.ids == movies.users.ids
    assert copy.catalog.table.equals(movies.catalog.table)
    np.testing.assert_array_equal(copy.histories.items, movies.histories.items)
    assert {path.name for path in folder.iterdir()} == {
        "dataset.json", "interactions.parquet", "items.parquet", "users.parquet",
    }  # fmt: skip


def test_memory_is_bounded_by_a_row_group(sorted_movies):
    movies, folder = sorted_movies
    metadata = pq.ParquetFile(folder / "interactions.parquet").metadata
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert sum(sizes) == 100_000
    assert max(sizes) <= 7_000 + movies.histories.lengths.max()


def test_shards_share_the_users_without_overlap(sorted_movies):
    _, folder = sorted_movies
    stream = stream_histories(folder)
    shards = [[example["user"] for example in stream.shard(3, index)] for index in range(3)]
    assert sorted(user for shard in shards for user in shard) == list(range(943))
    assert all(shards)


def test_users_without_interactions_do_not_come_up(tmp_path):
    toy = toy_dataset(users=6, items=9, length=3)
    toy.with_interactions(toy.user_indices % 2 == 1).save(tmp_path / "d")
    sort_by_user(tmp_path / "d", tmp_path / "s", rows_per_group=1)
    assert [example["user"] for example in stream_histories(tmp_path / "s")] == [1, 3, 5]


def test_what_is_not_sorted_is_refused(tmp_path):
    toy_dataset(users=6, items=9, length=3).save(tmp_path / "d")
    with pytest.raises(DataError, match="not sorted by user") as caught:
        stream_histories(tmp_path / "d")
    assert "sort_by_user" in caught.value.hint
    with pytest.raises(ConfigError, match="at least 1"):
        sort_by_user(tmp_path / "d", tmp_path / "s", rows_per_group=0)
