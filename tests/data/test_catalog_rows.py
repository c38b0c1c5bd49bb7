import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.catalog_rows import with_rows
from genrec.errors import DataError
from genrec.testing import toy_dataset

SHOP = Catalog(
    pa.table(
        {
            "item_id": ["a", "b", "c"],
            "title": ["Tea", "Mate", "Cocoa"],
            "categories": [["Hot"], [], None],
            "price": [2.5, 3.0, None],
            "stock": [4, 0, 7],
        }
    )
)


def rows_of(catalog):
    return {row.pop("item_id"): row for row in catalog.table.to_pylist()}


def test_new_rows_come_behind_and_changed_values_replace_old_ones():
    rows = pa.table({"item_id": ["d", "b", "e"], "title": ["Milk", None, "Ale"], "stock": [1, 9, None]})
    update = with_rows(SHOP, rows)
    assert (update.ids, update.new, update.changed) == (("d", "b", "e"), ("d", "e"), ("b",))
    assert update.catalog.ids.ids == ["a", "b", "c", "d", "e"]
    before, after = rows_of(SHOP), rows_of(update.catalog)
    assert after["a"] == before["a"]
    assert after["c"] == before["c"]
    assert after["b"] == {**before["b"], "stock": 9}
    assert after["d"] == {"title": "Milk", "categories": None, "price": None, "stock": 1}
    assert after["e"] == {"title": "Ale", "categories": None, "price": None, "stock": None}
    assert update.catalog.table.schema == SHOP.table.schema


def test_null_and_missing_columns_change_nothing():
    update = with_rows(SHOP, pa.table({"item_id": ["a", "c"], "price": pa.array([None, 1], pa.int64())}))
    assert update.catalog.column("price").to_pylist() == [2.5, 3.0, 1.0]
    assert update.catalog.titles == SHOP.titles


def test_a_new_column_is_null_elsewhere():
    update = with_rows(SHOP, pa.table({"item_id": ["c"], "in_stock": [False], "nothing": pa.nulls(1)}))
    assert update.catalog.column("in_stock").to_pylist() == [None, None, False]
    assert "nothing" not in update.catalog.table.column_names


def test_no_rows_change_nothing():
    update = with_rows(SHOP, pa.table({"item_id": pa.array([], pa.string())}))
    assert update.catalog.table.equals(SHOP.table)
    assert update.ids == ()


def test_the_catalog_that_was_given_stays():
    with_rows(SHOP, pa.table({"item_id": ["a"], "price": [99.0]}))
    assert SHOP.column("price")[0].as_py() == 2.5


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ({"title": ["x"]}, "no column 'item_id'"),
        ({"item_id": ["d"]}, "new item 'd' has no title"),
        ({"item_id": ["d"], "title": pa.nulls(1, pa.string())}, "new item 'd' has no title"),
        ({"item_id": ["a", "a"]}, "'a' stands there more than once"),
        ({"item_id": ["a"], "price": ["cheap"]}, "item column 'price' does not fit its type double"),
        ({"item_id": ["a"], "stock": [1.5]}, "item column 'stock' does not fit its type int64"),
        ({"item_id": ["a"], "categories": ["Hot"]}, "item column 'categories' does not fit"),
    ],
)
def test_a_row_that_does_not_fit_is_named(rows, says):
    with pytest.raises(DataError, match=says):
        with_rows(SHOP, pa.table(rows))


def test_a_data_set_keeps_its_interactions_when_its_catalog_grows():
    dataset = toy_dataset(users=5, items=10, length=4)
    before, was = dataset.histories, dataset.users_of_items.shape
    rows = pa.table({"item_id": ["i3", "new"], "title": [None, "New"], "year": [1900, 2020]})
    made = dataset.with_catalog(with_rows(dataset.catalog, rows).catalog)
    assert made.num_items == 11
    assert made.histories is before
    assert was == (5, 10)
    assert made.users_of_items.shape == (5, 11)
    assert dataset.num_items == 10
    with pytest.raises(DataError, match="does not begin with the items"):
        made.with_catalog(dataset.catalog)
