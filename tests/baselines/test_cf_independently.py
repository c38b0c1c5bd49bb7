"""Scores on ML-100K recomputed densely, from the table of interactions and the papers' formulas alone."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.spatial.distance as distances
from implicit.cpu.als import AlternatingLeastSquares
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from genrec.baselines import ALS, BPR, EASE, EASEWithFeatures, ItemKNN, MarkovChain, Popularity, UserKNN
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out

USERS = slice(0, 300, 3)


@pytest.fixture(scope="module")
def split():
    return leave_last_out(Dataset.load("ml-100k"))


@pytest.fixture(scope="module")
def questions(split):
    return split.validation.histories[USERS]


@pytest.fixture(scope="module")
def matrix(split):
    """Who met what in training, from the columns of the table."""
    dense = np.zeros((split.train.num_users, split.train.num_items))
    table = split.train.interactions.table.to_pydict()
    users = {user: row for row, user in enumerate(split.train.users.ids)}
    items = {item: column for column, item in enumerate(split.train.catalog.ids.ids)}
    for user, item in zip(table["user_id"], table["item_id"], strict=True):
        dense[users[user], items[item]] = 1
    return dense


def decayed(histories, num_items, recency):
    dense = np.zeros((len(histories), num_items))
    for row, items in zip(dense, histories, strict=True):
        for position, item in enumerate(items):
            row[item] = (len(items) - position) ** -recency
    return dense


def test_popularity(split, matrix, questions):
    np.testing.assert_allclose(Popularity().fit(split.train).score(questions)[7], matrix.sum(axis=0), atol=1e-4)


def test_recent_popularity(split, questions):
    table = split.train.interactions.table.to_pydict()
    newest, oldest = max(table["timestamp"]), min(table["timestamp"])
    wanted = dict.fromkeys(split.train.catalog.ids.ids, 0.0)
    for item, time in zip(table["item_id"], table["timestamp"], strict=True):
        wanted[item] += 0.5 ** ((newest - time) / (0.1 * (newest - oldest)))
    scores = Popularity(half_life=0.1).fit(split.train).score(questions[:1])[0]
    np.testing.assert_allclose(scores, list(wanted.values()), atol=1e-4)


@pytest.mark.parametrize("recency", [0.0, 0.5])
def test_ease(split, matrix, questions, recency):
    """By least squares, a column at a time, for some of the items."""
    num_items = matrix.shape[1]
    gram = matrix.T @ matrix + 200 * np.eye(num_items)
    scores = EASE(regularization=200, recency=recency).fit(split.train).score(questions)
    inputs = decayed(questions, num_items, recency)
    for item in range(0, num_items, 500):
        others = np.delete(np.arange(num_items), item)
        weights = np.linalg.solve(gram[np.ix_(others, others)], gram[others, item])
        np.testing.assert_allclose(scores[:, item], inputs[:, others] @ weights, atol=1e-4)


def test_ease_with_features_is_ease_on_words_as_further_users(split, matrix, questions):
    num_items = matrix.shape[1]
    words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+").fit_transform(split.train.catalog.text_of())
    inputs = np.vstack([matrix, np.sqrt(20) * words.toarray().T])
    inverse = np.linalg.inv(inputs.T @ inputs + 200 * np.eye(num_items))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    scorer = EASEWithFeatures(regularization=200, recency=0.5, feature_weight=20).fit(split.train)
    wanted = decayed(questions, num_items, 0.5) @ weights
    np.testing.assert_allclose(scorer.score(questions), wanted, atol=1e-4)


METRICS = {"cosine": "cosine", "jaccard": "jaccard", "euclidean": "euclidean", "pearson": "correlation"}


def similarities(left, right, kind):
    """By scipy, which measures distances; what shares nothing is not alike."""
    as_type = bool if kind == "jaccard" else float
    with np.errstate(invalid="ignore", divide="ignore"):
        distance = distances.cdist(left.astype(as_type), right.astype(as_type), METRICS[kind])
    alike = 1 / (1 + distance) if kind == "euclidean" else 1 - distance
    return np.where(left @ right.T > 0, np.nan_to_num(np.maximum(alike, 0)), 0)


def nearest(alike, count):
    """Bounds of the kept similarities: those that surely are, those that may be, and the rows where both agree."""
    cut = -np.sort(-alike, axis=1)[:, count - 1 : count]
    surely, at_most = np.where(alike > cut + 1e-6, alike, 0), np.where(alike >= cut - 1e-6, alike, 0)
    untied = (at_most > 0).sum(axis=1) <= count
    return np.where(untied[:, None], at_most, surely), at_most, untied


@pytest.mark.parametrize("kind", ["cosine", "jaccard", "euclidean", "pearson"])
def test_item_knn(split, matrix, questions, kind):
    """For every eighth item, with the neighbours among all."""
    candidates = np.arange(0, matrix.shape[1], 8)
    alike = similarities(matrix.T[candidates], matrix.T, kind)
    alike[np.arange(len(candidates)), candidates] = 0
    surely, at_most, untied = nearest(alike, 40)
    inputs = decayed(questions, matrix.shape[1], 0.5)
    scores = ItemKNN(neighbours=40, similarity=kind, recency=0.5).fit(split.train).score(questions)[:, candidates]
    assert (scores >= inputs @ surely.T - 1e-4).all()
    assert (scores <= inputs @ at_most.T + 1e-4).all()
    assert untied.sum() > (10 if kind == "euclidean" else 100)  # a few distances only
    np.testing.assert_allclose(scores[:, untied], (inputs @ surely.T)[:, untied], atol=1e-4)


@pytest.mark.parametrize("kind", ["cosine", "jaccard", "euclidean", "pearson"])
def test_user_knn(split, matrix, questions, kind):
    asked = decayed(questions, matrix.shape[1], 0.0)
    alike = similarities(asked, matrix, kind)
    alike[asked @ matrix.T == matrix.sum(axis=1)] = 0  # nothing beyond the history
    surely, at_most, untied = nearest(alike, 50)
    scores = UserKNN(neighbours=50, similarity=kind).fit(split.train).score(questions)
    assert (scores >= surely @ matrix - 1e-4).all()
    assert (scores <= at_most @ matrix + 1e-4).all()
    assert untied.sum() > (5 if kind == "euclidean" else 30)
    np.testing.assert_allclose(scores[untied], (surely @ matrix)[untied], atol=1e-4)


def test_user_knn_finds_the_neighbours_that_scikit_learn_finds(split, matrix, questions):
    asked = decayed(questions, matrix.shape[1], 0.0)
    nearest = NearestNeighbors(n_neighbors=400, metric="cosine").fit(matrix)
    distance, neighbours = nearest.kneighbors(asked)
    scores = UserKNN(neighbours=20).fit(split.train).score(questions)
    for row in range(len(questions)):
        others = [
            (1 - gap, user)
            for gap, user in zip(distance[row], neighbours[row], strict=True)
            if (matrix[user] > asked[row]).any()
        ][:21]
        if others[19][0] - others[20][0] > 1e-6:
            votes = sum(similarity * matrix[user] for similarity, user in others[:20])
            np.testing.assert_allclose(scores[row], votes, atol=1e-4)


def test_als_recommends_what_implicit_recommends(split, matrix):
    """The library's own recommend() for new users, beside ours for their histories."""
    scorer = ALS(factors=16, regularization=1.0, iterations=5, seed=3).fit(split.train)
    model = AlternatingLeastSquares(
        factors=16, regularization=1.0, alpha=10.0, iterations=5, num_threads=1, random_state=3
    )
    model.fit(sparse.csr_matrix(matrix.astype(np.float32)), show_progress=False)
    histories = [history[:-2] for history in split.validation.histories[USERS]]  # not what was trained on
    unseen = sparse.csr_matrix(decayed(histories, matrix.shape[1], 0.0).astype(np.float32))
    items, scores = model.recommend(np.arange(len(histories)), unseen, N=10, recalculate_user=True)
    ranking = scorer.recommend(histories, 10, exclude=histories)
    np.testing.assert_allclose(ranking.scores, scores, atol=1e-4)
    assert (ranking.items == items).mean() > 0.99  # all but neighbours within rounding


