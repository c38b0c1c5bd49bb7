"""eval/cold_items.py: its shortcuts against the protocol's own ranking, and the choice it makes."""

import numpy as np
import pytest

from eval.cold_items import WithoutNew
from eval.cold_places import LIST, MOST, NewItemPlaces
from genrec.baselines import MarkovChain, Scorer
from genrec.data.cold import cold_items, select_questions
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.testing import toy_dataset


class Follows(Scorer):
    """What the toy's users take: the item after their last one, or else one near it."""

    name, serves_cold_users, serves_cold_items = "follows", False, True

    def fit(self, dataset):
        self.num_items = dataset.num_items
        return self

    def score(self, histories):
        rows = [-np.abs(np.arange(self.num_items) - items[-1] - 1) / 3 for items in histories]
        return np.stack(rows).astype(np.float32)


@pytest.fixture(scope="module")
def asked():
    """A scorer, one that knows new items, those, and questions about known and new ones."""
    dataset = toy_dataset(users=200, items=60)
    cold = cold_items(dataset, 0.1)
    warm = leave_last_out(cold.train)
    met = np.bincount(warm.train.item_indices, minlength=dataset.num_items) > 0
    warm_validation = select_questions(warm.validation, np.array([met[row[0]] for row in warm.validation.targets]))
    scorer, matcher = MarkovChain().fit(warm.train), Follows().fit(warm.train)
    return scorer, matcher, np.flatnonzero(~met), warm_validation, cold.validation


def made(asked) -> NewItemPlaces:
    scorer, matcher, items, *_ = asked
    return NewItemPlaces("places", scorer, matcher, items)


@pytest.mark.parametrize("places", [0, 1, 3])
def test_new_items_that_suit_take_the_last_places(asked, places):
    """Against the definition, history by history."""
    mixed, (scorer, matcher, items, warm, _) = made(asked), asked
    histories = warm.histories[:20]
    suits = matcher.score(histories)[:, items].astype(float)
    chances = np.exp(suits) / np.exp(suits).sum(1, keepdims=True)
    mixed.places, mixed.least = places, float(np.median(chances.max(1))) * 0.999
    plain = WithoutNew("plain", scorer, items).recommend(histories, LIST, exclude=histories).items
    found = mixed.recommend(histories, LIST, exclude=histories).items
    took = 0
    for row, before, chance in zip(found, plain, chances, strict=True):
        best = [items[new] for new in np.argsort(-chance, kind="stable")[:places] if chance[new] >= mixed.least]
        assert row.tolist() == [*before[: LIST - len(best)].tolist(), *best]
        took += len(best)
    assert (0 < took < 20 * places) if places else not took


def test_the_choice_costs_no_more_than_allowed_and_finds_more_the_more_it_may(asked):
    """Costs and finds as the protocol measures them, on the questions of the choice."""
    scorer, _, items, warm, cold = asked
    never = evaluate(WithoutNew("never", scorer, items), warm, ks=(LIST,)).metrics["ndcg@10"]
    found = []
    for may_lose in (0.0, 0.02, 0.5):
        mixed = made(asked).choose(warm, cold, may_lose)
        assert 1 <= mixed.places <= MOST
        assert evaluate(mixed, warm, ks=(LIST,)).metrics["ndcg@10"] >= never * (1 - may_lose) - 1e-9
        found.append(evaluate(mixed, cold, ks=(LIST,)).metrics["recall@10"])
    assert found == sorted(found)
    assert found[-1] > 0
