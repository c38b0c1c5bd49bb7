"""Last places for items that nobody has met, against their definition from words and the model's own scores."""

import math

import numpy as np
import pyarrow as pa
import pytest

from genrec.baselines.content import TfidfKNN
from genrec.data.catalog import Catalog
from genrec.decoding import score_items
from genrec.errors import ConfigError
from genrec.model.config import ScratchConfig
from genrec.recommend.model_items import ModelItems
from genrec.recommend.newcomers import Newcomers
from genrec.recommend.recommender import Recommender, Request
from genrec.testing import toy_dataset

OLD = toy_dataset()
TITLES = OLD.catalog.titles
ROWS = pa.table(
    {
        "item_id": ["n0", "n1", "n2", "n3"],
        "title": [f"{TITLES[3]} Returns", f"{TITLES[4]} Returns", "Quux", f"{TITLES[3]} and {TITLES[4]}"],
        "year": [2001, 2002, 2003, 2004],
        "categories": [["Drama"], ["Drama"], ["Comedy"], ["Comedy"]],
    }
)
CATALOG = Catalog(pa.concat_tables([OLD.catalog.table, ROWS], promote_options="default"))
DATASET = OLD.with_catalog(CATALOG)
NEW = ROWS["item_id"].to_pylist()
WORDS = set(f"{TITLES[3]} {TITLES[4]}".split())
OTHER = next(f"i{row}" for row, title in enumerate(TITLES) if not WORDS & set(title.split()))
"""Shares no word with them."""


@pytest.fixture(scope="module")
def recommender(toy_model):
    return Recommender(toy_model(DATASET, ScratchConfig(layers=1, width=32, heads=2)), DATASET)


def ids(answer):
    return [item.item_id for item in answer.items]


def by_words(history, depth, without=(), dataset=DATASET):
    """New items among the first of the catalog by the words of a history, those most like it first."""
    found = dataset.catalog.ids
    scores = TfidfKNN().fit(dataset).score([found.indices(history).astype(np.int32)])[0]
    ranked = [found.ids[row] for row in np.argsort(-scores, kind="stable") if scores[row] > 0]
    return [item for item in [one for one in ranked if one not in {*history, *without}][:depth] if item in NEW]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("places", [1, 2, 3, 10])
def test_the_last_places_go_to_new_items_whose_words_suit_best(recommender, places, exact):
    history = ["i3", "i4"]
    asked = {"history": history, "k": 10, "beams": 28, "exact": exact}
    suiting = by_words(history, depth=15)[:places]
    assert "n2" not in suiting
    assert len(suiting) == min(places, 3)
    without = recommender.recommend(**asked, exclude=suiting)
    answer = recommender.recommend(**asked, new_items=places)
    assert ids(answer) == [*ids(without)[: 10 - len(suiting)], *suiting]
    assert [item.new for item in answer.items] == [False] * (10 - len(suiting)) + [True] * len(suiting)
    scores = score_items(recommender.model.generator, [recommender.builder.build(CATALOG.ids.indices(history))])[0]
    for item in answer.items:
        assert item.logprob == pytest.approx(scores[CATALOG.ids.indices([item.item_id])[0]], abs=1e-4)
    assert answer.eligible == recommender.recommend(**asked).eligible == 26


def test_nobody_new_comes_in_where_nothing_suits(recommender):
    assert not by_words([OTHER], depth=28)
    plain = recommender.recommend(history=[OTHER], k=5)
    assert recommender.recommend(history=[OTHER], k=5, new_items=5) == plain
    assert recommender.recommend(history=[], k=5, new_items=5) == recommender.recommend(history=[], k=5)


