"""Dates as spreadsheets and shop systems write them."""

import warnings
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from genrec.cli.data import app
from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import ConfigError, DataError


@pytest.fixture
def orders(tmp_path):
    def make(*dates):
        path = tmp_path / "orders.csv"
        rows = "".join(f'ann,i{number},"{date}"\n' for number, date in enumerate(dates))
        path.write_text(f"user_id,item_id,timestamp\n{rows}")
        return path

    return make


def moments(folder):
    seconds = Dataset.load(folder).interactions.table["timestamp"].to_pylist()
    return [datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S") for value in seconds]


@pytest.mark.parametrize(
    ("date", "option", "expected"),
    [
        ("31/01/2024", "--timestamp-format '%d/%m/%Y'", "2024-01-31 00:00:00"),
        ("01/31/2024 6:05 PM", "--timestamp-format '%m/%d/%Y %I:%M %p'", "2024-01-31 18:05:00"),
        ("31.01.2024 18:05", "--timestamp-format '%d.%m.%Y %H:%M'", "2024-01-31 18:05:00"),
        ("2024/01/31 18:05:09", "--timestamp-format '%Y/%m/%d %H:%M:%S'", "2024-01-31 18:05:09"),
        ("31.01.24, 18:05", "--timestamp-format '%d.%m.%y, %H:%M'", "2024-01-31 18:05:00"),
        ("31 Jan 2024", "--timestamp-format '%d %b %Y'", "2024-01-31 00:00:00"),
        ("2024-01-31 18:05", "--timestamp-unit iso", "2024-01-31 18:05:00"),
    ],
)
def test_the_error_names_the_option_that_reads_a_date(orders, tmp_path, date, option, expected):
    with pytest.raises(DataError, match="line 2, column 'timestamp'") as caught:
        import_dataset(orders(date), tmp_path / "out")
    assert caught.value.hint.startswith(f"if these are dates in text, add {option}; otherwise correct it")
    name, value = option.split(" ", 1)
    arguments = ["import", str(orders(date)), "--out", str(tmp_path / "out"), name, value.strip("'")]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    assert moments(tmp_path / "out") == [expected]


def test_both_orders_of_day_and_month_are_named(orders, tmp_path):
    with pytest.raises(DataError) as caught:
        import_dataset(orders("01/03/2024"), tmp_path / "out", timestamp_unit="iso")
    assert "add --timestamp-format '%d/%m/%Y' or --timestamp-format '%m/%d/%Y'; otherwise" in caught.value.hint


def test_dates_that_do_not_keep_to_the_format_are_bad_rows(orders, tmp_path):
    path = orders("29/02/2024", "30/02/2024", " 01/03/2024 ", "2024-03-01", "01/03/2024 10:00", "")
    report = import_dataset(path, tmp_path / "out", timestamp_format="%d/%m/%Y", on_bad_rows="skip")
    assert moments(tmp_path / "out") == ["2024-02-29 00:00:00", "2024-03-01 00:00:00"]
    assert report.bad_rows[0] == (
        "orders.csv, line 3, column 'timestamp': '30/02/2024' is not a date of the format '%d/%m/%Y', "
        "such as 31/01/2024"
    )
    assert report.interactions.bad == 4


def test_zones_and_fractions_of_a_second_count(orders, tmp_path):
    path = orders("31/01/2024 10:00:00.75 +0200", "31/01/2024 08:00:00.25 +0000")
    import_dataset(path, tmp_path / "out", timestamp_format="%d/%m/%Y %H:%M:%S.%f %z")
    dataset = Dataset.load(tmp_path / "out")
    assert moments(tmp_path / "out") == ["2024-01-31 08:00:00"] * 2
    assert [dataset.catalog.ids[item] for item in dataset.histories[0]] == ["i1", "i0"]


def test_whole_numbers_can_be_dates(tmp_path):
    pq.write_table(
        pa.table({"user_id": ["a"], "item_id": ["x"], "timestamp": [20240131]}), tmp_path / "orders.parquet"
    )  # fmt: skip
    import_dataset(tmp_path / "orders.parquet", tmp_path / "out", timestamp_format="%Y%m%d")
    assert moments(tmp_path / "out") == ["2024-01-31 00:00:00"]


@pytest.mark.parametrize("format", ["%d/%m", "%H:%M", "dd/mm/yyyy", "%d/%m/%Q", ""])
def test_a_format_without_a_date_is_refused(orders, tmp_path, format):
    with pytest.raises(ConfigError, match="--timestamp-format") as caught:
        import_dataset(orders("31/01"), tmp_path / "out", timestamp_format=format)
    assert "for example '%d/%m/%Y'" in caught.value.hint


@pytest.mark.parametrize(
    ("dates", "warning"),
    [
        (("20240301", "20231224"), "such as 20231224, are taken for seconds .*: they look like dates, so .* iso"),
        (("45352.5", "45300"), r"such as 45300, .* days of a spreadsheet, .* \(here 2024-01-09\) .* iso"),
        (("500000", "900000"), "such as 500000, .* say what they are with --timestamp-unit"),
    ],
)
def test_dates_in_disguise_are_pointed_out(orders, tmp_path, dates, warning):
    with pytest.warns(UserWarning, match=warning):
        import_dataset(orders(*dates), tmp_path / "out")


@pytest.mark.parametrize("dates", [("1", "2", "500000"), ("1709251200", "20240301"), ("-5", "3"), ("0", "0")])
def test_true_seconds_and_counters_pass_without_a_word(orders, tmp_path, dates):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        import_dataset(orders(*dates), tmp_path / "out")
