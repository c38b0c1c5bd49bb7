"""Every format, from files as their makers write them to the data set folder."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import DataError

LOG = [("ann", "tea", 30), ("bob", "tea", 10), ("ann", "milk", 20), ("ann", "jam", 20)]
HISTORIES = {"ann": ["milk", "jam", "tea"], "bob": ["tea"]}  # milk and jam at one time: file order


def histories(folder):
    dataset = Dataset.load(folder)
    names = dataset.catalog.ids
    return {dataset.users[user]: [names[item] for item in dataset.histories[user]] for user in range(dataset.num_users)}


def write_log(folder, kind):
    header = ("user_id", "item_id", "timestamp")
    columns = dict(zip(header, map(list, zip(*LOG, strict=True)), strict=True))
    path = folder / f"log.{kind}"
    if kind in ("parquet", "pq"):
        pq.write_table(pa.table(columns), path)
    elif kind.startswith(("json", "ndjson")):
        text = "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in LOG)
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
    else:
        delimiter = "\t" if kind.startswith("tsv") else ","
        text = "".join(delimiter.join(map(str, row)) + "\n" for row in (header, *LOG))
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith("gz") else text.encode())
    return path


@pytest.mark.parametrize(
    "kind", ["csv", "csv.gz", "tsv", "tsv.gz", "jsonl", "jsonl.gz", "json", "ndjson", "parquet", "pq"]
)
def test_generic_files(tmp_path, kind):
    report = import_dataset(write_log(tmp_path, kind), tmp_path / "out")
    assert histories(tmp_path / "out") == HISTORIES
    assert report.description["ties_in_time"] == 1
    assert report.items_without_row == 3
    assert Dataset.load(tmp_path / "out").catalog.titles == ["jam", "milk", "tea"]


def test_columns_are_mapped_and_never_guessed(tmp_path):
    (tmp_path / "log.csv").write_text("customer,sku,when\nann,tea,5\n")
    with pytest.raises(DataError, match="no column 'user_id'; its columns are customer, sku, when") as caught:
        import_dataset(tmp_path / "log.csv", tmp_path / "out")
    assert caught.value.hint == "say which column it is: --map user_id=customer"
    with pytest.raises(DataError, match="no column 'item_id'") as caught:
        import_dataset(tmp_path / "log.csv", tmp_path / "out", map={"user_id": "customer"})
    assert caught.value.hint == "say which column it is: --map item_id=sku"
    mapping = {"user_id": "customer", "item_id": "sku", "timestamp": "when"}
    assert import_dataset(tmp_path / "log.csv", tmp_path / "out", map=mapping).description["time"] == "seconds"
    with pytest.raises(DataError, match="no column 'clock', to which timestamp is mapped"):
        import_dataset(tmp_path / "log.csv", tmp_path / "out", map={**mapping, "timestamp": "clock"})


def test_without_timestamps_file_order_is_time_order(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id\nb,3\na,1\nb,1\na,2\nb,2\n")
    report = import_dataset(tmp_path / "log.csv", tmp_path / "out")
    assert histories(tmp_path / "out") == {"b": ["3", "1", "2"], "a": ["1", "2"]}
    assert Dataset.load(tmp_path / "out").time == report.description["time"] == "order"


def test_events_and_ratings_come_along(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,rating,event\na,x,4.5,view\na,y,3,\n")
    import_dataset(tmp_path / "log.csv", tmp_path / "out")
    table = Dataset.load(tmp_path / "out").interactions.table
    assert table["rating"].to_pylist() == [4.5, 3.0]
    assert table["event"].to_pylist() == ["view", None]


def test_milliseconds_keep_the_order_that_seconds_would_lose(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\na,late,1500\na,early,1400\na,later,1500\n")
    import_dataset(tmp_path / "log.csv", tmp_path / "out", timestamp_unit="ms")
    assert histories(tmp_path / "out") == {"a": ["early", "late", "later"]}
    assert Dataset.load(tmp_path / "out").interactions.table["timestamp"].to_pylist() == [1, 1, 1]


def test_milliseconds_taken_for_seconds_are_pointed_out(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\na,x,1700000000000\n")
    with pytest.warns(UserWarning, match="timestamp_unit 'ms'"):
        import_dataset(tmp_path / "log.csv", tmp_path / "out")


def test_items_and_users(tmp_path):
    log = write_log(tmp_path, "csv")
    items = 'id,name,categories,year,zip\ntea,Tea,Drinks|Hot,1990,01234\npot,"Pot, big",,,99999\nmilk,,Drinks,2001,1\n'
    (tmp_path / "items.csv").write_text(items)
    (tmp_path / "users.tsv").write_text("user_id\tage\neve\t50\nann\t30\n")
    report = import_dataset(
        log, tmp_path / "out", items=tmp_path / "items.csv", users=tmp_path / "users.tsv",
        map_item={"item_id": "id", "title": "name"},
    )  # fmt: skip
    dataset = Dataset.load(tmp_path / "out")
    assert dataset.catalog.ids.ids == ["tea", "pot", "milk", "jam"], "the file's items, then those it lacks"
    assert dataset.catalog.titles == ["Tea", "Pot, big", "milk", "jam"]
    assert dataset.catalog.categories == [["Drinks", "Hot"], [], ["Drinks"], []]
    assert dataset.catalog.column("year").to_pylist() == [1990, None, 2001, None]
    assert dataset.catalog.column("zip").to_pylist() == ["01234", "99999", "1", None]
    assert dataset.user_attributes.to_pylist() == [{"user_id": "ann", "age": 30}, {"user_id": "bob", "age": None}]
    assert (report.items_without_row, report.items_without_title) == (1, 1)
    assert report.description["items_never_met"] == 1
    assert report.users.dropped == {"no interactions": 1}
    assert report.users.adds_up


def test_an_item_file_must_have_titles(tmp_path):
    (tmp_path / "items.csv").write_text("item_id,product_name\ntea,Tea\n")
    with pytest.raises(DataError, match="'title'") as caught:
        import_dataset(write_log(tmp_path, "csv"), tmp_path / "out", items=tmp_path / "items.csv")
    assert caught.value.hint == "say which column it is: --map-item title=product_name"
    with pytest.raises(DataError, match="--map-item is given"):
        import_dataset(write_log(tmp_path, "csv"), tmp_path / "out", map_item={"title": "name"})


def test_a_bad_row_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\na,x,1\na,y,soon\na,,2\n")
    with pytest.raises(DataError) as caught:
        import_dataset(tmp_path / "log.csv", tmp_path / "out")
    expected = "log.csv, line 3, column 'timestamp': 'soon' is not a timestamp in numbers (and 1 more bad rows)"
    assert caught.value.message == expected
    assert not (tmp_path / "out").exists()


def test_quarantine_names_every_bad_row_of_every_file(tmp_path):
    (tmp_path / "log.csv").write_text("uid,item_id,timestamp\na,x,1\na,y,soon\na,x\n")
    (tmp_path / "items.jsonl").write_text('{"item_id": "x", "title": "X"}\n{"item_id": "x", "title": "Y"}\noops\n')
    report = import_dataset(
        tmp_path / "log.csv", tmp_path / "out",
        items=tmp_path / "items.jsonl", map={"user_id": "uid"}, on_bad_rows="quarantine",
    )  # fmt: skip
    lines = (tmp_path / "out/quarantine.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["file"], row["line"], row["column"], row["value"]) for row in rows] == [
        ("log.csv", 3, "timestamp", "soon"),
        ("log.csv", 4, "", "a,x"),
        ("items.jsonl", 2, "item_id", "x"),
        ("items.jsonl", 3, "", "oops"),
    ]
    assert report.to_dict()["interactions"]["quarantined"] == 2
    assert Dataset.load(tmp_path / "out").catalog.titles == ["X"]


def test_nothing_left_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"no interactions left of 4 read \(0 bad, 4 k_core\)"):
        import_dataset(write_log(tmp_path, "csv"), tmp_path / "out", k_core=9)


def test_k_core_takes_items_out_of_the_catalog_but_not_new_ones(tmp_path):
    (tmp_path / "log.csv").write_text("user_id,item_id\na,x\na,y\nb,x\nb,y\nb,rare\n")
    (tmp_path / "items.csv").write_text("item_id,title\nx,X\ny,Y\nrare,Rare\nnew,New\n")
    report = import_dataset(tmp_path / "log.csv", tmp_path / "out", items=tmp_path / "items.csv", k_core=2)
    assert Dataset.load(tmp_path / "out").catalog.ids.ids == ["x", "y", "new"]
    assert report.items.dropped == {"k_core": 1}
    assert report.items.adds_up


def test_a_folder_that_is_no_data_set_is_refused_before_reading(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("...")
    with pytest.raises(DataError, match="not a data set folder"):
        import_dataset(tmp_path / "missing.csv", tmp_path / "out")


@pytest.mark.parametrize(
    ("name", "message"), [("missing.csv", "no such file"), ("log.xlsx", "cannot tell the format"), ("", "no MovieLens")]
)
def test_files_that_cannot_be_read(tmp_path, name, message):
    (tmp_path / "log.xlsx").write_bytes(b"PK")
    with pytest.raises(DataError, match=message):
        import_dataset(tmp_path / name, tmp_path / "out")


def test_not_parquet(tmp_path):
    (tmp_path / "log.parquet").write_bytes(b"user_id,item_id\n")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        import_dataset(tmp_path / "log.parquet", tmp_path / "out")
