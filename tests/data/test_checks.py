from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.checks import Checks, infer_type, text_lists
from genrec.data.readers.rows import Rows
from genrec.errors import DataError


def checks(values, type=None):
    table = pa.table({"c": pa.array(values, type)})
    return Checks(Rows(Path("t.csv"), table, np.arange(2, len(table) + 2), (), ("c",)))


def faults(checked):
    return [(row.line, row.column, row.value, row.reason) for row in checked.bad]


def test_ids_must_not_be_empty():
    checked = checks(["a", "", None, "0"])
    assert checked.ids("c").to_pylist() == ["a", "", None, "0"]
    assert faults(checked) == [(3, "c", "", "is not an id (empty)"), (4, "c", "", "is not an id (empty)")]
    assert checked.good.tolist() == [True, False, False, True]


def test_whole_numbers_are_ids_and_fractions_are_not():
    assert checks([7, 42]).ids("c").to_pylist() == ["7", "42"]
    with pytest.raises(DataError, match="double values, which cannot be ids"):
        checks([1.0, None]).ids("c")


def test_dictionary_and_large_strings_are_ids():
    assert checks(["a", "b"], pa.large_string()).ids("c").to_pylist() == ["a", "b"]
    assert checks(pa.array(["a", "b"]).dictionary_encode()).ids("c").to_pylist() == ["a", "b"]


def test_the_second_row_of_an_id_is_bad():
    checked = checks(["a", "b", "a", "a"])
    checked.distinct(checked.ids("c"), "c")
    assert [fault[0] for fault in faults(checked)] == [4, 5]


@given(st.lists(st.floats(width=32), max_size=20))
def test_numbers_written_by_python_come_back(values):
    checked = checks([repr(value) for value in values], pa.string())
    numbers = checked.numbers("c")
    finite = np.isfinite(np.array(values))
    assert checked.good.tolist() == finite.tolist()
    np.testing.assert_array_equal(numbers[finite], np.array(values)[finite])


@pytest.mark.parametrize("text", ["", "abc", "1,5", "0x10", "1_000", "NaN", "inf", "--1", "1e9999", "½", "٣"])
def test_what_is_no_number(text):
    checked = checks(["1", text])
    checked.numbers("c")
    assert faults(checked) == [(3, "c", text, "is not a number")]


@given(st.lists(st.integers(-(10**17), 10**17), max_size=20), st.sampled_from(["s", "ms", "us", "ns"]))
def test_whole_timestamps_are_exact_in_every_unit(values, unit):
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    for column in (checks([str(value) for value in values], pa.string()), checks(values, pa.int64())):
        seconds, fraction = column.seconds("c", unit)
        assert seconds.tolist() == [value // per_second for value in values]
        np.testing.assert_allclose(fraction, [value % per_second / per_second for value in values])
        assert column.good.all()


def test_fractions_of_a_second_are_cut_and_handed_over():
    seconds, fraction = checks(["881250949.0", " 881250949.5", "-0.25"]).seconds("c", "s")
    assert seconds.tolist() == [881250949, 881250949, -1]
    assert fraction.tolist() == [0, 0.5, 0.75]


def test_bad_timestamps_are_named():
    checked = checks(["1", "yesterday", "", "1e40"])
    checked.seconds("c", "s")
    assert [fault[:3] for fault in faults(checked)] == [(3, "c", "yesterday"), (4, "c", ""), (5, "c", "1e40")]
    assert faults(checked)[2][3] == "is not a moment in time"


def test_dates_in_words():
    texts = ["1970-01-02", "1970-01-01T00:00:01.5Z", "1970-01-01 01:00:00+01:00", "today", "0001-01-01T00:00:00+14:00"]
    checked = checks(texts)
    seconds, fraction = checked.seconds("c", "iso")
    assert seconds.tolist()[:3] == [86_400, 1, 0]
    assert fraction.tolist()[:3] == [0, 0.5, 0]
    assert [fault[:3] for fault in faults(checked)] == [(5, "c", "today")]


def test_typed_dates():
    moments = [datetime(1970, 1, 1, 0, 1, tzinfo=UTC), None]
    for type in (pa.timestamp("ns", "UTC"), pa.timestamp("ms")):
        checked = checks(moments, type)
        assert checked.seconds("c", "s")[0].tolist()[0] == 60
        assert [fault[0] for fault in faults(checked)] == [3]
    assert checks([date(1970, 1, 3)]).seconds("c", "s")[0].tolist() == [2 * 86_400]


def test_a_row_is_bad_once():
    table = pa.table({"a": [""], "b": ["x"]})
    checked = Checks(Rows(Path("t.csv"), table, np.array([9]), (), ("a", "b")))
    checked.ids("a")
    checked.numbers("b")
    assert [fault[:2] for fault in faults(checked)] == [(9, "a")]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["1", "-2", ""], [1, -2, None]),
        (["1.5", "2", "1e3"], [1.5, 2.0, 1000.0]),
        (["True", "false"], [True, False]),
        (["02139", "94043"], ["02139", "94043"]),
        (["1", "one"], ["1", "one"]),
        (["12345678901234567890"] * 2, [1.2345678901234567e19] * 2),
        (["", ""], [None, None]),
        (["inf", "nan"], ["inf", "nan"]),
    ],
)
def test_types_of_further_columns(values, expected):
    assert infer_type(pa.chunked_array([pa.array(values)])).to_pylist() == expected


def test_lists_from_text_lists_and_nested_lists():
    assert text_lists(pa.chunked_array([["a| b||a", None]]), "|").to_pylist() == [["a", "b"], []]
    nested = pa.chunked_array([[[["a", "b"], ["a", "c"]], None]])
    assert text_lists(nested, "|").to_pylist() == [["a", "b", "c"], []]
    assert text_lists(pa.chunked_array([[3, None]]), "|").to_pylist() == [["3"], []]
