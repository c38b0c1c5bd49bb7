"""What is recommended, whatever is asked: existing items, eligible items, as many as there are."""

import math
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.interactions import Interactions
from genrec.decoding.exact import score_items
from genrec.errors import ConfigError, FilterError, ModelError, UnknownIdError
from genrec.model.config import PretrainedConfig, ScratchConfig
from genrec.recommend.filters import filter_mask
from genrec.recommend.recommender import WANTED_PRIOR, Recommender
from genrec.testing import toy_catalog, toy_dataset
from genrec.testing.tiny_base import save_tiny_base

N = 24
DATASET = toy_dataset(items=N)
IDS, TITLES = DATASET.catalog.ids.ids, DATASET.catalog.titles


@pytest.fixture(scope="module")
def model(toy_model, tmp_path_factory):
    folder = save_tiny_base(tmp_path_factory.mktemp("base"), TITLES)
    return toy_model(DATASET, PretrainedConfig(name=str(folder)))


@pytest.fixture(scope="module")
def recommender(model):
    return Recommender(model, DATASET)


def ids(answer):
    return [item.item_id for item in answer.items]


def satisfying(*filters):
    mask = filter_mask(DATASET.catalog, list(filters))
    return {item for item, good in zip(IDS, mask, strict=True) if good}


def test_a_history(recommender):
    answer = recommender.recommend(history=["i3", "i4"], k=5)
    assert len(set(ids(answer))) == 5
    assert set(ids(answer)) <= set(IDS) - {"i3", "i4"}
    assert answer.history == ("i3", "i4")
    assert (answer.understood, answer.filters, answer.eligible) == (None, (), N - 2)
    assert [item.title for item in answer.items] == [TITLES[IDS.index(item)] for item in ids(answer)]
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    assert scores == [item.logprob for item in answer.items]


def test_scores_are_the_generators_log_probabilities(recommender, model):
    answer = recommender.recommend(history=["i3", "i4"], k=N, beams=N)
    prompt = recommender.builder.build(np.array([3, 4], dtype=np.int32))
    exact = score_items(model.generator, [prompt])[0]
    for item in answer.items:
        assert item.score == pytest.approx(exact[IDS.index(item.item_id)], abs=1e-4)


def test_a_user_is_the_history_of_that_user(recommender):
    history = [IDS[item] for item in DATASET.histories[5]]
    answer = recommender.recommend(user="u5")
    assert answer.history == tuple(history)
    assert answer == recommender.recommend(history=history)


def test_history_user_and_prompt_together(recommender):
    prompt = f"something like {TITLES[20]}, not {TITLES[21]}, drama, after 1975"
    answer = recommender.recommend(history=["i0"], user="u5", prompt=prompt, filters=["year<1990"], k=N)
    seen = {IDS[item] for item in DATASET.histories[5]} | {"i0"}
    assert answer.history == (*(IDS[item] for item in DATASET.histories[5]), "i0", "i20")
    assert answer.understood.liked == (20,)
    assert answer.understood.disliked == (21,)
    assert answer.understood.wanted == ("Drama",)
    expected = satisfying("year<1990", "categories=Drama", *answer.understood.filters)
    assert "year<1990" in answer.filters
    assert len(answer.filters) == 2
    assert set(ids(answer)) == expected - seen - {"i20", "i21"} != set()


@pytest.mark.parametrize("include_seen", [False, True])
def test_seen_items_come_back_only_if_asked_for(recommender, include_seen):
    answer = recommender.recommend(history=["i3", "i4"], k=N, include_seen=include_seen)
    assert set(ids(answer)) == (set(IDS) if include_seen else set(IDS) - {"i3", "i4"})


def test_liked_and_disliked_titles_are_never_recommended(recommender):
    answer = recommender.recommend(prompt=f"I loved {TITLES[3]}, but no {TITLES[7]} please", k=N, include_seen=True)
    assert answer.history == ("i3",)
    assert set(ids(answer)) == set(IDS) - {"i3", "i7"}


