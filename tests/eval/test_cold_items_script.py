"""eval/cold_items.py: its shortcut against the protocol's own ranking, and the choice it makes."""

import numpy as np
import pytest

from eval.cold_items import Lift, Lifted, Questions, choose
from genrec.baselines import ItemKNN
from genrec.baselines.base import Scorer
from genrec.baselines.content import TfidfKNN
from genrec.data.cold import cold_items
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.testing import toy_dataset


@pytest.fixture(scope="module")
def asked():
    dataset = toy_dataset(users=200, items=60)
    cold = cold_items(dataset, 0.1)
    warm = leave_last_out(cold.train)
    scorer, text = ItemKNN().fit(warm.train), TfidfKNN().fit(warm.train)
    items = np.flatnonzero(np.bincount(warm.train.item_indices, minlength=dataset.num_items) == 0)
    return scorer, text, items, warm.validation, cold.validation


@pytest.mark.parametrize("lift", [(0.0, 0.0), (0.3, 0.0), (-0.1, 0.2), (0.05, 0.7), (9.0, 0.0)])
def test_the_shortcut_ranks_as_the_protocol_does(asked, lift):
    scorer, text, items, *questions = asked
    added = Lift(*lift)
    for some in questions:
        # A shortcut that breaks ties against the target needs scores without any.
        jitter = np.random.default_rng(0).random(60).astype(np.float32) * 1e-3
        plain = Lifted("jittered", Jittered(scorer, jitter), text, items, added)
        found = evaluate(plain, some, ks=(10,))
        ndcg, recall = Questions(some, plain.scorer, text, items).ndcg_and_recall(added)
        assert ndcg == pytest.approx(found.metrics["ndcg@10"], abs=1e-6)
        assert recall == pytest.approx(found.metrics["recall@10"], abs=1e-6)


def test_the_chosen_lift_finds_new_items_and_costs_no_more_than_allowed(asked):
    scorer, text, items, *questions = asked
    warm, cold = (Questions(some, scorer, text, items) for some in questions)
    never = warm.ndcg_and_recall(Lift(-1e9))[0]
    found = []
    for may_lose in (0.0, 0.05, 0.5):
        lift = choose(warm, cold, may_lose)
        assert warm.ndcg_and_recall(lift)[0] >= never * (1 - may_lose)
        found.append(cold.ndcg_and_recall(lift)[1])
    assert found == sorted(found)
    assert found[-1] > cold.ndcg_and_recall(Lift())[1]


class Jittered(Scorer):
    """A scorer whose ties are broken by the item."""

    serves_cold_users, serves_cold_items, name = True, False, "jittered"

    def __init__(self, scorer, jitter):
        self.scorer, self.jitter = scorer, jitter

    def fit(self, dataset):
        return self

    def score(self, histories):
        return self.scorer.score(histories) + self.jitter
