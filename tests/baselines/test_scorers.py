"""Popularity, ItemKNN and EASE: the contract, and their formulas by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from genrec.baselines import EASE, ItemKNN, Popularity
from genrec.baselines.matrices import history_matrix
from genrec.columns import ITEM_ID, USER_ID
from genrec.data.interactions import Interactions
from genrec.errors import ConfigError, ResourceError
from genrec.testing import toy_dataset
from genrec.testing.scorer_contract import ScorerContract


class TestPopularity(ScorerContract):
    def make_scorer(self):
        return Popularity()


class TestItemKNN(ScorerContract):
    def make_scorer(self):
        return ItemKNN()


class TestItemKNNOfTheHistory(ScorerContract):
    def make_scorer(self):
        return ItemKNN(neighbours=3, neighbours_of="history")


class TestEASE(ScorerContract):
    def make_scorer(self):
        return EASE()


@pytest.fixture
def dataset():
    """Users who met items at random, one of them an item twice."""
    rng = np.random.default_rng(0)
    users, items = np.nonzero(rng.random((12, 7)) < 0.5)
    users, items = np.append(users, users[0]), np.append(items, items[0])
    toy = toy_dataset(users=12, items=7, length=1)
    table = Interactions.from_columns(
        user_id=[toy.users[user] for user in users], item_id=[toy.catalog.ids[item] for item in items]
    )
    return toy.with_interactions(table)


@pytest.fixture
def matrix(dataset):
    dense = np.zeros((12, 7))
    table = dataset.interactions.table
    dense[dataset.users.indices(table[USER_ID]), dataset.catalog.ids.indices(table[ITEM_ID])] = 1
    return dense


HISTORIES = [np.array(row, dtype=np.int32) for row in ([0, 3, 3, 5], [2], [])]
BINARY = np.array([[1, 0, 0, 1, 0, 1, 0], [0, 0, 1, 0, 0, 0, 0], [0] * 7])


def test_history_matrix_is_binary():
    np.testing.assert_array_equal(history_matrix(HISTORIES, 7).toarray(), BINARY)


def test_popularity_counts_users(dataset, matrix):
    np.testing.assert_array_equal(Popularity().fit(dataset).score(HISTORIES), np.tile(matrix.sum(axis=0), (3, 1)))


@pytest.mark.parametrize("neighbours_of", ["candidate", "history"])
@pytest.mark.parametrize("neighbours", [1, 3, 20])
def test_item_knn_sums_the_cosines_of_kept_neighbours(dataset, matrix, neighbours, neighbours_of):
    num_items = matrix.shape[1]
    norms = np.linalg.norm(matrix, axis=0)
    wanted = np.zeros((num_items, num_items))  # from history item to candidate
    for item in range(num_items):
        cosine = {j: matrix[:, item] @ matrix[:, j] / (norms[item] * norms[j]) for j in range(num_items) if j != item}
        for j in sorted(cosine, key=lambda j: (-round(cosine[j], 6), j))[:neighbours]:
            pair = (j, item) if neighbours_of == "candidate" else (item, j)
            wanted[pair] = cosine[j]
    scorer = ItemKNN(neighbours=neighbours, neighbours_of=neighbours_of).fit(dataset)
    np.testing.assert_allclose(scorer.score(HISTORIES), BINARY @ wanted, atol=1e-5)


@pytest.mark.parametrize("regularization", [0.5, 100.0])
def test_ease_solves_the_constrained_regression(dataset, matrix, regularization):
    """Column j by least squares on the other columns, which is what the closed form must equal."""
    num_items = matrix.shape[1]
    weights = np.zeros((num_items, num_items))
    for item in range(num_items):
        others = np.delete(np.arange(num_items), item)
        inputs = matrix[:, others]
        gram = inputs.T @ inputs + regularization * np.eye(len(others))
        weights[others, item] = np.linalg.solve(gram, inputs.T @ matrix[:, item])
    scorer = EASE(regularization=regularization).fit(dataset)
    np.testing.assert_allclose(scorer.score(HISTORIES), BINARY @ weights, atol=1e-5)


def test_a_later_users_history_needs_no_new_fit():
    """Item i is followed by i + 1 in every history, so both neighbours of 10 come first."""
    dataset = toy_dataset(users=48, items=24, length=3)
    history = np.array([10], dtype=np.int32)
    for scorer in (ItemKNN(), EASE(regularization=1.0)):
        assert set(scorer.fit(dataset).recommend([history], 2, exclude=[history]).items[0]) == {9, 11}


def test_options_are_checked():
    with pytest.raises(ConfigError, match="regularization=0 must be positive"):
        EASE(regularization=0)
    with pytest.raises(ConfigError, match="neighbours=0 must be at least 1"):
        ItemKNN(neighbours=0)


def test_ease_refuses_what_does_not_fit(monkeypatch):
    dataset = toy_dataset(users=4, items=24, length=3)
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=4 * 24 * 24 - 1))
    with pytest.raises(ResourceError, match="EASE on 24 items needs"):
        EASE().fit(dataset)


def test_ease_refuses_a_penalty_it_cannot_solve_with():
    with pytest.raises(ConfigError, match="raise regularization"):
        EASE(regularization=1e-30).fit(toy_dataset(users=1, items=24, length=20))
