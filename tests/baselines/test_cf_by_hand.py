"""Similarities, weights by recency and age, and transitions, by arithmetic that a reader can follow."""

from math import sqrt

import numpy as np
import pytest
from scipy import sparse

from genrec.baselines import (
    ALS,
    BPR,
    EASE,
    EASEWithFeatures,
    HybridKNN,
    ItemKNN,
    MarkovChain,
    Popularity,
    Random,
    UserKNN,
)
from genrec.baselines.age import age_weights
from genrec.baselines.matrices import history_matrix, training_matrix
from genrec.baselines.similarity import SimilarityIndex, strongest
from genrec.data.interactions import Interactions
from genrec.errors import UnsupportedError
from genrec.testing import toy_dataset

DAY = 86_400


def dataset_of(histories, num_items=6, days=None):
    """Users with these histories; item ``i`` of a user on day ``days[user][i]``, default its position."""
    toy = toy_dataset(users=len(histories), items=num_items, length=1)
    rows = [(user, item, at) for user, items in enumerate(histories) for at, item in enumerate(items)]
    table = Interactions.from_columns(
        user_id=[toy.users[user] for user, _, _ in rows],
        item_id=[toy.catalog.ids[item] for _, item, _ in rows],
        timestamp=[DAY * (days[user][at] if days else at) for user, _, at in rows],
    )
    return toy.with_interactions(table)


def history(*items):
    return np.array(items, dtype=np.int32)


def row(*values):
    return sparse.csr_matrix(np.array([values], dtype=np.float32))


# Sets {0, 1, 2} and {1, 2, 3, 4} of 10 columns: 3 and 4 items, 2 in common.
LEFT, RIGHT = row(1, 1, 1, 0, 0, 0, 0, 0, 0, 0), row(0, 1, 1, 1, 1, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("cosine", 2 / sqrt(3 * 4)),
        ("jaccard", 2 / 5),
        ("euclidean", 1 / (1 + sqrt(3))),  # they differ in columns 0, 3 and 4
        # covariance 2/10 - 3/10 * 4/10, variances 3/10 * 7/10 and 4/10 * 6/10
        ("pearson", (0.2 - 0.12) / sqrt(0.21 * 0.24)),
    ],
)
def test_similarities_of_two_sets(kind, wanted):
    assert SimilarityIndex(RIGHT, kind).compare(LEFT)[0, 0] == pytest.approx(wanted, rel=1e-6)
    shrunk = SimilarityIndex(RIGHT, kind, shrinkage=6).compare(LEFT)[0, 0]
    assert shrunk == pytest.approx(wanted * 2 / (2 + 6), rel=1e-6)


@pytest.mark.parametrize("kind", ["cosine", "jaccard", "euclidean", "pearson"])
def test_similarities_of_weighted_rows(kind):
    left, right = np.array([0.5, 1.0, 0.25, 0.0, 0.0, 0.0]), np.array([0.0, 0.7, 1.0, 0.3, 0.0, 0.0])
    dot = left @ right
    wanted = {
        "cosine": dot / np.linalg.norm(left) / np.linalg.norm(right),
        "jaccard": dot / (left @ left + right @ right - dot),
        "euclidean": 1 / (1 + np.linalg.norm(left - right)),
        "pearson": np.corrcoef(left, right)[0, 1],
    }
    found = SimilarityIndex(row(*right), kind).compare(row(*left))[0, 0]
    assert found == pytest.approx(wanted[kind], rel=1e-5)


def test_a_row_is_most_like_itself_and_not_at_all_like_what_it_shares_nothing_with():
    rows = sparse.vstack([LEFT, RIGHT, row(0, 0, 0, 0, 0, 0, 0, 0, 1, 1)], format="csr")
    for kind in ("cosine", "jaccard", "euclidean", "pearson"):
        found = SimilarityIndex(rows, kind).compare(rows).toarray()
        np.testing.assert_allclose(np.diag(found), 1, rtol=1e-6)
        assert found[0, 2] == found[2, 1] == 0


def test_negative_and_undefined_correlations_are_no_similarity():
    everything = row(1, 1, 1, 1)
    three = row(1, 1, 1, 0)
    assert SimilarityIndex(everything, "pearson").compare(three)[0, 0] == 0  # no variance
    assert SimilarityIndex(row(1, 0, 0, 1), "pearson").compare(three)[0, 0] == 0  # 1/4 - 3/4 * 2/4 < 0


