"""What is put aside is put aside whole: mended, it can be imported."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset


def put_aside(folder):
    return [json.loads(line) for line in (folder / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()]


def test_rows_behind_an_unclosed_quote_can_be_mended_and_imported(tmp_path):
    header, first = "user_id,item_id,note\n", "ann,tea,fine\n"
    rest = 'ann,"milk,late\n' + "".join(f"u{number},i{number},Käse {number}\n" for number in range(100))
    orders = tmp_path / "orders.csv"
    orders.write_text(header + first + rest, encoding="utf-8")
    report = import_dataset(orders, tmp_path / "out", on_bad_rows="quarantine")
    (row,) = put_aside(tmp_path / "out")
    assert (row["line"], report.interactions.bad) == (3, 1)
    assert row["reason"] == "opens a quote that is never closed, and takes the 100 lines below with it"
    assert row["row"] == rest.rstrip("\n")
    orders.write_text(header + first + row["row"].replace('"milk', "milk"), encoding="utf-8")
    assert import_dataset(orders, tmp_path / "mended").interactions.kept == 102


def test_a_row_with_a_bad_field_is_kept_whole(tmp_path):
    (tmp_path / "orders.csv").write_text("user_id,item_id,timestamp\nann,007,1\nann,007,soon\n")
    (tmp_path / "items.csv").write_text('item_id,title\n007,Tea\n\n007,"Coffee, ""black"",\nhot"\n008,Mate\n')
    import_dataset(
        tmp_path / "orders.csv", tmp_path / "out", items=tmp_path / "items.csv", on_bad_rows="quarantine"
    )  # fmt: skip
    assert [(row["file"], row["line"], row["value"], row["row"]) for row in put_aside(tmp_path / "out")] == [
        ("orders.csv", 3, "soon", "ann,007,soon"),
        ("items.csv", 4, "007", '007,"Coffee, ""black"",\nhot"'),
    ]


def test_long_rows_are_not_cut(tmp_path):
    long = "x" * 5_000
    (tmp_path / "orders.jsonl").write_text(
        f'{{"user_id": "a", "item_id": "x"}}\n{{"user_id": "a", "item_id": "", "note": "{long}"}}\n{{"n": "{long}\n'
    )
    import_dataset(tmp_path / "orders.jsonl", tmp_path / "out", on_bad_rows="quarantine")
    assert [row["row"] for row in put_aside(tmp_path / "out")] == [
        f'{{"user_id": "a", "item_id": "", "note": "{long}"}}',
        f'{{"n": "{long}',
    ]


def test_keys_of_reviews_that_are_not_imported_are_kept_with_a_bad_row(tmp_path):
    review = {"reviewerID": "A1", "asin": "B00", "overall": 5.0, "unixReviewTime": 1400000000, "reviewText": "long"}
    reviews = [json.dumps(row) for row in (review, {**review, "overall": "five"})]
    (tmp_path / "reviews.json.gz").write_bytes(gzip.compress("\n".join(reviews).encode()))
    import_dataset(tmp_path / "reviews.json.gz", tmp_path / "out", on_bad_rows="quarantine")
    assert [row["row"] for row in put_aside(tmp_path / "out")] == [reviews[1]]


def test_bytes_in_another_encoding_can_be_read(tmp_path):
    (tmp_path / "orders.csv").write_bytes("user_id,item_id\nann,tea\nann,café\n".encode("latin-1"))
    import_dataset(tmp_path / "orders.csv", tmp_path / "out", on_bad_rows="quarantine")
    (row,) = put_aside(tmp_path / "out")
    assert (row["row"], row["reason"]) == ("ann,café", "is not valid utf-8")


def test_rows_of_parquet_files_are_kept_as_json(tmp_path):
    table = pa.table({"user_id": ["ann", "bob"], "item_id": ["tea", ""], "note": ["ok", "late"]})
    pq.write_table(table, tmp_path / "orders.parquet")
    import_dataset(tmp_path / "orders.parquet", tmp_path / "out", on_bad_rows="quarantine")
    (row,) = put_aside(tmp_path / "out")
    assert json.loads(row["row"]) == {"user_id": "bob", "item_id": "", "note": "late"}
    assert Dataset.load(tmp_path / "out").users.ids == ["ann"]
