from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.histories import Histories

rows = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7), st.integers(-3, 3)), max_size=60)


def build(rows):
    users, items, times = (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.array([])] * 3
    columns = users.astype(np.int32), items.astype(np.int32), times.astype(np.int64)
    return Histories.from_rows(*columns, np.arange(len(rows), dtype=np.float32), num_users=6)


@given(rows)
def test_histories_equal_pythons_stable_sort(rows):
    histories = build(rows)
    assert len(histories) == 6
    for user in range(6):
        expected = sorted(((time, item) for u, item, time in rows if u == user), key=lambda pair: pair[0])
        assert histories[user].tolist() == [item for _, item in expected]
    assert histories.items.dtype == np.int32


@given(rows)
def test_ratings_and_timestamps_travel_with_their_items(rows):
    histories = build(rows)
    for position, row in enumerate(histories.ratings.astype(int)):
        assert (histories.items[position], histories.timestamps[position]) == rows[row][1:]


@given(rows)
def test_ties_are_neighbours_in_a_history_with_one_timestamp(rows):
    histories = build(rows)
    expected = 0
    for user in range(6):
        times = histories.timestamps[histories.indptr[user] : histories.indptr[user + 1]].tolist()
        expected += sum(before == after for before, after in pairwise(times))
    assert histories.count_ties() == expected


@given(rows)
def test_csr_and_counts_against_brute_force(rows):
    histories = build(rows)
    dense = np.zeros((6, 8), dtype=np.float32)
    for user, item, _ in rows:
        dense[user, item] = 1
    matrix = histories.to_csr(8)
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix.toarray(), dense)
    assert histories.item_counts(8).tolist() == [sum(item == i for _, item, _ in rows) for i in range(8)]


def test_csr_does_not_touch_the_histories():
    histories = build([(0, 5, 1), (0, 2, 2), (0, 5, 3)])
    histories.to_csr(8)
    assert histories[0].tolist() == [5, 2, 5]