def test_strongest_takes_the_lower_column_of_equals():
    found = strongest(sparse.csr_matrix(np.array([[0.2, 0.5, 0.2, 0.5, 0.5], [0, 0, 0, 0.1, 0]])), 2)
    assert found.toarray().tolist() == [[0, 0.5, 0, 0.5, 0], [0, 0, 0, 0.1, 0]]


def test_recency_weighs_by_position_from_the_end():
    weights = history_matrix([history(4, 2, 4, 1), history(3)], 6, recency=2.0).toarray()
    np.testing.assert_allclose(weights, [[0, 1, 1 / 9, 0, 1 / 4, 0], [0, 0, 0, 1, 0, 0]])
    histories = dataset_of([[4, 2, 4, 1], [3]]).histories
    np.testing.assert_array_equal(training_matrix(histories, 6, recency=2.0).toarray(), weights)


def test_item_knn_sums_weighted_similarities():
    dataset = dataset_of([[0, 1], [0, 1, 2], [1, 2], [0, 3]])
    # users of items: 0 {0, 1, 3}, 1 {0, 1, 2}, 2 {1, 2}, 3 {3}
    jaccard = ItemKNN(neighbours=5, similarity="jaccard", recency=1.0).fit(dataset)
    scores = jaccard.score([history(2, 0)])[0]  # 0 weighs 1, 2 weighs 1/2
    np.testing.assert_allclose(scores[[1, 3]], [2 / 4 + 2 / 3 / 2, 1 / 3], rtol=1e-6)
    euclidean = ItemKNN(neighbours=5, similarity="euclidean").fit(dataset)
    np.testing.assert_allclose(euclidean.score([history(3)])[0], [1 / (1 + sqrt(2)), 0, 0, 0, 0, 0], rtol=1e-6)


def test_item_knn_does_not_depend_on_the_blocks_it_is_computed_in(monkeypatch):
    rng = np.random.default_rng(0)
    dataset = dataset_of([rng.choice(40, size=8, replace=False).tolist() for _ in range(30)], num_items=40)
    histories = [history(*range(0, 40, 7))]
    whole = ItemKNN(neighbours=3).fit(dataset).score(histories)
    monkeypatch.setattr("genrec.baselines.item_knn.BLOCK", 7)
    np.testing.assert_array_equal(ItemKNN(neighbours=3).fit(dataset).score(histories), whole)


def test_user_knn_lets_neighbours_vote():
    dataset = dataset_of([[0, 1, 2], [1, 3], [4, 5], [0, 1]])
    scores = UserKNN(neighbours=9).fit(dataset).score([history(0, 1)])[0]
    # User 3 met nothing else, so only users 0 (2 of 3 items in common) and 1 (1 of 2) vote.
    first, second = 2 / sqrt(2 * 3), 1 / sqrt(2 * 2)
    np.testing.assert_allclose(scores, [first, first + second, first, second, 0, 0], rtol=1e-6)
    nearest = UserKNN(neighbours=1).fit(dataset).score([history(0, 1)])[0]
    np.testing.assert_allclose(nearest, [first, first, first, 0, 0, 0], rtol=1e-6)


def test_user_knn_by_recency_weighs_both_histories():
    dataset = dataset_of([[0, 1, 2], [3, 1]])
    scores = UserKNN(recency=1.0).fit(dataset).score([history(0, 1)])[0]
    # The history is (1/2, 1), user 0 is (1/3, 1/2, 1), user 1 has item 1 with 1 and item 3 with 1/2.
    first = (1 / 6 + 1 / 2) / sqrt((1 / 4 + 1) * (1 / 9 + 1 / 4 + 1))
    second = 1 / sqrt((1 / 4 + 1) * (1 + 1 / 4))
    np.testing.assert_allclose(scores, [first / 3, first / 2 + second, first, second / 2, 0, 0], rtol=1e-6)


def test_hybrid_adds_shares_of_the_best():
    dataset = dataset_of([[0, 1, 2], [1, 3], [4, 5], [0, 1]])
    histories = [history(0, 1)]
    users, items = UserKNN().fit(dataset).score(histories), ItemKNN().fit(dataset).score(histories)
    hybrid = HybridKNN(weight=0.25).fit(dataset).score(histories)
    np.testing.assert_allclose(hybrid, 0.25 * users / users.max() + 0.75 * items / items.max(), rtol=1e-6)
    assert HybridKNN().fit(dataset).score([history()]).tolist() == [[0] * 6]


