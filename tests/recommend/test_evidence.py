"""Scorers that a model folder names guide the search of who loads it."""

import shutil

import numpy as np
import pyarrow as pa
import pytest

from genrec import Dataset, Recommender
from genrec.baselines import EASE
from genrec.baselines.named import scorer_named
from genrec.baselines.sequential.sasrec import SASRec
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError, ModelError
from genrec.model.description import EvidenceDescription, ModelDescription
from genrec.recommend.evidence import ScorerEvidence, guides_alone
from genrec.recommend.fusion import fit_fusion
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

ABOUT = EvidenceDescription(scorers=["item-knn", "ease"], weights=[1.0, 0.5], strength=0.4, return_log_odds=-1.5)
DATASET = toy_dataset()
IDS = DATASET.catalog.ids.ids


def z_scores(scores: np.ndarray) -> np.ndarray:
    return (scores - scores.mean()) / scores.std()


def by_hand(history: list[int]) -> np.ndarray:
    histories = [np.array(history, dtype=np.int32)]
    knn, ease = (scorer_named(name).fit(DATASET).score(histories)[0] for name in ABOUT.scorers)
    weights = ABOUT.strength * (z_scores(knn) + 0.5 * z_scores(ease))
    weights[history] += ABOUT.return_log_odds
    return weights


def test_weights_are_weighed_z_scores_and_what_returns_count_for():
    evidence = ScorerEvidence.fitted(ABOUT, DATASET, IDS)
    found = evidence.weights(np.array([3, 4], dtype=np.int32)).dense[0]
    np.testing.assert_allclose(found, by_hand([3, 4]), atol=1e-5)


