"""Files as shops have them: dates in text, semicolons, blanks around ids, columns of no use."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import DataError

NAMES = {"user_id": "customer", "item_id": "sku"}
WITH_TIME = {**NAMES, "timestamp": "date"}


def test_dates_in_text_need_one_option_which_the_error_names(tmp_path: Path):
    orders = tmp_path / "orders.csv"
    orders.write_text("customer,sku,date\nK1,007,2024-01-31 18:05:00\nK1,008,2024-02-01T09:00:00Z\nK1,009,2024-02-02\n")
    with pytest.raises(DataError, match="line 2, column 'date'") as caught:
        import_dataset(orders, tmp_path / "shop", map=WITH_TIME)
    assert "add --timestamp-unit iso" in str(caught.value.hint)
    import_dataset(orders, tmp_path / "shop", map=WITH_TIME, timestamp_unit="iso")
    dataset = Dataset.load(tmp_path / "shop")
    assert dataset.interactions.table["timestamp"].to_pylist() == [1706724300, 1706778000, 1706832000]
    assert dataset.catalog.ids.ids == ["007", "008", "009"]


def test_a_date_that_is_not_iso_is_shown_one_that_is(tmp_path: Path):
    (tmp_path / "orders.csv").write_text("customer,sku,date\nK1,7,31.01.2024\n")
    with pytest.raises(DataError, match=r"'31\.01\.2024' is not an ISO 8601 date or time, such as 2024-01-31"):
        import_dataset(tmp_path / "orders.csv", tmp_path / "shop", map=WITH_TIME, timestamp_unit="iso")


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_semicolons_separate_where_the_first_line_has_no_comma(tmp_path: Path, ending: str):
    lines = ["\ufeffcustomer;sku;name", "K1;1;Gouda, jung", 'K1;2;"Tee; grün"', ""]
    (tmp_path / "orders.csv").write_bytes(ending.join(lines).encode())
    items = {"item_id": "sku", "title": "name"}
    import_dataset(tmp_path / "orders.csv", tmp_path / "shop", items=tmp_path / "orders.csv", map=NAMES, map_item=items)
    assert Dataset.load(tmp_path / "shop").catalog.titles == ["Gouda, jung", "Tee; grün"]


def test_a_semicolon_in_a_file_with_commas_stays(tmp_path: Path):
    (tmp_path / "orders.csv").write_text("user_id,item_id;x\n", encoding="utf-8")
    with pytest.raises(DataError, match="columns are user_id, item_id;x"):
        import_dataset(tmp_path / "orders.csv", tmp_path / "shop")


def test_blanks_around_ids_do_not_make_another_item(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "orders.csv").write_text("user_id,item_id\nK1, 007 \nK1 ,007\nK1,   \n")
    with caplog.at_level(logging.INFO, "genrec"):
        report = import_dataset(tmp_path / "orders.csv", tmp_path / "shop", on_bad_rows="skip")
    dataset = Dataset.load(tmp_path / "shop")
    assert (dataset.users.ids, dataset.catalog.ids.ids, report.interactions.bad) == (["K1"], ["007"], 1)
    assert "column 'item_id': blanks around 2 ids are left out" in caplog.text
    assert caplog.text.count("column 'item_id'") == 1


def test_columns_of_no_use_are_named_with_what_they_may_be(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / "orders.csv").write_text("customer,sku,date,quantity\nK1,1,2024-01-31,3\n")
    with caplog.at_level(logging.INFO, "genrec"):
        import_dataset(tmp_path / "orders.csv", tmp_path / "shop", map=NAMES)
    assert "columns not used: date, quantity; if they are of use: --map timestamp=date" in caplog.text


def test_a_spreadsheet_is_to_be_saved_as_csv(tmp_path: Path):
    (tmp_path / "orders.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError) as caught:
        import_dataset(tmp_path / "orders.xlsx", tmp_path / "shop")
    assert "save the sheet as CSV" in str(caught.value.hint)
