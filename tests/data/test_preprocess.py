from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.interactions import Interactions
from genrec.data.preprocess import preprocess
from genrec.errors import ConfigError, DataError

rows = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("vwxyz"), st.integers(0, 3), st.integers(1, 5)), max_size=50
)


def build(rows):
    columns = [list(column) for column in zip(*rows, strict=True)] or [[]] * 4
    return Interactions.from_columns(*columns)


def as_rows(interactions):
    return [tuple(row.values()) for row in interactions.table.to_pylist()]


@given(rows, st.integers(1, 4))
def test_k_core_against_one_by_one_removal(rows, k):
    result = preprocess(build(rows), k_core=k)
    left = list(rows)
    while True:
        users, items = Counter(row[0] for row in left), Counter(row[1] for row in left)
        weak = next((row for row in left if users[row[0]] < k or items[row[1]] < k), None)
        if weak is None:
            break
        left.remove(weak)
    assert Counter(as_rows(result.interactions)) == Counter(left)
    assert result.dropped == {"k_core": len(rows) - len(left)}
    assert set(result.items_out.to_pylist()) == {row[1] for row in rows} - {row[1] for row in left}


@given(rows)
def test_dedup_keeps_the_first_meeting(rows):
    result = preprocess(build(rows), dedup=True)
    first = {}
    for position, (user, item, time, _) in enumerate(rows):
        if (user, item) not in first or time < rows[first[user, item]][2]:
            first[user, item] = position
    assert as_rows(result.interactions) == [rows[position] for position in sorted(first.values())]


@given(rows)
def test_min_rating_and_what_was_dropped_add_up(rows):
    result = preprocess(build(rows), min_rating=3, dedup=True, k_core=2)
    assert result.dropped["min_rating"] == sum(row[3] < 3 for row in rows)
    assert len(rows) == len(result.interactions) + sum(result.dropped.values())


def test_without_options_nothing_happens():
    interactions = build([("a", "x", 1, 1)])
    result = preprocess(interactions)
    assert result.interactions.table.equals(interactions.table)
    assert result.dropped == {}


def test_min_rating_is_exact_for_the_ratings_of_a_file():
    kept = preprocess(Interactions.from_columns(["a", "a"], ["x", "y"], rating=[0.1, 0.2]), min_rating=0.1)
    assert len(kept.interactions) == 2


def test_wrong_options():
    with pytest.raises(DataError, match="no ratings"):
        preprocess(Interactions.from_columns(["a"], ["x"]), min_rating=3)
    with pytest.raises(ConfigError, match="at least 1"):
        preprocess(build([("a", "x", 1, 1)]), k_core=0)
