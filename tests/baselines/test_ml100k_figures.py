"""Figures on ML-100K (leave-last-out, whole catalog, seen filtered, test part) that must not move.

Half of the interactions have the timestamp of the one before, so the order of ties decides which item is the last one.
The reference figures, EASE .042 and ItemKNN .032, come out with ties in order of item number; genrec keeps the order of
the file, in which all figures are higher.
"""

import numpy as np
import pytest

from genrec.baselines import EASE, ItemKNN, Popularity
from genrec.benchmark.models.cf import CF
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out
from genrec.evaluation import evaluate


@pytest.fixture(scope="module")
def dataset():
    return Dataset.load("ml-100k")


@pytest.fixture(scope="module")
def file_order(dataset):
    return leave_last_out(dataset)


@pytest.fixture(scope="module")
def item_order(dataset):
    numbers = np.array([int(item) for item in dataset.interactions.table["item_id"].to_pylist()])
    return leave_last_out(dataset.with_interactions(np.argsort(numbers, kind="stable")))


def ndcg(scorer, split):
    evaluation = evaluate(scorer.fit(split.train), split.test, ks=(10,))
    assert evaluation.num_users == 943
    return evaluation.metrics["ndcg@10"]


@pytest.mark.parametrize(
    ("scorer", "wanted"),
    [(EASE(), 0.042), (ItemKNN(neighbours_of="history"), 0.032)],
    ids=["ease", "item-knn"],
)
def test_with_ties_by_item_number(item_order, scorer, wanted):
    assert ndcg(scorer, item_order) == pytest.approx(wanted, abs=0.003)


@pytest.mark.parametrize(
    ("scorer", "wanted"),
    [
        (Popularity(), 0.045),
        (EASE(), 0.071),
        (ItemKNN(), 0.068),
        (ItemKNN(neighbours_of="history"), 0.058),
    ],
    ids=["popularity", "ease", "item-knn", "item-knn-of-history"],
)
def test_with_ties_in_file_order(file_order, scorer, wanted):
    assert ndcg(scorer, file_order) == pytest.approx(wanted, abs=0.003)


def test_ease_by_recency_with_the_setting_that_validation_chose(file_order):
    assert ndcg(CF["ease-recent"].build(), file_order) >= 0.080
