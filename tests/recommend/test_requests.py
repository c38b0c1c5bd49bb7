"""Boosts, caps, candidates and batches through the recommender, against the whole ranking."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.decoding.exact import score_items
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError, FilterError, UnknownIdError
from genrec.model.config import ScratchConfig
from genrec.recommend.filters import filter_mask
from genrec.recommend.recommender import Recommender, Request
from genrec.recommend.request_weights import TITLE_WORD_PRIOR
from genrec.testing import toy_dataset

N = 24
DATASET = toy_dataset(items=N)
IDS, CATEGORIES = DATASET.catalog.ids.ids, DATASET.catalog.categories
FILTERS = ["year>=1980", "not genre=Drama", "genre=Comedy or year<1975"]


@pytest.fixture(scope="module")
def recommender(toy_model):
    return Recommender(toy_model(DATASET, ScratchConfig(layers=1, width=32, heads=2)), DATASET)


def ids(answer):
    return [item.item_id for item in answer.items]


def expected(recommender, request):
    """What a request means, from the log-probability of every item: (item, score) best first."""
    history = [IDS.index(item) for item in request.history]
    prompt = recommender.builder.build(np.array(history[-8:], dtype=np.int32))
    scores = score_items(recommender.model.generator, [prompt])[0].astype(np.float64)
    scores[~filter_mask(DATASET.catalog, request.filters)] = -np.inf
    for expression, weight in request.boosts.items():
        scores += weight * filter_mask(DATASET.catalog, [expression])
    if request.candidates is not None:
        scores[~np.isin(IDS, request.candidates)] = -np.inf
    scores[np.isin(IDS, request.exclude)] = -np.inf
    if not request.include_seen:
        scores[history] = -np.inf
    taken, chosen = Counter(), []
    for item in np.argsort(-scores, kind="stable"):
        cap = request.max_per_category or N
        if scores[item] > -np.inf and len(chosen) < request.k and all(taken[c] < cap for c in CATEGORIES[item]):
            taken.update(CATEGORIES[item])
            chosen.append((IDS[item], scores[item]))
    return chosen


REQUESTS = st.builds(
    Request,
    history=st.lists(st.sampled_from(IDS), max_size=10),
    k=st.sampled_from([1, 4, N]),
    filters=st.lists(st.sampled_from(FILTERS), max_size=1),
    boosts=st.dictionaries(st.sampled_from(FILTERS), st.sampled_from([-2.0, 0.5, 3.0])),
    max_per_category=st.sampled_from([None, 1, 3]),
    candidates=st.none() | st.lists(st.sampled_from(IDS), max_size=12),
    exclude=st.lists(st.sampled_from(IDS), max_size=6),
    include_seen=st.booleans(),
    beams=st.just(N),
    exact=st.booleans(),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(REQUESTS, min_size=1, max_size=5))
def test_any_batch_of_requests_is_answered_by_definition(recommender, requests):
    answers = recommender.recommend_batch(requests, batch_size=2)
    for request, answer in zip(requests, answers, strict=True):
        right = expected(recommender, request)
        assert ids(answer) == [item for item, _ in right]
        np.testing.assert_allclose([item.score for item in answer.items], [score for _, score in right], atol=1e-4)


@settings(max_examples=20, deadline=None)
@given(st.lists(REQUESTS, min_size=2, max_size=5), st.integers(1, 6))
def test_batch_mates_change_nothing_even_with_few_beams(recommender, requests, beams):
    requests = [replace(request, beams=beams, k=3) for request in requests]
    together = recommender.recommend_batch(requests)
    for request, answer in zip(requests, together, strict=True):
        assert ids(answer) == ids(recommender.recommend_batch([request])[0])


def test_the_keywords_are_the_fields_of_a_request(recommender):
    keywords = {
        "history": ["i3"],
        "k": 4,
        "filters": ["year>=1975"],
        "boosts": {"genre=Comedy": 2.0},
        "max_per_category": 2,
        "candidates": IDS[:20],
        "exclude": IDS[5:8],
        "include_seen": True,
        "beams": 30,
        "exact": False,
    }
    assert recommender.recommend(**keywords) == recommender.recommend_batch([Request(**keywords)])[0]


def test_no_requests_have_no_answers(recommender):
    assert recommender.recommend_batch([]) == []


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"max_per_category": 0}, ConfigError, "max_per_category"),
        ({"beams": 0}, ConfigError, "beams"),
        ({"boosts": {"genre=Comedy": float("inf")}}, ConfigError, "finite"),
        ({"boosts": {"colour=red": 1.0}}, FilterError, "colour"),
        ({"candidates": ["i3", "nope"]}, UnknownIdError, "nope"),
        ({"exclude": ["nope"]}, UnknownIdError, "nope"),
    ],
)
def test_what_cannot_be_asked_is_refused(recommender, wrong, error, message):
    with pytest.raises(error, match=message):
        recommender.recommend(history=["i1"], **wrong)


def test_a_cap_where_no_item_has_a_category_is_refused(toy_model):
    plain = Catalog(DATASET.catalog.table.drop_columns(["categories"]))
    dataset = Dataset("toy", DATASET.interactions, plain, DATASET.users)
    recommender = Recommender(toy_model(dataset, ScratchConfig(layers=1, width=32, heads=2)), dataset)
    with pytest.raises(ConfigError, match="no categories"):
        recommender.recommend(history=["i1"], max_per_category=2)


def test_stacked_weights_are_those_of_each_user():
    one = ItemWeights.from_seen([[1]], 4) + ItemWeights.from_mask(np.array([True, True, True, False]))
    rows = [ItemWeights.from_seen([[0, 2]], 4), ItemWeights.from_candidates([[2]], 4), one]
    for parts in (rows, rows[:1] * 2, rows[1:], rows[2:]):
        stacked = ItemWeights.stack(parts)
        np.testing.assert_array_equal(stacked.dense, np.concatenate([part.dense for part in parts]))
    assert ItemWeights.stack(rows[:1] * 3).base.size == 1
    with pytest.raises(ConfigError, match="batch"):
        ItemWeights.stack([rows[0], ItemWeights.from_seen([[0]], 5)])


def test_a_model_that_reads_no_words_prefers_titles_that_have_them_and_leaves_out_those_it_shall_not(recommender):
    """Titles of the toy are of a colour and a thing, and no prompt here names one whole."""
    titles = [title.split() for title in DATASET.catalog.titles]
    asked = {"history": ["i3"], "k": N, "exact": True}
    plain = {item.item_id: item.score for item in recommender.recommend(**asked).items}
    answer = recommender.recommend(**asked, prompt="something violet, but no castle")
    assert answer.understood.title_words == ("violet",)
    assert answer.understood.unwanted_title_words == ("castle",)
    assert not any("Castle" in titles[IDS.index(item)] for item in ids(answer))
    for item in answer.items:
        more = TITLE_WORD_PRIOR * ("Violet" in titles[IDS.index(item.item_id)])
        assert item.score == pytest.approx(plain[item.item_id] + more, abs=1e-4)
    assert len(answer.items) == sum("Castle" not in title for title in titles) - 1