def test_filters_hold_for_every_item(recommender):
    answer = recommender.recommend(history=["i3"], filters=["year>=1985", "not genre=Comedy"], k=N)
    assert set(ids(answer)) == satisfying("year>=1985", "not genre=Comedy") - {"i3"}
    assert answer.eligible == len(answer.items)


def test_items_with_more_of_what_is_wanted_come_first_all_else_equal(recommender):
    """Every item has one of the wanted values at least, and each further one adds to its score."""
    answer = recommender.recommend(prompt="comedy or drama", k=N)
    assert set(answer.understood.wanted) == {"Comedy", "Drama"}
    both = satisfying("categories=Comedy", "categories=Drama")
    assert set(ids(answer)) == satisfying("categories=Comedy or categories=Drama")
    assert both
    for item in answer.items:
        assert item.score - item.logprob == pytest.approx(WANTED_PRIOR if item.item_id in both else 0.0, abs=1e-5)


def test_values_that_are_meant_together_are_all_required_where_enough_items_have_them(recommender):
    both = satisfying("categories=Comedy", "categories=Drama")
    assert len(both) >= 2
    asked = {k: recommender.recommend(prompt="comedy mixed with drama", k=k) for k in (1, len(both), len(both) + 1)}
    assert set(ids(asked[1])) <= both
    assert set(ids(asked[len(both)])) == both
    # There are not so many: one of the two is enough.
    more = set(ids(asked[len(both) + 1]))
    assert len(more) == len(both) + 1
    assert more <= satisfying("categories=Comedy or categories=Drama")


@pytest.mark.parametrize("exact", [False, True])
def test_k_above_what_is_eligible(recommender, exact):
    answer = recommender.recommend(history=["i3"], filters=["year<1974"], k=1000, beams=2, exact=exact)
    assert set(ids(answer)) == {"i0", "i1", "i2"}
    assert answer.eligible == 3
    nothing = recommender.recommend(history=["i3"], filters=["year>3000"], exact=exact)
    assert (nothing.items, nothing.eligible) == ((), 0)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(IDS), max_size=12), st.integers(1, N), st.sampled_from([(), ("year>=1980",)]))
def test_exact_scoring_and_a_beam_for_every_item_agree(recommender, history, k, filters):
    searched = recommender.recommend(history=history, k=k, filters=filters, beams=N)
    exact = recommender.recommend(history=history, k=k, filters=filters, exact=True)
    assert ids(searched) == ids(exact)
    for ours, theirs in zip(searched.items, exact.items, strict=True):
        assert ours.score == pytest.approx(theirs.score, abs=1e-4)


def test_an_empty_history_and_an_empty_prompt_are_served(recommender):
    assert len(recommender.recommend(history=[]).items) == 10
    assert len(recommender.recommend(prompt="").items) == 10
    assert len(recommender.recommend(prompt=" \n").items) == 10


def test_only_the_latest_items_are_read_and_all_are_seen(recommender):
    """The model reads 8 items; the ones before them are still not recommended."""
    answer = recommender.recommend(history=IDS[:12], k=N)
    assert len(answer.history) == 12
    assert set(ids(answer)) == set(IDS[12:])
    shorter = recommender.recommend(history=IDS[4:12], filters=[], k=N)
    common = [item for item in ids(shorter) if item in ids(answer)]
    assert common == ids(answer)


def test_what_cannot_be_asked(recommender):
    with pytest.raises(ConfigError, match="nothing to recommend for"):
        recommender.recommend()
    with pytest.raises(ConfigError, match="k must be at least 1"):
        recommender.recommend(history=["i1"], k=0)
    with pytest.raises(UnknownIdError, match="unknown item id 'i99' in data set toy"):
        recommender.recommend(history=["i1", "i99"])
    with pytest.raises(UnknownIdError, match="unknown user id 'nobody' in data set toy"):
        recommender.recommend(user="nobody")
    with pytest.raises(FilterError, match="colour"):
        recommender.recommend(history=["i1"], filters=["colour=red"])


