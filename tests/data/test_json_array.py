"""A JSON file that is one array of objects, in one line or many, and what is refused."""

import json

import pytest

from genrec.data.dataset import Dataset
from genrec.data.importer import import_dataset
from genrec.errors import DataError

ORDERS = [
    {"user_id": "ann", "item_id": "tea", "timestamp": 30, "note": "with [brackets], {braces} and ünïcode"},
    {"user_id": "ann", "item_id": "milk", "timestamp": 20, "lines": [{"qty": 1}]},
    {"user_id": "bob", "item_id": "tea", "timestamp": 10},
]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_an_array_is_read_as_its_objects(tmp_path, indent, encoding):
    path = tmp_path / "orders.json"
    path.write_text(json.dumps(ORDERS, indent=indent, ensure_ascii=False) + "\n", encoding=encoding)
    report = import_dataset(path, tmp_path / "out", items=path, map_item={"title": "item_id"}, on_bad_rows="skip")
    dataset = Dataset.load(tmp_path / "out")
    assert report.interactions.kept == 3
    assert [dataset.catalog.titles[item] for item in dataset.histories[0]] == ["milk", "tea"]
    assert dataset.catalog.column("note").to_pylist()[0] == ORDERS[0]["note"]


def test_bad_objects_are_named_by_their_number_and_kept_whole(tmp_path):
    long = {"user_id": "eve", "item_id": "", "note": "x" * 300}
    (tmp_path / "orders.json").write_text(json.dumps([*ORDERS, long, 7, {"user_id": "\ud800"}]))
    report = import_dataset(tmp_path / "orders.json", tmp_path / "out", on_bad_rows="quarantine")
    assert report.bad_rows == (
        "orders.json, object 4, column 'item_id': '' is not an id (empty)",
        "orders.json, object 5: '7' is not a JSON object",
        'orders.json, object 6: \'{"user_id": "\\\\ud800"}\' holds half of a surrogate pair',
    )
    rows = [json.loads(line)["row"] for line in (tmp_path / "out/quarantine.jsonl").read_text().splitlines()]
    assert rows == [json.dumps(long), "7", '{"user_id": "\\ud800"}']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[\n{"user_id": "a", "item_id": "x"},\n{"user_id": "a" "item_id": "x"}]', "line 3: .* is not JSON"),
        ('[{"user_id": "a", "item_id": "x"}\n{"user_id": "a"}]', "line 2: .* without a comma"),
        ('[{"user_id": "a", "item_id": "x"},\n', "line 2: '' is not JSON"),
        ('[{"user_id": "a", "item_id": "x"}]\n{"user_id": "a"}', "line 2: .* behind the end of the array"),
        ("[" + '{"a":' * 100_000, "line 1: .* is nested too deeply"),
        ('{\n "orders": []\n}\n', "line 1: '{' is not JSON"),
        ("[1, 2]", r"line 1: '\[1, 2\]' is not a JSON object"),
        ("[]", "orders.json is empty"),
        ("", "orders.json is empty"),
        ("\n\n", "orders.json is empty"),
    ],
)
def test_what_holds_no_objects_is_refused_with_what_was_expected(tmp_path, text, message):
    (tmp_path / "orders.json").write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        import_dataset(tmp_path / "orders.json", tmp_path / "out")
    assert caught.value.hint == "a JSON file holds one object a line, or one array of objects"


def test_an_array_in_another_encoding(tmp_path):
    (tmp_path / "orders.json").write_bytes('[\n{"user_id": "a", "item_id": "café"}]'.encode("latin-1"))
    with pytest.raises(DataError, match=r"orders\.json, line 2: is not valid utf-8"):
        import_dataset(tmp_path / "orders.json", tmp_path / "out")
