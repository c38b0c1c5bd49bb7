"""What is said of a history is what happens when an item of it is left out."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.exact import score_items
from genrec.explain import explain
from genrec.explain.attribution import Attribution
from genrec.model.description import EvidenceDescription
from genrec.recommend.evidence import ScorerEvidence
from genrec.recommend.recommender import Recommender, Request
from genrec.testing import toy_dataset
from genrec.testing.untrained import MAX_ITEMS

IDS = toy_dataset().catalog.ids.ids
REQUESTS = st.builds(
    Request,
    history=st.lists(st.sampled_from(IDS), min_size=1, max_size=12),
    k=st.sampled_from([1, 3, 10]),
    filters=st.lists(st.sampled_from(["year>=1975", "not genre=Drama"]), max_size=1),
    boosts=st.dictionaries(st.sampled_from(["genre=Comedy", "year<1985"]), st.sampled_from([-1.0, 2.0])),
    include_seen=st.booleans(),
)


def explained(recommender, request, **options):
    answer = recommender.recommend_batch([request])[0]
    return answer, explain(recommender, request, answer, **options)


def scores_without(recommender, request, answer, item):
    """Score of each item of an answer, had the history that was read been without an item: through the recommender."""
    read = [one for one in answer.history[-MAX_ITEMS:] if one != item]
    ids = [one.item_id for one in answer.items]
    asked = replace(request, history=read, k=len(ids), candidates=ids, include_seen=True, exact=True)
    return {one.item_id: (one.score, one.logprob) for one in recommender.recommend_batch([asked])[0].items}


@settings(max_examples=25)
@given(REQUESTS)
def test_every_reason_is_what_leaving_the_item_out_does(recommender, request):
    answer, explanations = explained(recommender, request)
    assert [one.item_id for one in explanations] == [item.item_id for item in answer.items]
    for item in dict.fromkeys(answer.history[-MAX_ITEMS:]):
        without = scores_without(recommender, request, answer, item)
        for explanation in explanations:
            (reason,) = [one for one in explanation.history if one.item_id == item]
            score, logprob = without[explanation.item_id]
            assert reason.delta == pytest.approx(explanation.logprob - logprob, abs=1e-4)
            others = [other for name, (other, _) in without.items() if name != explanation.item_id]
            surely, perhaps = (sum(other > score + gap for other in others) for gap in (1e-3, -1e-3))
            assert 1 + surely <= reason.place_without <= 1 + perhaps


@settings(max_examples=10)
@given(REQUESTS, st.sampled_from([1, 2, 5]))
def test_the_size_of_batches_changes_nothing(recommender, request, batch_size):
    _, together = explained(recommender, request)
    _, few = explained(recommender, request, batch_size=batch_size)
    for one, other in zip(together, few, strict=True):
        deltas = [{reason.item_id: reason.delta for reason in each.history} for each in (one, other)]
        assert deltas[0] == pytest.approx(deltas[1], abs=1e-5)
        assert {r.item_id: r.place_without for r in one.history} == {r.item_id: r.place_without for r in other.history}
        assert (one.words, one.evidence, one.filters) == (other.words, other.evidence, other.filters)


def test_the_history_that_was_read_is_explained_and_no_more(recommender):
    answer, explanations = explained(recommender, Request(history=IDS[:12], k=2))
    assert len(answer.history) == 12
    for explanation in explanations:
        assert {reason.item_id for reason in explanation.history} == set(IDS[12 - MAX_ITEMS : 12])
        deltas = [reason.delta for reason in explanation.history]
        assert deltas == sorted(deltas, reverse=True)


def test_only_the_latest_items_are_left_out_if_that_is_enough(recommender):
    request = Request(history=["i1", "i2", "i3", "i1", "i4"], k=3)
    _, everything = explained(recommender, request)
    for latest, left in ((2, {"i1", "i4"}), (0, set()), (9, {"i1", "i2", "i3", "i4"})):
        _, few = explained(recommender, request, latest=latest)
        for one, whole in zip(few, everything, strict=True):
            assert {reason.item_id for reason in one.history} == left
            deltas = {reason.item_id: reason.delta for reason in whole.history}
            assert all(reason.delta == pytest.approx(deltas[reason.item_id], abs=1e-5) for reason in one.history)


def test_a_history_of_one_item(recommender):
    answer, explanations = explained(recommender, Request(history=["i3"], k=4))
    nothing = recommender.recommend(history=[], k=24, exact=True)
    logprobs = {item.item_id: item.logprob for item in nothing.items}
    for item, explanation in zip(answer.items, explanations, strict=True):
        (reason,) = explanation.history
        assert reason.delta == pytest.approx(item.logprob - logprobs[item.item_id], abs=1e-4)


def test_an_item_that_was_met_twice_is_left_out_twice(recommender):
    _, explanations = explained(recommender, Request(history=["i3", "i4", "i3"], k=2))
    less = recommender.recommend(history=["i4"], k=24, exact=True, include_seen=True)
    logprobs = {item.item_id: item.logprob for item in less.items}
    for explanation in explanations:
        assert [reason.item_id for reason in explanation.history].count("i3") == 1
        (reason,) = [one for one in explanation.history if one.item_id == "i3"]
        assert reason.delta == pytest.approx(explanation.logprob - logprobs[explanation.item_id], abs=1e-4)


def test_the_words_of_a_prompt_stay_where_a_title_of_it_is_left_out(reader):
    request = Request(history=["i5"], prompt="something quiet like Red River", k=3)
    answer, explanations = explained(reader, request)
    assert answer.history == ("i5", "i0")
    generator = reader.model.generator
    prompts = [reader.builder.build(np.array(rows, np.int32), request.prompt) for rows in ([5, 0], [5])]
    whole, without = score_items(generator, prompts)
    for explanation in explanations:
        (reason,) = [one for one in explanation.history if one.item_id == "i0"]
        row = IDS.index(explanation.item_id)
        assert reason.delta == pytest.approx(whole[row] - without[row], abs=1e-4)
        assert explanation.logprob == pytest.approx(whole[row], abs=1e-4)


def test_neither_a_history_nor_items_need_to_be_there(recommender):
    _, explanations = explained(recommender, Request(prompt="comedy", k=2))
    assert [one.history for one in explanations] == [(), ()]
    assert explained(recommender, Request(history=["i3"], filters=["year>3000"]))[1] == []


def test_only_some_items_are_explained_but_places_count_all(recommender):
    request = Request(history=["i3", "i9"], k=10)
    _, everything = explained(recommender, request)
    _, few = explained(recommender, request, items=2)
    assert len(few) == 2
    assert [[r.place_without for r in one.history] for one in few] == [
        [r.place_without for r in one.history] for one in everything[:2]
    ]
    assert few[0].of == 10


def test_places_by_hand():
    scores = np.array([-1.0, -2.0, -3.0])
    without = np.array([[-4.0, -2.0, -3.0], [-1.0, -2.0, -1.5], [-1.0, -1.0, -1.0]])
    delta = (scores - without).astype(np.float32)
    nothing = np.zeros_like(delta)
    for parts in ((delta, nothing), (nothing, delta), (delta / 2, delta / 2)):
        assert Attribution(("a", "b", "c"), *parts).places(scores).tolist() == [[3, 1, 2], [1, 3, 2], [1, 2, 3]]
    assert Attribution(("a",), delta[:1], nothing[:1]).places(np.array([3.0, -2.0, -3.0])).tolist() == [[1, 2, 3]]


@settings(max_examples=10)
@given(st.lists(st.sampled_from(IDS), min_size=1, max_size=MAX_ITEMS), st.floats(0.5, 4.0))
def test_what_guides_the_search_is_left_out_too(recommender, history, strength):
    guided = Recommender(recommender.model, recommender.dataset)
    about = EvidenceDescription(scorers=["item-knn", "ease"], weights=[1.0, 0.5], strength=strength)
    guided.evidence = ScorerEvidence.fitted(about, guided.dataset, IDS)
    request = Request(history=history, k=5)
    answer, explanations = explained(guided, request)
    for item in dict.fromkeys(history):
        without = scores_without(guided, request, answer, item)
        for explanation in explanations:
            (reason,) = [one for one in explanation.history if one.item_id == item]
            score, logprob = without[explanation.item_id]
            assert reason.delta == pytest.approx(explanation.score - score, abs=1e-3)
            assert reason.delta - reason.guided == pytest.approx(explanation.logprob - logprob, abs=1e-4)
    assert any(reason.guided for explanation in explanations for reason in explanation.history)
    assert not any("times less likely" in one.sentence for one in explanations if one.history[0].guided)


def test_the_reason_is_the_one_that_made_the_data(model_folder):
    """In the toy data the last item decides what is next."""
    recommender = Recommender.from_pretrained(model_folder, data=toy_dataset())
    for start in (0, 7):
        history = [f"i{item}" for item in range(start, start + 5)]
        answer, explanations = explained(recommender, Request(history=history, k=5))
        assert answer.items[0].item_id == f"i{start + 5}"
        assert explanations[0].history[0].item_id == history[-1]
        assert math.exp(explanations[0].history[0].delta) > 2


def test_items_that_came_after_training(model_folder):
    rows = pa.table({"item_id": ["new"], "title": ["Amber Bridge"], "categories": [["Comedy"]], "year": [2020]})
    recommender = Recommender.from_pretrained(model_folder, data=toy_dataset()).with_items(rows)
    answer, explanations = explained(recommender, Request(history=["i3", "new"], candidates=["i4", "i5"], k=2))
    assert answer.history == ("i3", "new")
    for explanation in explanations:
        assert {reason.title for reason in explanation.history} == {"Golden Forest", "Amber Bridge"}
        assert {one.item_id for one in explanation.evidence} <= {"i3"}
    _, (explanation,) = explained(recommender, Request(history=["i3", "i4"], candidates=["new"], filters=["year=2020"]))
    assert explanation.title == "Amber Bridge"
    assert explanation.evidence == ()
    assert explanation.filters[0].values == {"year": 2020}
