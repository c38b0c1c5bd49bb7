"""Which names a mapping may give, and what becomes of columns whose name it takes."""

import logging

import pytest

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import ConfigError


@pytest.fixture
def orders(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("user_id,item_id,date\nann,tea,2024-01-31\n")
    return path


@pytest.mark.parametrize("name", ["timestamps", "timestmap", "Timestamp"])
def test_a_misspelt_name_is_refused_with_the_one_that_was_meant(orders, tmp_path, name):
    with pytest.raises(ConfigError, match=f"--map {name}=date: there is no column '{name}'") as caught:
        import_dataset(orders, tmp_path / "out", map={name: "date"})
    expected = "did you mean --map timestamp=date? names are user_id, item_id, timestamp, rating, event"
    assert caught.value.hint.startswith(expected)
    assert not (tmp_path / "out").exists()


def test_names_the_wrong_way_round_are_turned_in_the_hint(orders, tmp_path):
    (tmp_path / "items.csv").write_text("item_id,name\ntea,Tea\n")
    with pytest.raises(ConfigError) as caught:
        import_dataset(orders, tmp_path / "out", items=tmp_path / "items.csv", map_item={"name": "title"})
    assert caught.value.hint.startswith(
        "did you mean --map-item title=name? names are item_id, title, text, categories"
    )
    with pytest.raises(ConfigError, match="--map-user age=years") as caught:
        import_dataset(orders, tmp_path / "out", users=orders, map_user={"age": "years"})
    assert caught.value.hint.startswith("names are user_id; all other columns keep their own")


def test_a_column_that_gives_way_to_a_mapped_one_is_named(orders, tmp_path, caplog):
    (tmp_path / "items.csv").write_text("item_id,title,categories,category,text\ntea,Tea,Old|Hot,Drinks,green\n")
    with caplog.at_level(logging.WARNING, "genrec"):
        import_dataset(
            orders, tmp_path / "out", items=tmp_path / "items.csv", map_item={"categories": "category", "text": "title"}
        )  # fmt: skip
    assert caplog.messages == [
        "items.csv: column 'categories' is left out, since --map-item categories=category takes its place; "
        "rename it to keep it",
        "items.csv: column 'text' is left out, since --map-item text=title takes its place; rename it to keep it",
    ]
    assert Dataset.load(tmp_path / "out").catalog.categories == [["Drinks"]]
