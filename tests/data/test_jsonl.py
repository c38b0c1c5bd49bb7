import gzip
import json

from hypothesis import given
from hypothesis import strategies as st

from genrec.data.readers.jsonl import read_jsonl

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text())
objects = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.one_of(scalars, st.lists(scalars), st.just({"k": 1})))
junk = st.one_of(
    st.sampled_from([b"{", b"[1]", b"7", b"null", b'{"a": "\\ud800"}', b"\xff\xfe", b"[" * 100_000, b'{"a": 1} x']),
    st.binary(max_size=12),
)


def read(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("jsonl") / "t.jsonl"
    path.write_bytes(b"".join(line.replace(b"\n", b" ") + b"\n" for line in lines))
    return read_jsonl(path, False)


@given(st.lists(st.one_of(objects.map(lambda row: json.dumps(row).encode()), junk), max_size=12))
def test_every_line_is_a_row_a_bad_row_or_blank(tmp_path_factory, lines):
    rows = read(tmp_path_factory, lines)
    blank = sum(not line.strip() for line in lines)
    good = len(rows.lines)
    assert good + len(rows.bad) == len(lines) - blank
    assert len(rows.table) in (good, 0), "a table of no columns has no rows"
    for row in rows.bad:
        assert row.reason
        row.value.encode()


def test_types_are_kept_and_absent_keys_are_null(tmp_path_factory):
    lines = [b'{"a": 1, "c": ["x", "y"]}', b"", b'{"a": 2, "b": "z"}']
    rows = read(tmp_path_factory, lines)
    expected = [{"a": 1, "c": ["x", "y"], "b": None}, {"a": 2, "c": None, "b": "z"}]
    assert rows.table.to_pylist() == expected
    assert rows.lines.tolist() == [1, 3]
    assert rows.columns == ("a", "c", "b")


def test_dates_stay_text(tmp_path_factory):
    assert read(tmp_path_factory, [b'{"a": "2001-01-01"}']).table["a"].to_pylist() == ["2001-01-01"]


def test_mixed_values_and_objects_become_text(tmp_path_factory):
    lines = [b'{"a": 1, "b": {"k": 1}}', b'{"a": "one", "b": null}', b'{"a": [2], "b": {"k": 99999999999999999999}}']
    rows = read(tmp_path_factory, lines)
    assert rows.table["a"].to_pylist() == ["1", "one", "[2]"]
    assert rows.table["b"].to_pylist() == ['{"k": 1}', None, '{"k": 99999999999999999999}']


def test_only_wanted_keys_are_kept_but_all_are_known(tmp_path):
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(b'\xef\xbb\xbf{"a": 1, "review": "long"}\n'))
    rows = read_jsonl(path, False, {"a"})
    assert rows.table.to_pylist() == [{"a": 1}]
    assert rows.columns == ("a", "review")


def test_bad_lines_say_what_is_wrong(tmp_path_factory):
    rows = read(tmp_path_factory, [b'{"a": 1}', b"{oops}", b"[1]"])
    assert [(row.line, row.value) for row in rows.bad] == [(2, "{oops}"), (3, "[1]")]
    assert "is not JSON" in rows.bad[0].reason
    assert rows.bad[1].reason == "is not a JSON object"
