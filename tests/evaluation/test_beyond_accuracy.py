"""Metrics of the lists, by their definitions."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.baselines import Popularity
from genrec.data.split import leave_last_out
from genrec.evaluation import evaluate
from genrec.evaluation.beyond_accuracy import (
    average_popularity,
    beyond_accuracy,
    category_diversity,
    coverage,
    duplicate_share,
    gini,
    novelty,
    popularity_lift,
    user_counts,
    valid_share,
    vector_diversity,
)
from genrec.testing import toy_dataset

N = 8
lists = st.lists(st.lists(st.integers(-1, N - 1), min_size=4, max_size=4), min_size=1, max_size=5).map(np.array)
categories = st.lists(st.lists(st.sampled_from("abc"), unique=True), min_size=N, max_size=N)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=12).map(np.array))
def test_gini_is_the_mean_difference_of_all_pairs(counts):
    if counts.sum() == 0:
        assert gini(counts) == 0
        return
    wanted = np.abs(counts[:, None] - counts[None]).sum() / (2 * len(counts) * counts.sum())
    assert gini(counts) == pytest.approx(wanted)
    assert 0 <= gini(counts) <= 1 - 1 / len(counts) + 1e-12


@given(lists, categories)
def test_category_diversity_is_the_mean_jaccard_distance_of_all_pairs(items, some):
    found = category_diversity(items, some)
    for row, value in zip(items, found, strict=True):
        known = [set(some[item]) for item in row if item >= 0 and some[item]]
        distances = [1 - len(a & b) / len(a | b) for a, b in combinations(known, 2)]
        if distances:
            assert value == pytest.approx(np.mean(distances), abs=1e-12)
        else:
            assert np.isnan(value)


@given(lists, st.integers(0, 99))
def test_vector_diversity_is_the_mean_cosine_distance_of_all_pairs(items, seed):
    vectors = np.random.default_rng(seed).normal(size=(N, 3)).astype(np.float32)
    vectors[0] = 0  # nothing is known of this one
    for row, value in zip(items, vector_diversity(items, vectors), strict=True):
        known = [vectors[item].astype(float) for item in row if item > 0]
        distances = [1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in combinations(known, 2)]
        if distances:
            assert value == pytest.approx(np.mean(distances), abs=1e-6)
        else:
            assert np.isnan(value)


def test_many_lists_are_compared_in_parts():
    rng = np.random.default_rng(0)
    items, some = rng.integers(0, N, size=(600, 4)), [["a"], ["b"], ["a", "b"], [], ["c"], ["a"], ["b"], ["c", "a"]]
    whole = category_diversity(items, some)
    np.testing.assert_array_equal(whole[300:], category_diversity(items[300:], some))


def test_coverage_by_hand():
    assert coverage(np.array([[0, 1], [1, 2], [-1, -1]]), num_items=6) == pytest.approx(3 / 6)


def test_novelty_by_hand():
    counts = np.array([7, 3, 0])  # of 7 users
    found = novelty(np.array([[0, 1], [2, -1], [-1, -1]]), counts, num_users=7)
    # (7 + 1) / (7 + 1) is 0 bits, (3 + 1) / 8 is 1 bit, (0 + 1) / 8 is 3 bits.
    np.testing.assert_allclose(found, [(0 + 1) / 2, 3, np.nan])


def test_popularity_lift_by_hand():
    counts = np.array([8, 2, 2])
    items = np.array([[0, 1], [1, 2], [-1, -1], [0, 0]])
    histories = [np.array([1, 2]), np.array([0]), np.array([0]), np.array([], dtype=int)]
    # The third user has no list and the fourth no history. Lists: 5 and 2. Histories: 2 and 8.
    assert popularity_lift(items, histories, counts) == pytest.approx((5 + 2) / (2 + 8) - 1)
    np.testing.assert_allclose(average_popularity(items, counts), [5, 2, np.nan, 8])
    assert popularity_lift(items[2:], histories[2:], counts) is None


def test_valid_and_duplicates_by_hand():
    items = np.array([[3, 3, 9], [0, -1, -1], [-1, 2, 2]])
    assert valid_share(items, k=3, num_items=5) == pytest.approx(5 / 9)
    assert valid_share(items, k=4, num_items=5) == pytest.approx(5 / 12)  # a list of 3 where 4 were wanted
    assert duplicate_share(items) == pytest.approx(2 / 6)
    assert duplicate_share(np.array([[-1, -1]])) == 0


def test_a_repeat_is_one_user():
    dataset = toy_dataset(users=1, items=3, length=7)
    assert user_counts(dataset).tolist() == [1, 1, 1]


def test_all_of_an_evaluation():
    split = leave_last_out(toy_dataset())
    evaluation = evaluate(Popularity().fit(split.train), split.test)
    found = beyond_accuracy(evaluation.items, split.test.histories, split.train, k=5)
    names = {"novelty", "diversity", "average_popularity", "popularity_lift", "coverage", "gini", "valid", "duplicates"}
    assert set(found.metrics) == {f"{name}@5" for name in names}
    assert all(len(values) == 60 for values in found.per_user.values())
    assert found.metrics["valid@5"] == 1
    assert found.metrics["duplicates@5"] == 0
    assert found.metrics["diversity@5"] == np.nanmean(
        category_diversity(evaluation.items[:, :5], split.train.catalog.categories)
    )
    vectors = np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)
    by_vectors = beyond_accuracy(evaluation.items, split.test.histories, split.train, k=5, vectors=vectors)
    assert by_vectors.diversity_of == "vectors (cosine)"
    assert by_vectors.metrics["diversity@5"] == vector_diversity(evaluation.items[:, :5], vectors).mean()
