"""Text in the encodings that spreadsheets write: every value arrives, and what cannot be read is named."""

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.importer import import_dataset
from genrec.data.readers.delimited import read_delimited
from genrec.data.readers.dialect import Dialect
from genrec.errors import ConfigError, DataError

LATIN = st.text(st.sampled_from("aä ßé€,;\"'\t\n"), max_size=8)
WIDE = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff", exclude_categories=("Cs",)), max_size=8)


def written(path, rows, encoding, delimiter=","):
    def quoted(value):
        doubled = value.replace('"', '""')
        return f'"{doubled}"'

    lines = (delimiter.join(map(quoted, row)) for row in [("item_id", "title"), *rows])
    text = "".join(f"{line}\n" for line in lines)
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("encodings")


@given(
    st.lists(st.tuples(LATIN, LATIN), min_size=1, max_size=4), st.sampled_from(["cp1252", "iso8859-15"]), st.booleans()
)
def test_one_byte_encodings_arrive(folder, rows, encoding, careful):
    read = read_delimited(written(folder / "a.csv", rows, encoding), careful, Dialect(encoding=encoding, told=True))
    assert [tuple(row.values()) for row in read.table.to_pylist()] == rows
    assert not read.bad


@given(st.lists(st.tuples(WIDE, WIDE), min_size=1, max_size=4), st.sampled_from(["\t", ";", ","]), st.booleans())
def test_utf_16_is_told_by_its_mark(folder, rows, delimiter, careful):
    path = written(folder / "b.csv", rows, "utf-16", delimiter)
    read = read_delimited(path, careful, Dialect(told=True))
    assert [tuple(row.values()) for row in read.table.to_pylist()] == rows


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
@pytest.mark.parametrize("first", ["", "sep=;\r\n"])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_spreadsheets_unicode_text(tmp_path, mark, first, ending):
    text = f"{first}user_id;item_id;timestamp\r\nJürgen;Käse;1\r\nZoë;寿司;2\r\n"
    raw = mark + text.encode("utf-16-le" if mark == b"\xff\xfe" else "utf-16-be")
    path = tmp_path / f"orders{ending}"
    path.write_bytes(gzip.compress(raw) if ending.endswith("gz") else raw)
    import_dataset(path, tmp_path / "out")
    from genrec.data.dataset import Dataset

    dataset = Dataset.load(tmp_path / "out")
    assert (dataset.users.ids, dataset.catalog.ids.ids) == (["Jürgen", "Zoë"], ["Käse", "寿司"])


def test_the_files_of_one_set_share_an_encoding_and_json_has_its_own(tmp_path):
    (tmp_path / "orders.csv").write_bytes("user_id,item_id\nJürgen,Käse\n".encode("cp1252"))
    (tmp_path / "people.tsv").write_bytes("user_id\tstadt\nJürgen\tKöln\n".encode("cp1252"))
    (tmp_path / "goods.jsonl").write_text(
        json.dumps({"item_id": "Käse", "title": "Ein Käse"}, ensure_ascii=False), "utf-8"
    )
    files = {"items": tmp_path / "goods.jsonl", "users": tmp_path / "people.tsv"}
    import_dataset(tmp_path / "orders.csv", tmp_path / "out", **files, encoding="cp1252")
    from genrec.data.dataset import Dataset

    dataset = Dataset.load(tmp_path / "out")
    assert (dataset.users.ids, dataset.catalog.titles) == (["Jürgen"], ["Ein Käse"])
    assert dataset.user_attributes["stadt"].to_pylist() == ["Köln"]


def test_errors_say_the_way_out(tmp_path):
    orders = tmp_path / "orders.csv"
    orders.write_bytes("user_id,item_id\nann,tea\nJürgen,Käse\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"orders\.csv, line 3: .* is not valid utf-8") as wrong:
        import_dataset(orders, tmp_path / "out")
    assert "if the whole file is written so, say --encoding" in wrong.value.hint
    (tmp_path / "head.csv").write_bytes("user_id,item_id,Größe\nann,tea,1\n".encode("cp1252"))
    with pytest.raises(DataError, match="the header is not valid utf-8") as wrong:
        import_dataset(tmp_path / "head.csv", tmp_path / "out")
    assert "--encoding" in wrong.value.hint
    for name in ("klingon", "base64"):
        with pytest.raises(ConfigError, match=f"there is no encoding '{name}'"):
            import_dataset(orders, tmp_path / "out", encoding=name)
    (tmp_path / "orders.jsonl").write_text('{"user_id": "ann", "item_id": "tea"}\n')
    with pytest.raises(ConfigError, match="none of the files is CSV or TSV"):
        import_dataset(tmp_path / "orders.jsonl", tmp_path / "out", encoding="cp1252")
    (tmp_path / "half.csv").write_bytes("user_id,item_id\nann,tea\n".encode("utf-16")[:-1])
    with pytest.raises(DataError, match=r"half\.csv is not valid utf-16"):
        import_dataset(tmp_path / "half.csv", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_an_encoding_cannot_read_is_quarantined_as_it_stands(tmp_path):
    (tmp_path / "orders.csv").write_bytes(b"user_id,item_id\nann,tea\nbob,\x81\n")
    report = import_dataset(tmp_path / "orders.csv", tmp_path / "out", encoding="cp1252", on_bad_rows="quarantine")
    assert report.interactions.kept == 1
    [row] = map(json.loads, (tmp_path / "out" / "quarantine.jsonl").read_text("utf-8").splitlines())
    assert (row["line"], row["row"], row["reason"]) == (3, "bob,\x81", "is not valid cp1252")
