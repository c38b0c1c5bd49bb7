"""Prices as shops write them: numbers where that is certain, else text and a warning with the way out."""

import logging

import pytest
from typer.testing import CliRunner

from genrec.cli.data import app
from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import FilterError
from genrec.recommend.filters import filter_mask


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "orders.csv").write_text("user_id,item_id\nann,1\nann,2\n")

    def make(prices):
        rows = "".join(f'{number},Item {number},"{price}",{number}\n' for number, price in enumerate(prices, 1))
        (tmp_path / "items.csv").write_text(f"item_id,title,price,stock\n{rows}", encoding="utf-8")
        import_dataset(tmp_path / "orders.csv", tmp_path / "out", items=tmp_path / "items.csv")
        return Dataset.load(tmp_path / "out").catalog

    return make


def test_prices_with_a_currency_sign_can_be_filtered_by(shop, caplog):
    with caplog.at_level(logging.INFO, "genrec"):
        catalog = shop(["€3.50", "€1,200.00"])
    assert filter_mask(catalog, ["price<5"]).tolist() == [True, False]
    assert caplog.messages == ["items.csv: column 'price': '€1,200.00' is read as the number 1200"]


def test_prices_that_stay_text_are_warned_of_and_the_filter_says_why(shop, caplog):
    with caplog.at_level(logging.WARNING, "genrec"):
        catalog = shop(["€1,200", "€3"])
    (warning,) = caplog.messages
    assert warning.startswith("items.csv: column 'price' stays text, which no filter compares by < or >: '€1,200' may")
    assert warning.endswith("write all as 1200.50, or leave them empty")
    with pytest.raises(FilterError, match="cannot be ordered by <") as caught:
        filter_mask(catalog, ["price<5"])
    assert caught.value.hint.startswith("values of price are text, such as '€1,200'; to order them, import them as num")


def test_the_report_lists_the_types_of_further_columns(shop, tmp_path):
    shop(["3,50", "4,00"])
    (tmp_path / "users.csv").write_text("user_id,city\nann,Graz\n")
    result = CliRunner().invoke(
        app,
        [
            *("import", str(tmp_path / "orders.csv"), "--out", str(tmp_path / "out")),
            *("--items", str(tmp_path / "items.csv"), "--users", str(tmp_path / "users.csv")),
        ],
    )
    assert "item_id, title, price (number), stock (whole number)" in result.stdout
    assert "user_id, city (text)" in result.stdout


def test_a_file_that_says_what_its_columns_hold_is_believed(tmp_path, caplog):
    (tmp_path / "shop.inter").write_text("user_id:token\titem_id:token\nann\t1\nann\t2\n")
    rows = "1\tA\t€3.50\n2\tB\t€4.50\n"
    (tmp_path / "shop.item").write_text(f"item_id:token\ttitle:token_seq\tlabel:token\n{rows}", encoding="utf-8")
    with caplog.at_level(logging.INFO, "genrec"):
        import_dataset(tmp_path / "shop.inter", tmp_path / "out", items=tmp_path / "shop.item")
    assert Dataset.load(tmp_path / "out").catalog.table["label"].to_pylist() == ["€3.50", "€4.50"]
    assert not any("label" in message for message in caplog.messages)
