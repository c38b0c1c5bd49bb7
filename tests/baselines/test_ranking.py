"""The k best of each row, against a plain sort."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from genrec.baselines.ranking import top_k

SCORES = st.sampled_from([-np.inf, -3.0, -1e-40, -0.0, 0.0, 1e-40, 0.5, 1.0, 1e30])


@given(arrays(np.float32, st.tuples(st.integers(1, 4), st.integers(1, 12)), elements=SCORES), st.integers(1, 15))
def test_equals_a_stable_sort(scores, k):
    ranking = top_k(scores, k)
    for row, items, values in zip(scores, ranking.items, ranking.scores, strict=True):
        wanted = [item for item in sorted(range(len(row)), key=lambda item: (-row[item], item)) if row[item] > -np.inf]
        found = items[items >= 0].tolist()
        assert found == wanted[:k]
        assert (items[len(found) :] == -1).all()
        np.testing.assert_array_equal(values, np.append(row[found], np.full(k - len(found), -np.inf)))


@given(
    arrays(np.float32, (3, 9), elements=st.floats(-1, 1, width=32)),
    st.lists(st.lists(st.integers(0, 8), max_size=12), min_size=3, max_size=3),
)
def test_excluded_items_are_left_out_and_nothing_else(scores, exclude):
    before = scores.copy()
    ranking = top_k(scores, 9, [np.array(items, dtype=np.int32) for items in exclude])
    for items, excluded in zip(ranking.items, exclude, strict=True):
        assert set(items[items >= 0].tolist()) == set(range(9)) - set(excluded)
    np.testing.assert_array_equal(scores, before)


def test_large_rows_agree_with_a_stable_sort():
    scores = np.random.default_rng(0).integers(0, 50, size=(20, 3000)).astype(np.float32)
    np.testing.assert_array_equal(top_k(scores, 100).items, np.argsort(-scores, axis=1, kind="stable")[:, :100])


def test_nan_is_refused():
    with pytest.raises(ValueError, match="scores of 1 rows hold NaN"):
        top_k(np.array([[0, np.nan], [1, 2]], dtype=np.float32), 1)
