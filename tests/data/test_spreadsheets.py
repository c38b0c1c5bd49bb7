"""CSV files as spreadsheets save them: other separators, a line that names it, columns without a name."""

import gzip
import json

import pytest

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import DataError


@pytest.mark.parametrize(
    "text",
    [
        "sep=;\nuser_id;item_id;note\nann;tea;a, b\n",
        '\ufeff"sep=;"\r\nuser_id;item_id;note\r\nann;tea;a, b\r\n',
        'sep=,\nuser_id,item_id,note\nann,tea,"a, b"\n',
        "sep=|\nuser_id|item_id|note\nann|tea|a, b\n",
        "sep=\t\nuser_id\titem_id\tnote\nann\ttea\ta, b\n",
        'user_id;item_id;"note, long"\nann;tea;a, b\n',
        "user_id\titem_id\tnote\nann\ttea\ta, b\n",
        "user_id\titem_id\tnote, long\nann\ttea\ta, b\n",
        'user_id,item_id,note,,\nann,tea,"a, b",,\n',
        'user_id,item_id,note, \nann,tea,"a, b",\n',
    ],
)
@pytest.mark.parametrize("fault", [False, True])
def test_every_way_to_save_a_sheet_is_read(tmp_path, text, fault):
    path = tmp_path / "orders.csv.gz"
    lines = len(text.splitlines())
    path.write_bytes(gzip.compress((text + "odd\n" * fault).encode()))
    report = import_dataset(path, tmp_path / "out", items=path, map_item={"title": "item_id"}, on_bad_rows="quarantine")
    table = Dataset.load(tmp_path / "out").catalog.table
    assert table["item_id"].to_pylist() == ["tea"]
    (note,) = (name for name in table.column_names if name.startswith("note"))
    assert (table[note].to_pylist(), len(table.column_names)) == (["a, b"], 4)
    assert report.interactions.bad == fault
    if fault:
        row = json.loads((tmp_path / "out/quarantine.jsonl").read_text().splitlines()[0])
        assert (row["line"], row["row"]) == (lines + 1, "odd")


def test_a_column_without_a_name_is_kept_if_there_is_something_in_it(tmp_path):
    (tmp_path / "orders.csv").write_text("user_id,item_id\nann,tea\n")
    (tmp_path / "items.csv").write_text(",item_id,title,\n0,tea,Tea,\n")
    import_dataset(tmp_path / "orders.csv", tmp_path / "out", items=tmp_path / "items.csv")
    table = Dataset.load(tmp_path / "out").catalog.table
    assert table.to_pylist() == [{"item_id": "tea", "title": "Tea", "unnamed column 1": 0}]


@pytest.mark.parametrize(
    ("name", "text", "hint"),
    [
        ("o.csv", "user_id;item_id;price, EUR\n", "if its fields are separated by ';', let sep=; be the first line"),
        ("o.csv", "user_id|item_id\n", "if its fields are separated by '|', let sep=| be the first line"),
        ("o.csv", "user_id\titem_id,a,b\n", "if tabs separate its fields: --format tsv"),
        ("o.tsv", "user_id,item_id\n", "if commas separate its fields: --format csv"),
        ("o.csv", "customer,item_id\n", "say which column it is: --map user_id=customer"),
    ],
)
def test_fields_that_were_not_told_apart_are_hinted_at(tmp_path, name, text, hint):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match="no column") as caught:
        import_dataset(tmp_path / name, tmp_path / "out")
    assert caught.value.hint.startswith(hint)


def test_a_quote_that_the_header_does_not_close(tmp_path):
    (tmp_path / "orders.csv").write_text('user_id,"item_id\nann,tea\n')
    with pytest.raises(DataError, match="line 1: the header opens a quote that is never closed") as caught:
        import_dataset(tmp_path / "orders.csv", tmp_path / "out")
    assert caught.value.hint == "close it"