def test_als_of_a_trained_user_is_a_half_step_from_the_library(split, matrix):
    """The normal equations of Hu, Koren and Volinsky, solved densely."""
    scorer = ALS(factors=16, iterations=5, alpha=4.0, regularization=2.0, recency=0.5).fit(split.train)
    items = scorer._model.item_factors.astype(np.float64)
    history = split.validation.histories[5]
    confidence = 4.0 * decayed([history], len(items), 0.5)[0]
    met = confidence > 0
    gram = items.T @ items + (items[met].T * (confidence[met] - 1)) @ items[met] + 2.0 * np.eye(16)
    user = np.linalg.solve(gram, items[met].T @ confidence[met])
    np.testing.assert_allclose(scorer.score([history])[0], items @ user, atol=1e-4)


def test_bpr_scores_by_the_mean_of_the_history(split, questions):
    scorer = BPR(factors=8, iterations=3, recency=0.5).fit(split.train)
    weights = decayed(questions, split.train.num_items, 0.5)
    users = (weights / weights.sum(axis=1, keepdims=True)) @ scorer._vectors
    np.testing.assert_allclose(scorer.score(questions), users @ scorer._vectors.T + scorer._biases, atol=1e-4)


def test_markov_chain(split, questions):
    histories = split.train.histories
    num_items = split.train.num_items
    counts, met = np.zeros((num_items, num_items)), np.zeros(num_items)
    for user in range(len(histories)):
        items = histories[user].tolist()
        np.add.at(met, items, 1)
        for before, after in pairwise(items):
            counts[before, after] += 1
    last = [history[-1] for history in questions]
    wanted = (counts[last] + 10 * met / met.sum()) / (counts[last].sum(axis=1, keepdims=True) + 10)
    np.testing.assert_allclose(MarkovChain().fit(split.train).score(questions), wanted, atol=1e-6)
