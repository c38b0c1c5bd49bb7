"""Items that a model was not trained with: decodable at once, in models of every kind."""

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.split import EvalSet
from genrec.decoding import score_items
from genrec.errors import ConfigError, DataError, UnsupportedError
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_catalog, toy_dataset
from genrec.testing.tiny_base import save_tiny_base
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

NEW = 6
ROWS = pa.table(
    {
        "item_id": [f"new{n}" for n in range(NEW)],
        "title": ["Red River", "Red River", "Zebra Crossing", "Blue Castle 2", "", "Golden Harbour of Glass"],
        "year": [1999, 2000, None, 2001, 2002, 2003],
    }
)
VECTORS = {"text_weight": 0}
KINDS = {
    "atomic": {"items": {"kind": "atomic"}},
    "atomic, residual": {"items": {"kind": "atomic"}, "head": {"node_residual": True}},
    "semantic": {"items": {"kind": "semantic", "levels": 2, "codes_per_level": 7, **VECTORS}},
    "semantic, residual": {"items": {"kind": "semantic", "levels": 3, **VECTORS}, "head": {"node_residual": True}},
    "one position": {"items": {"levels": 2, **VECTORS}, "head": {"one_position": True, "node_residual": True}},
    "titles": {"items": {"kind": "title"}, "base": "text"},
    "titles, residual": {"items": {"kind": "title"}, "base": "text", "head": {"node_residual": True}},
    "LoRA, semantic": {"items": {"levels": 2, **VECTORS}, "base": "text"},
}


@pytest.fixture(scope="module", params=KINDS)
def recommender(request, tmp_path_factory):
    sections = {**KINDS[request.param]}
    base = {"kind": "scratch", "layers": 1, "width": 32, "heads": 2, "dropout": 0.0}
    if sections.get("base") == "text":
        folder = save_tiny_base(tmp_path_factory.mktemp("base"), toy_catalog(24).titles)
        base = {"kind": "pretrained", "name": str(folder), "lora": {"rank": 2}}
    training = {"epochs": 2, "tokens_per_batch": 512, "validation_users": 0, "code_learning_rate": 0.05}
    config = FinetuneConfig.from_mapping({**sections, "base": base, "training": training})
    folder = tmp_path_factory.mktemp("model")
    finetune(config, toy_dataset(), folder)
    return Recommender.from_pretrained(folder, toy_dataset())


def vectors_for(recommender, count=NEW):
    """Vectors as semantic IDs were fitted on, where they are made of more than text."""
    tokenizer = recommender.model.vocabulary.tokenizer
    if tokenizer.kind != "semantic":
        return None
    width = tokenizer.quantizer.codebooks.shape[2]
    return np.random.default_rng(0).normal(size=(count, width)).astype(np.float32)


@pytest.fixture(scope="module")
def grown(recommender):
    return recommender.with_items(ROWS, vectors=vectors_for(recommender))


def test_every_new_item_is_reached_when_it_is_all_there_is(grown):
    for item in ROWS["item_id"].to_pylist():
        for exact in (False, True):
            answer = grown.recommend(history=["i1", "i2"], candidates=[item], exact=exact)
            assert [one.item_id for one in answer.items] == [item]
            assert np.isfinite(answer.items[0].score)


def test_with_as_many_beams_as_items_the_search_is_exact(grown):
    num_items = len(grown.catalog)
    assert num_items == 24 + NEW
    for history in (["i3"], ["new2", "i5", "new5"]):
        found = grown.recommend(history=history, k=num_items, beams=num_items)
        exact = grown.recommend(history=history, k=num_items, exact=True)
        assert [one.item_id for one in found.items] == [one.item_id for one in exact.items]
        assert [one.score for one in found.items] == pytest.approx([one.score for one in exact.items], abs=1e-4)


def test_probabilities_of_all_items_still_add_up_to_one(grown):
    prompt = grown.builder.build(np.array([1, 25], dtype=np.int32))
    scores = score_items(grown.model.generator, [prompt])
    assert np.exp(scores).sum() == pytest.approx(1, abs=1e-4)


def test_the_old_recommender_stays_as_it_was_and_weights_are_shared(recommender, grown):
    assert len(recommender.catalog) == 24
    assert recommender.model.vocabulary.num_items == 24
    assert grown.model.generator.backbone is recommender.model.generator.backbone
    tokenizer = recommender.model.vocabulary.tokenizer
    if tokenizer.kind == "semantic":
        mine, theirs = grown.model.generator.head, recommender.model.generator.head
        assert mine.code_vectors.data_ptr() == theirs.code_vectors.data_ptr()
    old, new = tokenizer.codes, grown.model.vocabulary.tokenizer.codes
    assert (new[:24, : old.shape[1]] == old).all()
    assert len(recommender.recommend(history=["i1"]).items) == 10