def test_ease_with_features_recommends_an_item_that_nobody_met():
    """Items of the toy catalog share words with others; the last one is never met."""
    dataset = toy_dataset(users=24, items=8, length=3)
    dataset = dataset.with_interactions(dataset.item_indices < 7)
    histories = [history(item) for item in range(7)]
    assert (EASE(regularization=1).fit(dataset).score(histories)[:, 7] == 0).all()
    scores = EASEWithFeatures(regularization=1, feature_weight=1).fit(dataset).score(histories)[:, 7]
    assert scores.max() > 0


def test_age_in_days_and_in_shares_of_the_span():
    dataset = dataset_of([[0, 1, 2]], days=[[0, 6, 8]])
    np.testing.assert_allclose(age_weights(dataset, half_life=2, unit="days"), [1 / 16, 1 / 2, 1])
    np.testing.assert_allclose(age_weights(dataset, half_life=0.25), [1 / 16, 1 / 2, 1])
    np.testing.assert_allclose(age_weights(dataset, half_life=2, window=2, unit="days"), [0, 1 / 2, 1])
    np.testing.assert_allclose(age_weights(dataset), [1, 1, 1])


def test_recent_popularity_counts_each_user_once_at_the_last_time():
    dataset = dataset_of([[0, 1, 0], [0, 2]], days=[[0, 1, 2], [0, 4]])
    scores = Popularity(half_life=2, unit="days").fit(dataset).score([history()])[0]
    np.testing.assert_allclose(scores, [0.5 + 0.25, 0.5**1.5, 1, 0, 0, 0], rtol=1e-6)


def test_recent_popularity_needs_timestamps():
    toy = toy_dataset(users=2, items=6, length=2)
    ordered = type(toy)("ordered", toy.interactions, toy.catalog, toy.users, time="order")
    with pytest.raises(UnsupportedError, match="no timestamps"):
        Popularity(half_life=0.5).fit(ordered)
    with pytest.raises(UnsupportedError, match="no timestamps"):
        MarkovChain(half_life=0.5).fit(ordered)


def test_markov_smooths_counts_with_popularity():
    # Transitions 0>1 twice, 1>2 twice, 2>3, 0>2. Popularity of 9 interactions: 2, 2, 3, 1 ... by item.
    dataset = dataset_of([[0, 1, 2, 3], [0, 1, 2], [0, 2]])
    popularity = np.array([3, 2, 3, 1, 0, 0]) / 9
    scores = MarkovChain(smoothing=4).fit(dataset).score([history(5, 0), history(3), history()])
    np.testing.assert_allclose(scores[0], (np.array([0, 2, 1, 0, 0, 0]) + 4 * popularity) / (3 + 4), rtol=1e-6)
    np.testing.assert_allclose(scores[1:], [popularity, popularity], rtol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-6)


def test_markov_reaches_and_asks_further():
    dataset = dataset_of([[0, 1, 2, 3]])
    popularity = np.array([1, 1, 1, 1, 0, 0]) / 4
    chain = MarkovChain(smoothing=1, reach=2, context=2).fit(dataset)
    after_0 = (np.array([0, 1, 1 / 2, 0, 0, 0]) + popularity) / (1.5 + 1)
    after_1 = (np.array([0, 0, 1, 1 / 2, 0, 0]) + popularity) / (1.5 + 1)
    # The last item has weight 1, the one before 1/2.
    np.testing.assert_allclose(chain.score([history(4, 0, 1)])[0], (after_1 + after_0 / 2) / 1.5, rtol=1e-6)


def test_markov_by_age_counts_old_transitions_less():
    dataset = dataset_of([[0, 1], [0, 2]], days=[[0, 2], [0, 4]])
    chain = MarkovChain(smoothing=1e-9, half_life=0.5).fit(dataset)  # 2 days
    np.testing.assert_allclose(chain.score([history(0)])[0], [0, 1 / 3, 2 / 3, 0, 0, 0], atol=1e-6)


def test_random_depends_on_seed_and_history_only():
    scorer = Random(seed=1).fit(dataset_of([[0]], num_items=50))
    one, other = scorer.score([history(1, 2), history(2, 1)])
    assert not np.array_equal(one, other)
    np.testing.assert_array_equal(scorer.score([history(2, 1)])[0], other)
    assert not np.array_equal(Random(seed=2).fit(dataset_of([[0]], num_items=50)).score([history(2, 1)])[0], other)


@pytest.mark.parametrize("scorer", [ALS, BPR])
def test_what_to_install_is_said(monkeypatch, scorer):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UnsupportedError, match=r"pip install 'genrec\[cf\]'"):
        scorer()