def test_a_model_may_order_its_items_otherwise_and_know_others():
    evidence = ScorerEvidence.fitted(ABOUT, DATASET, IDS).for_items(["brand new", *IDS[::-1]])
    position = {item: len(IDS) - item for item in (3, 4)}
    found = evidence.weights(np.array([0, position[3], position[4]], dtype=np.int32)).dense[0]
    assert found[0] == pytest.approx(ABOUT.return_log_odds)  # of the history, and else of mean weight
    np.testing.assert_allclose(found[1:], by_hand([3, 4])[::-1], atol=1e-5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    settings = {
        "items": {"kind": "atomic"},
        "training": {"epochs": 2, "validation_users": 20},
        "evidence": {"scorers": ["sasrec", "tfidf-knn"], "validation_users": 20},
    }
    out = tmp_path_factory.mktemp("guided") / "model"
    finetune(FinetuneConfig.from_mapping(settings), DATASET, out)
    return out


def with_strength(folder, out, strength: float):
    """The folder with a strength that validation on so small a set need not choose."""
    shutil.copytree(folder, out)
    description = ModelDescription.read(folder)
    about = description.evidence.model_copy(update={"strength": strength})
    (out / "genrec.json").write_text(description.model_copy(update={"evidence": about}).model_dump_json())
    return out


def test_finetuning_chooses_weights_and_writes_them_down(folder):
    about = ModelDescription.read(folder).evidence
    assert 1 <= len(about.scorers) == len(about.weights)
    assert min(about.weights) > 0
    assert about.strength == 1
    assert about.return_log_odds < 0  # nobody of the toy set meets an item twice
    assert about.trained == ["sasrec"]
    assert about.offered == ["sasrec", "tfidf-knn"]
    assert about.questions == 20
    assert sorted(path.name for path in (folder / "evidence").iterdir()) == about.trained
    assert not (folder / "checkpoints").exists()


def test_answers_are_log_probability_and_evidence(folder, tmp_path):
    guided = Recommender.from_pretrained(with_strength(folder, tmp_path / "m", 0.7), DATASET)
    answer = guided.recommend(history=["i3", "i4"], k=5)
    weights = guided.evidence.weights(np.array([3, 4], dtype=np.int32)).dense[0]
    for item in answer.items:
        assert item.score == pytest.approx(item.logprob + weights[IDS.index(item.item_id)], abs=1e-4)
    alone = Recommender.from_pretrained(tmp_path / "m", DATASET, evidence=False)
    assert alone.evidence is None
    assert all(item.score == pytest.approx(item.logprob) for item in alone.recommend(history=["i3"], k=5).items)


def test_the_scorer_for_the_benchmark_answers_alike(folder, tmp_path):
    path = with_strength(folder, tmp_path / "m", 0.7)
    guided = Recommender.from_pretrained(path, DATASET)
    scorer = guided.as_scorer(evidence=True).fit(DATASET)
    history = np.array([3, 4], dtype=np.int32)
    ranking = scorer.recommend([history], 5, exclude=[history])
    answer = guided.recommend(history=["i3", "i4"], k=5)
    assert [IDS[item] for item in ranking.items[0]] == [item.item_id for item in answer.items]
    np.testing.assert_allclose(ranking.scores[0], [item.score for item in answer.items], atol=1e-4)


def test_new_items_are_weighed_as_the_mean(folder, tmp_path):
    guided = Recommender.from_pretrained(with_strength(folder, tmp_path / "m", 0.7), DATASET)
    grown = guided.with_items(pa.table({"item_id": ["new"], "title": ["Something new"]}))
    column = grown.model.item_ids.index("new")
    assert grown.evidence.weights(np.array([3], dtype=np.int32)).dense[0, column] == 0


def test_no_strength_costs_nothing(folder, tmp_path):
    loaded = Recommender.from_pretrained(with_strength(folder, tmp_path / "m", 0.0), DATASET)
    assert loaded.evidence is None
    assert loaded.as_scorer(evidence=True).evidence is None


def test_guides_alone_are_all_that_were_offered_weighed_without_the_model(folder, tmp_path):
    """As a fusion of scorers fitted here, but for SASRec, which is the one that lies in the folder."""
    path = with_strength(folder, tmp_path / "m", 0.7)
    about = ModelDescription.read(path)
    evidence = about.evidence.model_copy(
        update={"scorers": ["sasrec"], "weights": [0.5], "offered": ["sasrec", "ease"]}
    )
    about.model_copy(update={"evidence": evidence}).write(path)
    split = leave_last_out(DATASET)
    found = guides_alone(path, IDS)
    found.use_validation(split.validation)
    found.fit(split.train)
    parts = [SASRec.load(path / "evidence" / "sasrec"), EASE().fit(split.train)]
    expected = fit_fusion(parts, split.validation, max_users=evidence.questions)
    np.testing.assert_array_equal(found.weights, expected.weights)
    assert found.return_log_odds < 0  # it learns that too: nobody comes back to a toy
    expected.return_log_odds = found.return_log_odds
    asked = split.test.histories[:3]
    np.testing.assert_allclose(found.score(asked), expected.score(asked), rtol=1e-5)


def test_what_nothing_guides_has_no_guides(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "m")
    ModelDescription.read(tmp_path / "m").model_copy(update={"evidence": None}).write(tmp_path / "m")
    with pytest.raises(ModelError, match="nothing guides"):
        guides_alone(tmp_path / "m", IDS)


def test_evidence_needs_validation(tmp_path):
    settings = {"items": {"kind": "atomic"}, "training": {"epochs": 1}, "evidence": {"scorers": ["ease"]}}
    with pytest.raises(ConfigError, match="validation"):
        finetune(FinetuneConfig.from_mapping(settings | {"split": "none"}), DATASET, tmp_path / "m")


def test_a_scorer_that_the_data_do_not_allow_does_not_guide(tmp_path, caplog):
    """Of a data set without timestamps, nothing is recent."""
    dataset = Dataset("toy", DATASET.interactions, DATASET.catalog, DATASET.users, time="order")
    settings = {
        "items": {"kind": "atomic"},
        "training": {"epochs": 1, "validation_users": 20},
        "evidence": {"scorers": ["popularity-recent", "item-knn"], "validation_users": 45},
    }
    finetune(FinetuneConfig.from_mapping(settings), dataset, tmp_path / "model")
    assert "popularity-recent is left out" in caplog.text
    about = ModelDescription.read(tmp_path / "model").evidence
    assert about.scorers == ["item-knn"]
    assert about.questions == 45, "of all validation users, not of the 20 who are ranked while it trains"


def test_what_was_trained_is_read_and_has_to_be_there(folder, tmp_path):
    path = with_strength(folder, tmp_path / "m", 0.7)
    assert Recommender.from_pretrained(path, DATASET).recommend(history=["i3"], k=3).items
    weights = path / "evidence" / "sasrec" / "sequential.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(bytes(content))
    description = ModelDescription.read(folder)
    description.write(folder)  # with the hashes of all files
    shutil.copy(folder / "genrec.json", path / "genrec.json")
    with pytest.raises(ModelError, match="sasrec"):
        Recommender.from_pretrained(path, DATASET)


def test_a_scorer_of_a_newer_version_is_named(folder, tmp_path):
    path = with_strength(folder, tmp_path / "m", 0.7)
    description = path / "genrec.json"
    description.write_text(description.read_text().replace('"sasrec"', '"oracle-of-2030"', 1))
    with pytest.raises(ConfigError, match="oracle-of-2030"):
        Recommender.from_pretrained(path, Dataset.load("toy"))
