"""Prices as shops write them: numbers where that is certain, else text and a warning with the way out."""

import logging

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from genrec.cli.data import app
from genrec.data.amounts import read_amounts
from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import FilterError
from genrec.recommend.filters import filter_mask

amounts = st.lists(st.decimals(-(10**7), 10**7, places=2, allow_nan=False), min_size=1, max_size=9)
WRITTEN = {
    "$1,200.50": lambda value: f"${value:,.2f}".replace("$-", "-$"),
    "1.200,50 €": lambda value: f"{value:,.2f} €".translate(str.maketrans(".,", ",.")),
    "EUR 1200.50": lambda value: f"EUR {value:.2f}",
    "1200,50": lambda value: f"{value:.2f}".replace(".", ","),
    "CHF 1'200.50": lambda value: f"CHF {value:,.2f}".replace(",", "'"),
    "1 200,50 zł": lambda value: f"{value:,.2f} zł".replace(",", "\xa0").replace(".", ","),
}


@given(amounts, st.sampled_from(sorted(WRITTEN)))
def test_amounts_come_back_from_every_way_to_write_them(values, way):
    column = pa.chunked_array([[*(WRITTEN[way](value) for value in values), None]])
    numbers = read_amounts(column).numbers
    np.testing.assert_allclose(numbers.to_numpy()[:-1], np.array(values, dtype=float))
    assert numbers.to_pylist()[-1] is None


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        (["€1,200", "€950"], "'€1,200' may be 1200 or 1.2"),
        (["€3.50", "$4.00"], "its amounts are in more than one currency, '$' and '€'"),
        (["3.50", "4.20", "n/a"], "'n/a' is not a number as 2 of its 3 values are, such as '3.50'"),
        (["3.50", "4.20", "5,10"], "'5,10' is not a number as 2 of its 3 values are, such as '3.50'"),
        (["S", "M", "38", "40"], ""),
        (["555 123 456", "444 555 666"], ""),
        (["007", "12", "A1"], ""),
        (["1.2.3", "4.5.6"], ""),
        (["2024-01-31", "10:30"], ""),
    ],
)
def test_what_stays_text(values, doubt):
    found = read_amounts(pa.chunked_array([values]))
    assert (found.numbers, found.doubt) == (None, doubt)


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
