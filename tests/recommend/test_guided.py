"""Generators with a retriever and with evidence, and those that are made when they are fitted."""

import numpy as np
import pyarrow as pa
import pytest

from genrec.baselines import EASE, MarkovChain
from genrec.baselines.base import Scorer
from genrec.baselines.content import TfidfKNN
from genrec.benchmark.cost import model_bytes
from genrec.benchmark.generators import SavedGenerator, TrainedGenerator
from genrec.benchmark.zero_shot import ZeroShotGenerator
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation.protocol import evaluate
from genrec.model.description import ModelDescription
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.templates import Templates
from genrec.recommend.fusion import on_one_scale
from genrec.recommend.scorer import GenerativeScorer
from genrec.retrieval import Candidates
from genrec.testing import tiny_generator, toy_dataset
from genrec.testing.scorer_contract import NUM_ITEMS, ScorerContract
from genrec.training.config import FinetuneConfig


def untrained(**settings) -> GenerativeScorer:
    generator = tiny_generator(num_items=NUM_ITEMS)
    builder = PromptBuilder(Templates.load(), generator.vocabulary, None, max_tokens=64)
    return GenerativeScorer(generator, builder, max_items=30, beams=NUM_ITEMS, **settings)


def config(*overrides: str) -> FinetuneConfig:
    small = {
        "base": {"kind": "scratch", "layers": 1, "width": 16, "heads": 2, "dropout": 0.0},
        "items": {"kind": "atomic"},
        "prompt": {"max_tokens": 64},
        "training": {"epochs": 1, "validation_users": 20, "tokens_per_batch": 512},
    }
    return FinetuneConfig.from_mapping(small, overrides)


class TestGuidedGenerator(ScorerContract):
    def make_scorer(self) -> Scorer:
        return untrained(evidence=EASE())


class TestTrainedGenerator(ScorerContract):
    def make_scorer(self) -> Scorer:
        return TrainedGenerator(config(), beams=NUM_ITEMS)


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset(items=NUM_ITEMS))


def test_evidence_is_added_to_the_logprobs(split):
    """Beams for all items and exact scores agree on the sum."""
    evidence = MarkovChain().fit(split.train)
    plain, guided = untrained(), untrained(evidence=evidence, alpha=0.7)
    histories = split.test.histories[:9]
    wanted = plain.score(histories) + 0.7 * on_one_scale(evidence.score(histories), "z-score")
    np.testing.assert_allclose(guided.score(histories), wanted, atol=1e-4)
    ranking = guided.recommend(histories, NUM_ITEMS)
    np.testing.assert_allclose(ranking.scores, -np.sort(-wanted, axis=1), atol=1e-4)


def test_nothing_outside_the_candidates_is_recommended(split):
    candidates = Candidates(MarkovChain().fit(split.train), n=5)
    guided = untrained(candidates=candidates)
    histories = split.test.histories[:9]
    allowed = candidates.for_histories(histories, histories)
    found = guided.recommend(histories, 10, exclude=histories).items
    assert [set(row[row >= 0].tolist()) for row in found] == [set(row.tolist()) for row in allowed]
    scores = guided.score(histories)
    assert (np.isfinite(scores).sum(axis=1) == 5).all()


def test_strength_is_chosen_on_validation(split):
    """An untrained generator gives way to evidence that is right; a strength that was given stays."""
    right, given = untrained(evidence=MarkovChain()), untrained(evidence=MarkovChain(), alpha=0.3)
    for scorer in (right, given):
        scorer.use_validation(split.validation)
        scorer.fit(split.train)
    assert right.alpha >= 1
    assert given.alpha == 0.3
    alone = evaluate(untrained(), split.test, ks=(1,)).metrics["recall@1"]
    assert evaluate(right, split.test, ks=(1,)).metrics["recall@1"] > alone + 0.5


def test_cold_items_are_served_by_evidence_or_by_ids_that_tell_something(split):
    scorer = TrainedGenerator(config()).fit(split.train)
    assert not scorer.serves_cold_items
    assert TrainedGenerator(config(), evidence=TfidfKNN()).fit(split.train).serves_cold_items
    assert untrained().serves_cold_items


def test_training_takes_all_it_is_given_and_the_folder_is_kept(split, tmp_path):
    trained = TrainedGenerator(config("training.epochs=2"), folder=tmp_path / "model", name="small")
    trained.use_validation(split.validation)
    trained.fit(split.train)
    description = ModelDescription.read(tmp_path / "model")
    assert description.dataset.split == "none"  # so that no benchmark takes it for one that has not seen its test items
    assert "validation_ndcg@10" in description.metrics
    saved = SavedGenerator(tmp_path / "model").fit(split.train)
    assert (trained.name, saved.name) == ("small", "model")
    histories = split.test.histories[:4]
    np.testing.assert_array_equal(saved.recommend(histories, 5).items, trained.recommend(histories, 5).items)
    other = Catalog(split.train.catalog.table.take(list(range(NUM_ITEMS))[::-1]))
    turned = Dataset("turned", split.train.interactions, other, split.train.users)
    with pytest.raises(ConfigError, match="another order"):
        SavedGenerator(tmp_path / "model").fit(turned)


def test_it_learns(split):
    trained = TrainedGenerator(config("training.epochs=60", "training.learning_rate=0.01"))
    trained.use_validation(split.validation)
    assert evaluate(trained.fit(split.train), split.test, ks=(1,)).metrics["recall@1"] > 0.9


def test_a_shipped_configuration_has_its_name_and_takes_overrides():
    scorer = TrainedGenerator("finetune/configs/gpt-semantic.yaml", ["training.epochs=3"])
    assert (scorer.name, scorer.config.training.epochs, scorer.config.items.kind) == ("gpt-semantic", 3, "semantic")
    with pytest.raises(ConfigError, match="gpt-semantic has no generator yet"):
        scorer.score([])


def test_a_language_model_knows_titles_without_training():
    """SmolLM2 has read of both, so after one part of a saga it writes the other rather than what is far from it."""
    titles = [
        "The Lord of the Rings: The Fellowship of the Ring", "The Lord of the Rings: The Two Towers",
        "The Lord of the Rings: The Return of the King", "Advanced Topics in Plumbing", "Tax Law for Beginners",
    ]  # fmt: skip
    table = pa.table({"item_id": [str(i) for i in range(5)], "title": titles})
    data = Dataset("films", Interactions.from_columns(["u"], ["0"]), Catalog(table), IdMap(["u"]))
    scorer = ZeroShotGenerator().fit(data)
    history = [np.array([0], dtype=np.int32)]
    found = scorer.recommend(history, 4, exclude=history).items[0].tolist()
    assert sorted(found) == [1, 2, 3, 4]
    assert set(found[:2]) == {1, 2}


def test_the_size_of_a_generator_is_that_of_its_tensors(split):
    """Not of the code, the prompt templates or the validation questions, which do not go to disk with it."""
    scorer = untrained(evidence=EASE())
    scorer.use_validation(split.validation)
    scorer.fit(split.train)
    numbers = sum(p.numel() for p in scorer.generator.parameters())
    ease = 4 * NUM_ITEMS**2
    assert 4 * numbers + ease < model_bytes(scorer) < 1.3 * (4 * numbers + ease) + 20_000
