"""Every fact of an explanation can be counted again, and its sentence says nothing else."""

import json
import math
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.explain import explain
from genrec.explain.evidence import MIN_BOTH, evidence
from genrec.prompt.builder import clean
from genrec.recommend.filters import filter_mask
from genrec.recommend.recommender import Recommender, Request
from genrec.testing import toy_dataset
from genrec.testing.untrained import untrained_model

DATASET = toy_dataset()
IDS, TITLES = DATASET.catalog.ids.ids, DATASET.catalog.titles
MET = {item: {u for u in range(DATASET.num_users) if IDS.index(item) in DATASET.histories[u]} for item in IDS}
WISHES = [
    "comedy",
    "no drama",
    "after 1975",
    "before 1990",
    "like Red River",
    "not Blue Castle",
    "or children's",
    "dark",
]


def explained(recommender, most=10, **asked):
    request = Request(**asked)
    answer = recommender.recommend_batch([request])[0]
    return answer, explain(recommender, request, answer, items=most)


def holds(item, expression):
    return bool(filter_mask(DATASET.catalog, [expression])[IDS.index(item)])


@pytest.mark.parametrize("user", [None, "u5", "stranger"])
def test_evidence_is_what_the_data_say(user):
    history = ["i3", "i4", "i12", "i3", "nobody's"]
    everyone = set(range(DATASET.num_users)) - {5} if user == "u5" else set(range(DATASET.num_users))
    for item, found in zip(IDS, evidence(DATASET, history, IDS, user=user), strict=True):
        expected = {}
        for one in ("i3", "i4", "i12"):
            both = len(MET[one] & MET[item] & everyone)
            people, met = len(MET[one] & everyone), len(MET[item] & everyone)
            chance = people * met / len(everyone)
            if one != item and both >= MIN_BOTH and both > chance:
                spread = math.sqrt(chance * (1 - met / len(everyone)))
                expected[one] = (both, people, met, len(everyone), TITLES[IDS.index(one)], (both - chance) / spread)
        counted = {e.item_id: (e.both, e.people, e.met, e.everyone, e.title) for e in found}
        assert counted == {one: fact[:-1] for one, fact in expected.items()}
        assert [e.item_id for e in found] == sorted(expected, key=lambda one: -expected[one][-1])


def test_items_that_the_data_do_not_know_have_no_evidence():
    assert evidence(DATASET, ["i3"], ["new", "i4"], user=None)[0] == ()
    assert evidence(DATASET, [], ["i4"], user=None) == [()]


def test_words_filters_and_boosts_name_what_holds(reader):
    prompt = "  a comedy or drama\n like Red River, after 1975, no sci-fi "
    answer, explanations = explained(reader, prompt=prompt, filters=["year<1990"], boosts={"genre=Comedy": 0.5}, k=10)
    assert explanations
    for explanation in explanations:
        said = {(word.kind, word.what): word for word in explanation.words}
        for word in explanation.words:
            assert clean(prompt)[word.start : word.end] == word.text
            assert not word.expression or holds(explanation.item_id, word.expression)
        assert said["liked", "Red River"].text == "Red River"
        assert said["limit", "year>1975"].text == "after 1975"
        year = DATASET.catalog.table["year"][IDS.index(explanation.item_id)].as_py()
        assert said["limit", "year>1975"].values == {"year": year}
        assert said["unwanted", "Sci-Fi"].expression == "not categories='Sci-Fi'"
        wanted = {what for kind, what in said if kind == "wanted"}
        assert wanted == {c for c in ("Comedy", "Drama") if holds(explanation.item_id, f"genre={c}")} != set()
        assert [one.expression for one in explanation.filters] == list(answer.filters)
        assert explanation.filters[0].values == {"year": year}
        assert [one.weight for one in explanation.boosts] == ([0.5] if "Comedy" in wanted else [])
    json.dumps([explanation.to_dict() for explanation in explanations], allow_nan=False)


def numbers_of(explanation):
    """Every number that a sentence about these facts may hold."""
    facts = {
        explanation.place,
        explanation.of,
        len(explanation.history),
        f"{math.exp(explanation.logprob):.1%}".rstrip("%"),
        0.1,
    }
    for reason in explanation.history:
        facts |= {reason.place_without, f"{math.exp(reason.delta):.1f}"}
    for one in explanation.evidence:
        facts |= {one.both, one.people, one.met, one.everyone}
    texts = [str(value) for word in explanation.words for value in word.values.values()]
    texts += [word.text for word in explanation.words]
    texts += [f"{one.expression} {one.values}" for one in explanation.filters]
    texts += [explanation.title, *(reason.title for reason in explanation.history)]
    texts += [one.title for one in explanation.evidence]
    return {str(fact) for fact in facts} | {number for text in texts for number in re.findall(r"\d+(?:\.\d+)?", text)}