@pytest.mark.parametrize("k", [1, 2, 3, 6, 8, 10])
def test_an_item_suits_that_text_neighbours_would_recommend_in_a_list_half_as_long_again(k):
    """Known items with words as near stand before it, so short lists leave fewer places."""
    copies = pa.table({"item_id": [f"c{copy}" for copy in range(5)], "title": [TITLES[4]] * 5})
    catalog = Catalog(pa.concat_tables([OLD.catalog.table, copies, ROWS], promote_options="default"))
    met = OLD.interactions.table.slice(0, 5).set_column(1, "item_id", copies["item_id"])
    dataset = OLD.with_catalog(catalog).with_interactions(pa.concat_tables([OLD.interactions.table, met]))
    newcomers = Newcomers(dataset, ModelItems(catalog, catalog.ids.ids))
    history = catalog.ids.indices(["i4"])
    eligible = np.ones(len(catalog), dtype=bool)
    eligible[history] = False
    found = newcomers.suiting(history, eligible, most=k, k=k)
    assert [catalog.ids.ids[row] for row in found] == by_words(["i4"], math.ceil(1.5 * k), dataset=dataset)[:k]
    assert bool(len(found)) == (k >= 8), "five copies come first, and items of its category"


def test_filters_exclusions_and_candidates_hold_for_new_items_too(recommender):
    asked = {"history": ["i3", "i4"], "new_items": 3, "k": 6, "beams": 28}
    early = recommender.recommend(**asked, filters=["year<=2002"])
    late = np.array(CATALOG.table["year"].to_pylist()) > 2002
    others = [CATALOG.ids.ids[row] for row in np.flatnonzero(late)]
    assert [one.item_id for one in early.items if one.new] == by_words(["i3", "i4"], depth=9, without=others)[:3]
    assert "n1" in ids(early)
    assert "n3" not in ids(recommender.recommend(**asked, exclude=["n3"]))
    assert ids(recommender.recommend(**asked, candidates=["i7", "n1"])) == ["i7", "n1"]
    read = recommender.recommend(**{**asked, "history": ["i3", "n3"]})
    assert "n3" not in ids(read), "it was met by this user"


def test_a_cap_counts_new_items_and_others_take_the_places_of_those_that_do_not_fit(recommender):
    answer = recommender.recommend(history=["i3", "i4"], k=6, new_items=3, max_per_category=1, beams=28)
    categories = [name for item in ids(answer) for name in CATALOG.categories[CATALOG.ids.indices([item])[0]]]
    assert len(categories) == len(set(categories))
    known = recommender.recommend(history=["i3", "i4"], k=6, max_per_category=1, beams=28, exclude=NEW)
    assert len(ids(answer)) >= len(ids(known))


def test_requests_with_and_without_places_are_answered_together(recommender):
    requests = [
        Request(history=["i3", "i4"], k=4, new_items=2, beams=28),
        Request(history=["i3", "i4"], k=4, beams=28),
        Request(history=[OTHER], k=4, new_items=2, beams=28),
        Request(history=["i4"], k=4, new_items=1, beams=28),
    ]
    together = recommender.recommend_batch(requests)
    for request, answer in zip(requests, together, strict=True):
        [alone] = recommender.recommend_batch([request])
        assert ids(answer) == ids(alone)
        np.testing.assert_allclose([i.score for i in answer.items], [i.score for i in alone.items], atol=1e-4)


def test_an_item_that_was_met_is_not_new_and_one_that_comes_later_is(recommender):
    assert set(recommender.newcomers.items) == set(CATALOG.ids.indices(NEW))
    width = recommender.model.vocabulary.tokenizer.quantizer.codebooks.shape[2]
    rows = pa.table({"item_id": ["n9"], "title": [f"{CATALOG.titles[int(OTHER[1:])]} Again"]})
    later = recommender.with_items(rows, vectors=np.zeros((1, width), dtype=np.float32))
    answer = later.recommend(history=[OTHER], k=3, new_items=1)
    assert ids(answer)[-1] == "n9"
    assert answer.items[-1].new


@pytest.mark.parametrize("places", [-1, 4])
def test_there_are_no_more_places_than_the_list_has(places):
    with pytest.raises(ConfigError, match="new_items must be 0 to k=3"):
        Request(history=["i3"], k=3, new_items=places)