def test_a_new_item_is_known_to_filters_histories_and_prompts(grown):
    found = grown.recommend(history=["i1", "new3"], filters=["year>=2001"], k=30)
    expected = {row["item_id"] for row in grown.catalog.table.to_pylist() if (row["year"] or 0) >= 2001}
    assert {one.item_id for one in found.items} == expected - {"new3"}
    assert found.history == ("i1", "new3")
    assert "new2" in grown.recommend(prompt="something like Zebra Crossing").history


def test_items_can_come_one_after_the_other(recommender):
    made = recommender
    for number in range(4):
        rows = pa.table({"item_id": [f"x{number}"], "title": [f"Velvet Anchor {number}"]})
        made = made.with_items(rows, vectors=vectors_for(recommender, 1))
    for number in range(4):
        answer = made.recommend(history=["i1"], candidates=[f"x{number}"])
        assert [one.item_id for one in answer.items] == [f"x{number}"]


def test_changed_columns_take_effect_without_new_codes(recommender):
    rows = pa.table({"item_id": ["i4", "i5"], "year": [1800, 1801], "in_stock": [True, False]})
    made = recommender.with_items(rows)
    assert made.engine is recommender.engine
    found = made.recommend(history=["i1"], filters=["year<1900"])
    assert {one.item_id for one in found.items} == {"i4", "i5"}
    found = made.recommend(history=["i1"], filters=["in_stock=true"])
    assert [one.item_id for one in found.items] == ["i4"]


def test_a_title_that_changes_leaves_the_codes(recommender):
    made = recommender.with_items(pa.table({"item_id": ["i4"], "title": ["Purple Rain"]}))
    assert made.recommend(history=["i1"], candidates=["i4"]).items[0].title == "Purple Rain"
    assert "i4" in made.recommend(prompt="like Purple Rain").history


def test_a_row_that_does_not_fit_changes_nothing(recommender):
    with pytest.raises(DataError, match="no title"):
        recommender.with_items(pa.table({"item_id": ["y"]}))


@pytest.fixture(scope="module")
def by_text(tmp_path_factory):
    """A model whose semantic IDs are made of text."""
    config = FinetuneConfig.from_mapping(
        {
            "base": {"kind": "scratch", "layers": 1, "width": 32, "heads": 2},
            "items": {"levels": 2, "codes_per_level": 8, "cf_weight": 1.0},
            "training": {"epochs": 1, "validation_users": 0},
        }
    )
    folder = tmp_path_factory.mktemp("by-text")
    finetune(config, toy_dataset(), folder)
    return Recommender.from_pretrained(folder, toy_dataset())


def test_semantic_codes_of_new_items_come_from_their_text(by_text):
    made = by_text.with_items(ROWS)
    codes = made.model.vocabulary.tokenizer.codes
    assert len(np.unique(codes, axis=0)) == 24 + NEW
    for item in ROWS["item_id"].to_pylist():
        assert made.recommend(history=["i1"], candidates=[item]).items[0].item_id == item
    # The words of i0, all of them, lead to where they led before.
    twin = by_text.with_items(pa.table({"item_id": ["twin"], "title": ["Red River"], "categories": [["Adventure"]]}))
    assert twin.model.vocabulary.tokenizer.codes[24, 0] in codes[:24, 0]


def test_where_codes_are_not_made_of_text_vectors_are_asked_for(recommender):
    if recommender.model.vocabulary.tokenizer.kind != "semantic":
        return
    with pytest.raises(UnsupportedError, match="what new items have not got") as caught:
        recommender.with_items(ROWS)
    assert "give vectors" in str(caught.value)
    with pytest.raises(ConfigError, match="6 items are new to the model, but there are vectors of 2"):
        recommender.with_items(ROWS, vectors=vectors_for(recommender, 2))


def test_when_all_codes_are_taken_it_is_said(by_text):
    many = pa.table({"item_id": [f"m{n}" for n in range(50)], "title": [f"Thing {n}" for n in range(50)]})
    with pytest.raises(ConfigError, match="64 IDs, too few for 74 items"):
        by_text.with_items(many)


def test_an_item_like_another_starts_like_it():
    """Of the atomic kind: a code of its own, and the vectors of what its words are most like."""
    from genrec.recommend.new_items import _most_alike

    known = ["Red River. Drama", "Blue Castle. Comedy", "Red Castle. Drama", "Nothing In Common"]
    found = _most_alike(known, ["Red River again", "Quux", "blue castle comedy"])
    assert [row.tolist()[:1] for row in found] == [[0], [], [1]]


def test_new_items_do_not_disturb_what_is_measured(recommender, grown):
    """Scores of old items move only by what new siblings take of a softmax."""
    questions = EvalSet(np.arange(3, dtype=np.int32), [np.array([1, 2], dtype=np.int32)] * 3, [np.array([3])] * 3)
    before = recommender.as_scorer().score(questions.histories)
    after = grown.as_scorer().score(questions.histories)[:, :24]
    assert (after <= before + 1e-4).all()