@settings(max_examples=30)
@given(
    history=st.lists(st.sampled_from(IDS), max_size=9),
    wishes=st.lists(st.sampled_from(WISHES), max_size=4, unique=True),
    filters=st.lists(st.sampled_from(["year>=1972", "not genre=Adventure"]), max_size=1),
    reads_text=st.booleans(),
    k=st.sampled_from([1, 5]),
)
def test_a_sentence_names_nothing_but_facts(recommender, reader, history, wishes, filters, reads_text, k):
    prompt = ", ".join(wishes)
    one = reader if reads_text else recommender
    _, explanations = explained(one, history=history, prompt=prompt or None, filters=filters, k=k)
    for explanation in explanations:
        sentence = explanation.sentence
        assert sentence.startswith(f"{explanation.title}: ")
        assert sentence.endswith(".")
        assert set(re.findall(r"\d+(?:\.\d+)?", sentence)) <= numbers_of(explanation)
        quoted = set(re.findall(r"“(.*?)”", sentence))
        named = {reason.title for reason in explanation.history} | {e.title for e in explanation.evidence}
        assert quoted <= named | {word.text for word in explanation.words} | {word.what for word in explanation.words}
        best = explanation.history[0] if explanation.history else None
        if "because of" in sentence:
            assert f"because of “{best.title}”" in sentence
            assert best.delta > 0
        if "hardly less likely" in sentence:
            assert best.delta < 0.05
        if match := re.search(r"fall from place (\d+) to (\d+) of these (\d+)", sentence):
            assert tuple(map(int, match.groups())) == (explanation.place, best.place_without, explanation.of)
            assert best.place_without > explanation.place
        if match := re.search(
            r"of (\d+) people who met “(.*?)”, (\d+) also met it, of all (\d+) people (\d+)", sentence
        ):
            people, title, both, everyone, met = match.groups()
            item = IDS[TITLES.index(title)]
            assert int(people) == len(MET[item])
            assert int(both) == len(MET[item] & MET[explanation.item_id])
            assert (int(everyone), int(met)) == (DATASET.num_users, len(MET[explanation.item_id]))


def test_titles_that_look_like_templates_stay_text():
    table = DATASET.catalog.table
    titles = ["{{ 7 * 7 }}", "{title}", "%s", *TITLES[3:]]
    catalog = Catalog(table.set_column(1, "title", pa.array(titles)))
    dataset = Dataset("toy", DATASET.interactions, catalog, DATASET.users)
    _, explanations = explained(Recommender(untrained_model(dataset), dataset), 23, history=["i1"], k=23)
    sentences = [explanation.sentence for explanation in explanations]
    assert any(sentence.startswith("{{ 7 * 7 }}: ") for sentence in sentences)
    assert any("“{title}”" in sentence for sentence in sentences)


def test_a_data_set_in_another_order_and_with_dates(recommender):
    """The model's order of items is not that of the data set, and JSON has no dates."""
    order = np.random.default_rng(0).permutation(24)
    table = DATASET.catalog.table.append_column(
        "released", pa.array([f"20{i:02}-01-01" for i in range(24)]).cast(pa.date32())
    )
    other = Dataset("toy", DATASET.interactions, Catalog(table.take(order)), DATASET.users)
    _, explanations = explained(Recommender(recommender.model, other), user="u5", filters=["released>2003-05-05"], k=3)
    for explanation in explanations:
        i = IDS.index(explanation.item_id)
        assert explanation.filters[0].values == {"released": f"20{i:02}-01-01"}
        for one in explanation.evidence:
            assert one.both == len((MET[one.item_id] & MET[explanation.item_id]) - {5})
    json.dumps([explanation.to_dict() for explanation in explanations])


def test_one_person_alone_is_no_evidence():
    catalog = toy_dataset(items=6).catalog
    one = Interactions.from_columns(pa.array(["u"] * 2), pa.array(["i0", "i1"]))
    assert evidence(Dataset("one", one, catalog, IdMap(["u"])), ["i0"], ["i1"], user="u") == [()]
