from math import gcd

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.toy import toy_catalog, toy_dataset, toy_next_item


@given(st.integers(1, 20), st.integers(2, 40), st.integers(1, 12), st.integers(1, 7))
def test_every_item_is_followed_by_the_one_that_is_said(users, items, length, step):
    dataset = toy_dataset(users, items, length, step)
    assert dataset.histories.lengths.tolist() == [length] * users
    for user in range(users):
        history = dataset.histories[user]
        np.testing.assert_array_equal(history[1:], toy_next_item(history[:-1], items, step))
        if length <= items // gcd(items, step) - 1:
            assert toy_next_item(int(history[-1]), items, step) not in history


def test_titles_are_distinct_and_items_have_attributes():
    catalog = toy_catalog(500)
    assert len(set(catalog.titles)) == 500
    assert all(catalog.categories)
    assert set(catalog.column("year").to_pylist()) == set(range(1970, 2020))


def test_rows_stand_in_order_of_time_with_users_alternating():
    table = toy_dataset(users=3, items=9, length=4).interactions.table
    times = table["timestamp"].to_pylist()
    assert times == sorted(times)
    assert table["user_id"].to_pylist()[:4] == ["u0", "u1", "u2", "u0"]


def test_the_same_arguments_make_the_same_data():
    assert toy_dataset().interactions.table.equals(toy_dataset().interactions.table)
