"""The fast and the careful way through a delimited file give the same rows; only the careful one names lines."""

import csv
import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.readers.delimited import read_delimited
from genrec.data.readers.dialect import Dialect
from genrec.errors import DataError

CSV, TSV = Dialect(","), Dialect("\t")
BARE = Dialect("::", quoted=False)

field = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)
tables = st.lists(st.tuples(field, field, field), min_size=1, max_size=12)


def write(path, text, encoding="utf-8"):
    path.write_bytes(text.encode(encoding) if isinstance(text, str) else text)
    return path


@given(tables, st.sampled_from([",", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_both_ways_read_what_the_csv_module_wrote(tmp_path_factory, rows, delimiter, end):
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter, lineterminator=end).writerows([("a", "b", "c"), *rows])
    fast, careful = (read_delimited(path, careful, Dialect(delimiter)) for careful in (False, True))
    expected = [dict(zip("abc", row, strict=True)) for row in rows]
    assert careful.table.to_pylist() == expected
    assert fast.table.to_pylist() == expected
    assert careful.lines.tolist() == list(range(2, len(rows) + 2))


def test_a_clean_file_takes_the_fast_way(tmp_path):
    rows = read_delimited(write(tmp_path / "t.csv", "a,b\n1,2\n\n3,4\n"), False, CSV)
    assert rows.lines is None
    assert rows.table.to_pylist() == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_lines_count_quoted_newlines_and_blank_lines(tmp_path):
    path = write(tmp_path / "t.csv", 'a,b\n"one\ntwo",2\n\n3,4\n5\n')
    rows = read_delimited(path, False, CSV)
    assert rows.table.to_pylist() == [{"a": "one\ntwo", "b": "2"}, {"a": "3", "b": "4"}]
    assert rows.lines.tolist() == [2, 5]
    assert [str(row) for row in rows.bad] == ["t.csv, line 6: '5' has 1 fields, not 2"]


def test_an_unclosed_quote_is_named_where_it_opens(tmp_path):
    rows = read_delimited(write(tmp_path / "t.csv", 'a,b\n1,2\n3,"four\n5,6\n7,8\n'), False, CSV)
    assert rows.table.to_pylist() == [{"a": "1", "b": "2"}]
    assert (rows.bad[0].line, rows.bad[0].reason) == (
        3,
        "opens a quote that is never closed, and takes the 2 lines below with it",
    )


def test_bytes_that_are_not_utf8_spoil_their_row_only(tmp_path):
    rows = read_delimited(write(tmp_path / "t.csv", b"a,b\n1,caf\xe9\n2,tea\n"), False, CSV)
    assert rows.table.to_pylist() == [{"a": "2", "b": "tea"}]
    assert (rows.bad[0].line, rows.bad[0].value) == (2, "1,caf\\udce9")


@pytest.mark.parametrize("careful", [False, True])
def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path, careful):
    path = write(tmp_path / "t.csv", "a,b\n1,2\n", "utf-8-sig")
    assert read_delimited(path, careful, CSV).table.column_names == ["a", "b"]


@pytest.mark.parametrize("careful", [False, True])
def test_gzip_and_long_delimiters(tmp_path, careful):
    path = tmp_path / "movies.dat.gz"
    path.write_bytes(gzip.compress("1::Léon: The Professional::Crime\n".encode("latin-1")))
    rows = read_delimited(path, careful, Dialect("::", quoted=False, encoding="latin-1", header=("id", "title", "g")))
    assert rows.table.to_pylist() == [{"id": "1", "title": "Léon: The Professional", "g": "Crime"}]


@pytest.mark.parametrize("careful", [False, True])
def test_quotes_are_plain_characters_where_fields_are_not_quoted(tmp_path, careful):
    path = write(tmp_path / "t.dat", 'a::b\n1::"Crocodile" Dundee\n')
    assert read_delimited(path, careful, BARE).table.to_pylist() == [{"a": "1", "b": '"Crocodile" Dundee'}]


@pytest.mark.parametrize("careful", [False, True])
def test_values_stay_text(tmp_path, careful):
    path = write(tmp_path / "t.tsv", "a\tb\n007\tNA\n1e3\ttrue\n\t\n")
    expected = [{"a": "007", "b": "NA"}, {"a": "1e3", "b": "true"}, {"a": "", "b": ""}]
    assert read_delimited(path, careful, TSV).table.to_pylist() == expected


@pytest.mark.parametrize(("content", "message"), [("", "is empty"), ("a,b,a\n1,2,3\n", "more than one column 'a'")])
def test_headers_that_name_nothing(tmp_path, content, message):
    with pytest.raises(DataError, match=message):
        read_delimited(write(tmp_path / "t.csv", content), False, CSV)


def test_a_header_alone_is_an_empty_table(tmp_path):
    for careful in (False, True):
        rows = read_delimited(write(tmp_path / "t.csv", "a,b\n"), careful, CSV)
        assert (rows.table.column_names, len(rows.table)) == (["a", "b"], 0)


def test_damaged_gzip(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + bytes(range(256)) * 100)[:-60])
    with pytest.raises(DataError, match="cannot be read"):
        read_delimited(path, False, CSV)
    with pytest.raises(DataError, match="no such file"):
        read_delimited(tmp_path / "other.csv", False, CSV)


def test_many_rows_go_through_in_chunks(tmp_path):
    count = 250_001
    path = write(tmp_path / "t.csv", "a,b\n" + "".join(f"{i},x\n" for i in range(count)) + "bad\n")
    rows = read_delimited(path, False, CSV)
    assert rows.table["a"].to_pylist() == [str(i) for i in range(count)]
    assert rows.bad[0].line == count + 2