def grown(order):
    """The toy data set some time later: 30 items, in another order, and user u0 has met a new one."""
    catalog = toy_catalog(30)
    table = pa.concat_tables([
        DATASET.interactions.table,
        Interactions.from_columns(
            pa.array(["u0"]), pa.array(["i29"]), timestamp=np.array([2_000_000_000]), rating=np.array([5.0])
        ).table,
    ])  # fmt: skip
    return Dataset("toy", Interactions(table), Catalog(catalog.table.take(order)), DATASET.users)


def test_a_data_set_that_has_grown_since_training(model, recommender):
    later = Recommender(model, grown(np.random.default_rng(0).permutation(30)))
    answer, before = later.recommend(user="u0", k=30), recommender.recommend(user="u0", k=30)
    assert answer.history == before.history
    assert [replace(item, score=0, logprob=0) for item in answer.items] == [
        replace(item, score=0, logprob=0) for item in before.items
    ]
    assert later.recommend(history=["i29", "i3"]).history == ("i3",)
    filtered = later.recommend(history=["i3"], filters=["year>=1985"], k=30)
    assert ids(filtered) == ids(recommender.recommend(history=["i3"], filters=["year>=1985"], k=30))


def test_a_data_set_that_lacks_an_item_of_the_model_is_refused(model):
    with pytest.raises(ModelError, match="lacks an item of the model"):
        Recommender(model, toy_dataset(items=N - 1))


def test_a_model_without_text_takes_what_the_matcher_understands(toy_model, caplog):
    recommender = Recommender(toy_model(DATASET, ScratchConfig(layers=1, width=32, heads=2)), DATASET)
    assert not recommender.reads_text
    with caplog.at_level("INFO", "genrec"):
        answer = recommender.recommend(prompt=f"comedy like {TITLES[3]}", k=N)
    assert answer.history == ("i3",)
    assert set(ids(answer)) == satisfying("categories=Comedy") - {"i3"}
    assert "item codes only" in caplog.text


PIECES = [
    *TITLES[:6],
    *(
        "<|endoftext|>",
        "<|im_start|>system\n",
        "<|im_end|>",
        "{{ history }}",
        "{% for x in y %}",
        "{# #}",
        "{{ 1 / 0 }}",
    ),
    *("\U000f0000\U000f0001", "\x00", "\ud800", "\u202e", "\u200d", "\ufeff", "\r\n\t", "((((", "\\", "categories='"),
    *(
        "ничего грустного",
        "不要恐怖片",
        "لا أفلام رعب",
        "été à la mer",
        "👩🔥",
        "année 1990",
        "not ",
        "but no ",
        "like ",
    ),
    *("before 1980", "between 1990 and 1970", "under $-5", "year>=", "a" * 3000, "no " * 900),
]


def random_prompt(rng):
    """0 to 10,000 characters: pieces that could hurt, any code point, any bytes."""
    length = int(rng.integers(0, 10_001)) if rng.random() < 0.25 else int(rng.integers(0, 200))
    kind = rng.integers(3)
    if kind == 0:
        return "".join(PIECES[piece] for piece in rng.integers(len(PIECES), size=rng.integers(1, 8)))[:10_000]
    if kind == 1:
        return "".join(map(chr, rng.integers(0x110000, size=length)))
    encoding, errors = ["latin-1", "utf-8", "utf-16"][rng.integers(3)], ["replace", "ignore"][rng.integers(2)]
    return rng.bytes(length).decode(encoding, errors)


def test_two_hundred_random_prompts_get_valid_items(recommender):
    rng = np.random.default_rng(0)
    longest = 0
    for number in range(200):
        prompt = random_prompt(rng)
        longest = max(longest, len(prompt))
        answer = recommender.recommend(
            prompt=prompt, history=None if number % 2 else ["i3", "i4"], user="u1" if number % 3 == 0 else None, k=5
        )
        assert len(answer.items) == min(5, answer.eligible)
        assert set(ids(answer)) <= set(IDS)
        assert len(set(ids(answer))) == len(answer.items)
        assert not set(ids(answer)) & set(answer.history)
        mask = filter_mask(DATASET.catalog, list(answer.filters))
        assert all(mask[IDS.index(item)] for item in ids(answer))
        assert all(math.isfinite(item.score) for item in answer.items)
    assert longest > 9_000
