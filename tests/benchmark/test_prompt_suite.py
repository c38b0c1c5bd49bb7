"""Prompts of the suite: what they demand, of whom they are made, and what is left out."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from genrec.benchmark.prompts.constraint import Constraint, satisfying
from genrec.benchmark.prompts.development import DEVELOPMENT
from genrec.benchmark.prompts.phrasings import KINDS, Phrasings
from genrec.benchmark.prompts.suite import NAMES_TITLES, make_suite
from genrec.benchmark.prompts.wording import with_typo
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out
from genrec.prompt.attributes import ItemAttributes
from genrec.prompt.titles import spoken
from genrec.testing import toy_dataset


@pytest.fixture(scope="module")
def ml_100k():
    return Dataset.load("ml-100k")


@pytest.fixture(scope="module")
def suite(ml_100k):
    return make_suite(ml_100k, leave_last_out(ml_100k).validation, DEVELOPMENT)


def test_at_least_600_prompts_in_six_kinds_each_of_another_user(suite):
    kinds = [prompt.kind for prompt in suite.prompts]
    assert len(kinds) >= 600
    assert {kind: kinds.count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 120)
    assert len({prompt.user for prompt in suite.prompts}) == len(kinds)
    assert suite.left_out == {}


def test_the_target_and_ten_unseen_items_are_as_demanded(suite):
    for prompt in suite.prompts:
        mask = satisfying(prompt.constraints, suite.source.attributes)
        assert len(prompt.targets) == 1
        assert mask[prompt.targets].all()
        assert not np.isin(prompt.targets, prompt.seen).any()
        assert mask.sum() - mask[prompt.seen].sum() >= 10


def test_all_but_liked_titles_demand_something(suite):
    assert {prompt.kind for prompt in suite.prompts if not prompt.constraints} == {"liked"}


def test_titles_are_the_only_history_of_kinds_that_name_some(suite, ml_100k):
    asked = leave_last_out(ml_100k).validation
    histories = dict(zip(asked.users.tolist(), asked.histories, strict=True))
    for prompt in suite.prompts:
        past = histories[prompt.user]
        assert prompt.seen.tolist() == np.unique(past).tolist()
        assert bool(prompt.named) == (prompt.kind in NAMES_TITLES)
        assert prompt.history.tolist() == ([] if prompt.named else past.tolist())
        rated = ml_100k.histories.ratings[ml_100k.histories.indptr[prompt.user] :][: len(past)]
        assert set(prompt.named) <= set(past[rated >= 4].tolist())
        if not prompt.typos:
            titles = [ml_100k.catalog.titles[item] for item in prompt.named]
            assert all(spoken(title).lower() in prompt.text.lower() or title in prompt.text for title in titles)


def test_typos_are_in_mixed_prompts_only(suite):
    typos = [prompt.typos for prompt in suite.prompts if prompt.kind == "mixed"]
    assert {prompt.kind for prompt in suite.prompts if prompt.typos} == {"mixed"}
    assert 30 <= np.count_nonzero(typos) <= 90


def test_the_seed_decides(ml_100k, suite):
    questions = leave_last_out(ml_100k).validation
    assert make_suite(ml_100k, questions, DEVELOPMENT).digest() == suite.digest()
    assert make_suite(ml_100k, questions, DEVELOPMENT, seed=1).digest() != suite.digest()


def test_a_catalog_of_titles_leaves_all_but_one_kind_out():
    toy = toy_dataset(items=40)
    bare = replace(toy, catalog=Catalog(toy.catalog.table.select(["item_id", "title"])))
    suite = make_suite(bare, leave_last_out(bare).test, DEVELOPMENT)
    assert {prompt.kind for prompt in suite.prompts} == {"liked"}
    assert set(suite.left_out) == set(KINDS) - {"liked"}


def test_other_columns_and_texts_make_prompts_too():
    """A shop: brands are values, and words of the texts are what a prompt without a known mood is about."""
    toy = toy_dataset(items=60)
    table = pa.table(
        {
            "item_id": toy.catalog.table["item_id"],
            "title": toy.catalog.table["title"],
            "brand": [f"Brand {'ABC'[item % 3]}" for item in range(60)],
            "text": [f"made of {('copper', 'walnut', 'linen')[item // 20]}" for item in range(60)],
        }
    )
    shop = replace(toy, catalog=Catalog(table))
    words = Phrasings("shop", {"genre": ("only {wanted}",), "mood": ("about {topic}",)}, ())
    suite = make_suite(shop, leave_last_out(shop).test, words, per_kind=5)
    said = {prompt.kind: [c.said(suite.source.attributes) for c in prompt.constraints] for prompt in suite.prompts}
    assert said["genre"][0] in ("Brand A", "Brand B", "Brand C")
    assert set(suite.left_out) == {"liked", "year", "negation", "mixed", "mood"}  # each word is in a third of the texts
    rare = [f"made of {'copper' if item in (9, 10, 11) else 'steel'}" for item in range(60)]
    shop = replace(toy, catalog=Catalog(table.set_column(3, "text", pa.array(rare))))
    prompt = make_suite(shop, leave_last_out(shop).test, words, per_kind=5).prompts[-1]
    assert (prompt.text, prompt.constraints) == ("about copper", ())


def test_what_items_satisfy_by_hand():
    table = pa.table(
        {
            "item_id": ["a", "b", "c", "d"],
            "title": ["A", "B", "C", "D"],
            "categories": [["Comedy"], ["Comedy", "War"], ["War"], []],
            "year": pa.array([1990, 1999, 2000, None], pa.int64()),
        }
    )
    attributes = ItemAttributes.of_catalog(Catalog(table))
    comedy, war = attributes.values.index("Comedy"), attributes.values.index("War")

    def held(*constraints):
        return "".join(np.array(list("abcd"))[satisfying(constraints, attributes)])

    assert held(Constraint((comedy,))) == "ab"
    assert held(Constraint((comedy, war))) == "abc"
    assert held(Constraint((comedy,)), Constraint((war,))) == "b"
    assert held(Constraint((comedy,)), Constraint((war,), negated=True)) == "a"
    assert held(Constraint(years=(1990, 1999))) == "ab"
    assert held(Constraint(years=(1990, 1999), negated=True)) == "cd"
    assert held() == "abcd"


@given(st.text(alphabet="abcdef ", max_size=30), st.integers(0, 99))
def test_a_typo_is_one_slip_behind_the_first_letter_of_a_long_word(text, seed):
    slipped = with_typo(text, np.random.default_rng(seed))
    long = [word for word in text.split() if len(word) >= 5]
    assert OSA.distance(text, slipped) == (slipped != text)
    assert not long or slipped != text or any(len(set(word[1:])) == 1 for word in long)
    assert [word[0] for word in slipped.split()] == [word[0] for word in text.split()]
