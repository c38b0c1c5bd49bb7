"""Instruction examples: every target satisfies what the text states, and lies in the user's future."""

from __future__ import annotations

import re
from itertools import islice

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import leave_last_out
from genrec.errors import DataError
from genrec.prompt.attributes import ItemAttributes
from genrec.prompt.requests import MAX_TARGETS, RequestExample, RequestExamples
from genrec.prompt.templates import HISTORY, PHRASINGS, REQUEST, Templates
from genrec.testing import toy_dataset

# Each fact in brackets of its own, so that a test can read it back.
READABLE = """
L[{{ liked }}]
D[{{ disliked }}]
W[{{ wanted }}]
W[{{ wanted }}]U[{{ unwanted }}]
L[{{ liked }}]U[{{ unwanted }}]
E[{{ decade }}]
A[{{ after }}]
B[{{ before }}]
L[{{ liked }}]W[{{ wanted }}]E[{{ decade }}]
"""


@pytest.fixture(scope="module")
def readable() -> Templates:
    return Templates({HISTORY: "{{ history }}", REQUEST: "{{ history }}{{ request }}", PHRASINGS: READABLE})


def stated(example: RequestExample) -> dict[str, str]:
    return {key.upper(): value for key, value in re.findall(r"([A-Za-z])\[(.*?)\](?=[A-Z]\[|$)", example.text)}


@pytest.fixture(scope="module")
def train(ml_100k: Dataset) -> Dataset:
    return leave_last_out(ml_100k).train


def test_targets_satisfy_what_is_stated(train: Dataset, readable: Templates) -> None:
    attributes = ItemAttributes.of_catalog(train.catalog)
    years, categories = attributes.years, [[c.lower() for c in row] for row in train.catalog.categories]
    seen = set()
    for example in islice(RequestExamples(train, readable, seed=1).stream(), 600):
        facts = stated(example)
        seen |= facts.keys()
        assert 1 <= len(example.targets) <= MAX_TARGETS
        assert len(set(example.targets)) == len(example.targets)
        for target in example.targets:
            if "W" in facts:
                wanted = facts["W"].lower()
                assert sum(len(c) + 1 for c in categories[target] if c in wanted) - 1 == len(wanted)
            if "U" in facts:
                assert facts["U"].lower() not in categories[target]
            if "A" in facts:
                assert years[target] > int(facts["A"])
            if "B" in facts:
                assert 0 < years[target] < int(facts["B"])
            if "E" in facts:
                assert years[target] // 10 % 10 == int(facts["E"][-3])
    assert seen == set("LDWUEAB")


def test_targets_come_after_the_past_they_are_asked_with(train: Dataset, readable: Templates) -> None:
    histories = [train.histories[user] for user in range(len(train.histories))]
    followed = 0
    for example in islice(RequestExamples(train, readable, seed=2).stream(), 100):
        assert not set(example.history) & set(example.targets)
        shown = [h for h in histories if set(example.history.tolist() + example.targets.tolist()) <= set(h.tolist())]
        assert shown, "history and targets are of one user"
        if len(example.history) > 3:
            in_time = [
                max(np.flatnonzero(np.isin(h, example.history))) < min(np.flatnonzero(np.isin(h, example.targets)))
                for h in shown
            ]
            followed += 1
            assert any(in_time)
    assert followed > 20


def test_never_a_held_out_item(ml_100k: Dataset, templates: Templates) -> None:
    """With one user, whose last two items nobody else has, those two can never be stated or wanted."""
    split = leave_last_out(toy_dataset(users=1, length=8))
    held_out = {int(split.validation.targets[0][0]), int(split.test.targets[0][0])}
    titles = {split.train.catalog.titles[item].lower() for item in held_out}
    for example in islice(RequestExamples(split.train, templates, seed=0).stream(), 200):
        assert not held_out & {*example.history.tolist(), *example.targets.tolist()}
        assert not any(title in example.text.lower() for title in titles)


def test_liked_titles_are_rated_high_and_disliked_ones_low(train: Dataset, readable: Templates) -> None:
    histories = train.histories
    users = np.repeat(np.arange(len(histories)), np.diff(histories.indptr))
    by_title: dict[str, set[float]] = {}
    for item, rating in zip(histories.items, histories.ratings, strict=True):
        by_title.setdefault(train.catalog.titles[item], set()).add(float(rating))
    assert len(users) == len(histories.items)
    for example in islice(RequestExamples(train, readable, seed=3).stream(), 400):
        facts = stated(example)
        if facts.keys() == {"L"} and facts["L"] in by_title:
            assert max(by_title[facts["L"]]) >= 4
        if "D" in facts and facts["D"] in by_title:
            assert min(by_title[facts["D"]]) <= 2


def test_same_seed_same_examples(train: Dataset, templates: Templates) -> None:
    def draw(seed: int) -> list[tuple[str, list[int], list[int]]]:
        stream = RequestExamples(train, templates, seed=seed).stream()
        return [(e.text, e.history.tolist(), e.targets.tolist()) for e in islice(stream, 30)]

    assert draw(4) == draw(4)
    assert draw(4) != draw(5)


def test_texts_vary_and_history_is_sometimes_empty(train: Dataset, templates: Templates) -> None:
    examples = list(islice(RequestExamples(train, templates, seed=0).stream(), 400))
    lengths = np.array([len(example.history) for example in examples])
    assert 0.1 < np.mean(lengths == 0) < 0.5
    assert np.mean(lengths > 3) > 0.2
    assert len({example.text for example in examples}) > 350
    assert all("{" not in example.text for example in examples)
    dated = np.mean([bool(re.search(r"\(\d{4}\)", example.text)) for example in examples])
    assert 0.02 < dated < 0.5


def _dataset(titles: list[str], items: list[int]) -> Dataset:
    ids = [str(number) for number in range(len(titles))]
    interactions = Interactions.from_columns(["u"] * len(items), [ids[i] for i in items], list(range(len(items))))
    catalog = Catalog(pa.table({"item_id": ids, "title": titles}))
    return Dataset(name="plain", interactions=interactions, catalog=catalog, users=IdMap(["u"]))


def test_without_attributes_or_ratings_only_liked_titles_are_stated(templates: Templates) -> None:
    for example in islice(RequestExamples(_dataset(["Tea", "Rum"], [0, 0, 1]), templates).stream(), 30):
        assert "Tea" in example.text
        assert example.targets.tolist() == [1]


def test_no_user_with_two_items(templates: Templates) -> None:
    with pytest.raises(DataError, match="no user has two different items"):
        RequestExamples(_dataset(["Tea", "Rum"], [0, 0]), templates)
