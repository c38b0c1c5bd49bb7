"""eval/cold_items.py: its shortcuts against the protocol's own ranking, and the choice it makes."""

import numpy as np
import pytest

from eval.cold_items import WithoutNew
from eval.cold_places import LIST, MOST, NewItemPlaces
from genrec.baselines import MarkovChain
from genrec.baselines.content import TfidfKNN
from genrec.data.cold import cold_items, select_questions
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.testing import toy_dataset


@pytest.fixture(scope="module")
def asked():
    """A scorer, new items, and questions about known and new ones."""
    dataset = toy_dataset(users=200, items=60)
    cold = cold_items(dataset, 0.1)
    warm = leave_last_out(cold.train)
    met = np.bincount(warm.train.item_indices, minlength=dataset.num_items) > 0
    warm_validation = select_questions(warm.validation, np.array([met[row[0]] for row in warm.validation.targets]))
    scorer, text = MarkovChain().fit(warm.train), TfidfKNN().fit(warm.train)
    return scorer, text, np.flatnonzero(~met), dataset.catalog.text_of(), warm_validation, cold.validation


def made(asked) -> NewItemPlaces:
    scorer, text, items, words, *_ = asked
    return NewItemPlaces("places", scorer, [text], items, words)


@pytest.mark.parametrize("places", [0, 1, 3])
def test_new_items_that_suit_take_the_last_places(asked, places):
    """Against the definition, history by history."""
    mixed, (scorer, text, items, _, warm, _) = made(asked), asked
    mixed.places, mixed.weights = places, np.array([1.0, 0.0])
    histories = warm.histories[:20]
    likeness = text.score(histories)
    suits = (likeness - likeness.mean(1, keepdims=True)) / likeness.std(1, keepdims=True)
    mixed.least = float(np.median(suits[:, items].max(1)))
    plain = WithoutNew("plain", scorer, items).recommend(histories, LIST, exclude=histories).items
    found = mixed.recommend(histories, LIST, exclude=histories).items
    took = 0
    for row, before, suit in zip(found, plain, suits[:, items], strict=True):
        best = [items[new] for new in np.argsort(-suit, kind="stable")[:places] if suit[new] >= mixed.least - 1e-6]
        assert row.tolist() == [*before[: LIST - len(best)].tolist(), *best]
        took += len(best)
    assert (0 < took < 20 * places) if places else not took


def test_the_choice_costs_no_more_than_allowed_and_finds_more_the_more_it_may(asked):
    """Costs and finds as the protocol measures them, on the questions of the choice."""
    scorer, _, items, _, warm, cold = asked
    never = evaluate(WithoutNew("never", scorer, items), warm, ks=(LIST,)).metrics["ndcg@10"]
    found = []
    for may_lose in (0.0, 0.02, 0.5):
        mixed = made(asked).choose(warm, cold, may_lose)
        assert 1 <= mixed.places <= MOST
        assert evaluate(mixed, warm, ks=(LIST,)).metrics["ndcg@10"] >= never * (1 - may_lose) - 1e-9
        found.append(evaluate(mixed, cold, ks=(LIST,)).metrics["recall@10"])
    assert found == sorted(found)
    assert found[-1] > 0
