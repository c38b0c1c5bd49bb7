"""Interactions, Catalog and Dataset: what they accept, and what they refuse."""

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.toy import toy_dataset
from genrec.errors import DataError, UnknownIdError

ROWS = {"user_id": ["a"], "item_id": ["x"], "timestamp": pa.array([1], pa.int64())}


def test_rows_are_numbered_without_timestamps():
    rows = Interactions.from_columns(["a", "b"], ["x", "x"])
    assert rows.table["timestamp"].to_pylist() == [0, 1]
    assert rows.table.column_names == ["user_id", "item_id", "timestamp"]


def test_columns_are_cast_to_their_types():
    rows = Interactions.from_columns(["a"], ["x"], [7], np.array([4.5]), [None])
    assert [str(type) for type in rows.table.schema.types] == ["string", "string", "int64", "float", "string"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user_id": [1]}, "'user_id' is int64, not string"),
        ({"timestamp": [1.0]}, "'timestamp' is double, not int64"),
        ({"item_id": pa.array([None], pa.string())}, "'item_id' has missing values"),
        ({"price": [1.0]}, "unknown interaction column 'price'"),
    ],
)
def test_wrong_interactions_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        Interactions(pa.table({**ROWS, **change}))


def test_missing_interaction_column_lists_those_there():
    with pytest.raises(DataError, match="no column 'item_id'") as caught:
        Interactions(pa.table({"user_id": ["a"], "movie": ["x"]}))
    assert caught.value.hint == "columns are user_id, movie"


def test_catalog_reads_its_columns():
    table = {"item_id": ["7", "8"], "title": ["Tea", "Pot"], "text": ["Green.", None], "price": [2.5, 9.0]}
    catalog = Catalog(pa.table({**table, "categories": [["Drinks", "Hot"], None]}))
    assert catalog.ids.ids == ["7", "8"]
    assert catalog.categories == [["Drinks", "Hot"], []]
    assert catalog.column("price").to_pylist() == [2.5, 9.0]
    assert catalog.text_of() == ["Tea. Drinks, Hot. Green.", "Pot"]


def test_missing_catalog_column_lists_those_there():
    with pytest.raises(DataError, match="no column 'year'") as caught:
        Catalog(pa.table({"item_id": ["7"], "title": ["Tea"]})).column("year")
    assert caught.value.hint == "columns are item_id, title"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"item_id": ["7", "7"]}, "not distinct: '7'"),
        ({"title": ["Tea", None]}, "'title' has missing"),
        ({"categories": ["a|b", "c"]}, "'categories' is string, not list"),
    ],
)
def test_wrong_catalogs_are_refused(change, message):
    with pytest.raises(DataError, match=message):
        Catalog(pa.table({"item_id": ["7", "8"], "title": ["Tea", "Pot"], **change}))


def test_dataset_refuses_unknown_ids_at_once():
    catalog = Catalog(pa.table({"item_id": ["x"], "title": ["X"]}))
    rows = Interactions.from_columns(["a"], ["y"])
    with pytest.raises(UnknownIdError, match="'y'"):
        Dataset("d", rows, catalog, IdMap(["a"]))


def test_dataset_refuses_attributes_in_another_order():
    toy = toy_dataset(users=3, items=5, length=2)
    with pytest.raises(DataError, match="in the order of users"):
        Dataset("d", toy.interactions, toy.catalog, toy.users, user_attributes=toy.user_attributes.take([1, 0, 2]))


def test_with_interactions_keeps_all_indices():
    toy = toy_dataset(users=6, items=12, length=5)
    mask = toy.user_indices % 2 == 1
    by_mask, by_table = toy.with_interactions(mask), toy.with_interactions(toy.interactions.table.filter(mask))
    by_rows = toy.with_interactions(np.flatnonzero(mask))
    for fewer in (by_mask, by_table, by_rows):
        assert (fewer.num_users, fewer.num_items) == (6, 12)
        assert [len(fewer.histories[user]) for user in range(6)] == [0, 5, 0, 5, 0, 5]
        np.testing.assert_array_equal(fewer.histories[3], toy.histories[3])


def test_describe_by_hand():
    rows = Interactions.from_columns(["a", "a", "a", "b"], ["x", "x", "y", "x"], [5, 5, 9, 5])
    catalog = Catalog(pa.table({"item_id": ["x", "y", "z"], "title": ["X", "Y", "Z"]}))
    facts = Dataset("d", rows, catalog, IdMap(["a", "b"])).describe()
    assert facts["density"] == 4 / (2 * 3)
    assert facts["items_never_met"] == 1
    assert facts["ties_in_time"] == 1  # a's second x; b's 5 is another history
    assert facts["repeats"] == 1
    assert facts["history_length"] == {"min": 1, "median": 2.0, "mean": 2.0, "max": 3}
    assert (facts["first"], facts["last"]) == (5, 9)
