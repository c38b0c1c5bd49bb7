"""The benchmark: its report, and the command."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from genrec.baselines import ItemKNN, Popularity
from genrec.benchmark.entrants import folder_entrants
from genrec.benchmark.report.build import build_report
from genrec.benchmark.report.schema import ModelEntry
from genrec.benchmark.run import run_benchmark
from genrec.benchmark.runner import Finished, Settings
from genrec.cli.benchmark import app
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation.protocol import evaluate
from genrec.model.description import EvidenceDescription, ModelDescription
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset())


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_both_modes_of_every_scorer_hold_what_evaluate_found(split):
    report = run_benchmark(split, [Popularity(), ItemKNN()], toy_dataset())
    found = {(m.name, r.filter_seen): r.metrics["ndcg@10"].mean for m in report.models for r in m.results}
    expected = {
        (scorer.name, mode): evaluate(scorer.fit(split.train), split.test, filter_seen=mode).metrics["ndcg@10"]
        for scorer in (Popularity(), ItemKNN())
        for mode in (True, False)
    }
    assert found == pytest.approx(expected)


def test_the_command_writes_all_forms_of_the_report_and_prints_a_table(run, tmp_path):
    arguments = ["--data", "toy", "--out", tmp_path / "r", "--models", "popularity,item-knn", "--trials", 1]
    result = run(*arguments, "--split", "global-temporal")
    assert result.exit_code == 0, result.output
    assert "popularity" in result.stdout
    assert "item-knn" in result.stdout
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    assert report["schema_version"] == 1
    modes = {entry["name"]: [result["filter_seen"] for result in entry["results"]] for entry in report["models"]}
    assert modes == {"popularity": [True, False], "item-knn": [True, False]}
    assert "popularity" in (tmp_path / "r" / "report.md").read_text()
    page = (tmp_path / "r" / "report.html").read_text()
    assert "item-knn" in page
    assert 'src="http' not in page


def test_a_finished_model_is_not_run_again(run, tmp_path):
    arguments = ["--data", "toy", "--out", tmp_path, "--models", "popularity", "--trials", 1, "--filter-seen", "--json"]
    first, second = (json.loads(run(*arguments).stdout) for _ in range(2))
    assert first["models"] == second["models"]  # fit seconds too, which a second fit would change


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "easy"], "easy"),
        (["--models", ""], "nothing to benchmark"),
        (["--models", "ease,ease"], "ease"),
        (["--models", "ease", "--against", "esae"], "no model 'esae' in this run"),
        (["--models", "ease,oracle", "--against", "oracle"], "'oracle' is a ceiling"),
        (["--split", "random"], "split: Input should be 'leave-last-out'"),
    ],
)
def test_the_command_says_what_is_wrong(run, tmp_path, arguments, message):
    result = run("--data", "toy", "--out", tmp_path, *arguments)
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)
    assert list(tmp_path.iterdir()) == [], "nothing was run"


@pytest.mark.parametrize(
    ("others", "hint"),
    [(["ease"], "name another that takes part: ease"), ([], "leave it out, or let another model take part")],
)
def test_no_report_is_built_against_a_ceiling(split, others, hint):
    entries = [ModelEntry(name=name, family="cf", status="not run") for name in others]
    entries.append(ModelEntry(name="oracle", family="ceiling", status="not run"))
    finished = [Finished(entry, [], {}) for entry in entries]
    with pytest.raises(ConfigError, match="'oracle' is a ceiling") as raised:
        build_report(finished, [split], toy_dataset(), Settings(), against="oracle")
    assert raised.value.hint == hint


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-gpt"
    config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    finetune(config, toy_dataset(), folder)
    return folder


def test_a_fine_tuned_model_stands_beside_the_baselines(run, tmp_path, model_folder):
    arguments = ["--data", "toy", "--out", tmp_path, "--models", "popularity", "--trials", 1, "--filter-seen"]
    result = run(*arguments, "--model-folder", model_folder)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["baseline"], report["baseline_given"]) == ("popularity", False)
    result = run(*arguments, "--model-folder", model_folder, "--against", "tiny-gpt")
    other = json.loads((tmp_path / "report.json").read_text())
    assert (other["baseline"], other["baseline_given"]) == ("tiny-gpt", True)
    assert other["models"] == report["models"]
    [difference], [mirrored] = (
        [c["difference"]["mean"] for c in one["comparisons"] if c["metric"] == "ndcg@10"] for one in (report, other)
    )
    assert difference == pytest.approx(-mirrored)
    assert any("Baseline tiny-gpt: generative, asked for by name." in sentence for sentence in other["verdict"])
    assert {entry["name"]: entry["status"] for entry in report["models"]} == {"popularity": "done", "tiny-gpt": "done"}


def test_a_guided_model_comes_with_its_generator_alone_and_its_guides_alone(run, tmp_path, model_folder):
    guided = tmp_path / "guided"
    shutil.copytree(model_folder, guided)
    about = EvidenceDescription(scorers=["tfidf-knn"], weights=[1e6], offered=["tfidf-knn"])
    ModelDescription.read(guided).model_copy(update={"evidence": about}).write(guided)
    arguments = ["--data", "toy", "--out", tmp_path / "r", "--models", "tfidf-knn", "--trials", 1, "--filter-seen"]
    result = run(*arguments, "--model-folder", guided)
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "r" / "report.json").read_text())
    family = {entry["name"]: entry["family"] for entry in report["models"]}
    others = {"guided": "hybrid", "guided, alone": "generative", "guided, guides alone": "fusion"}
    assert family == {"tfidf-knn": "content", **others}
    ndcg = {entry["name"]: entry["results"][0]["metrics"]["ndcg@10"]["mean"] for entry in report["models"]}
    assert ndcg["guided, guides alone"] == ndcg["tfidf-knn"]  # a fusion of one
    # Next to such a weight the generator says no more than which of equals comes first.
    assert ndcg["guided"] == pytest.approx(ndcg["tfidf-knn"], abs=0.05)
    assert ndcg["guided, alone"] > ndcg["tfidf-knn"] + 0.1
    assert report["baseline"] == "guided, guides alone"


def test_a_model_of_other_items_is_refused(model_folder):
    with pytest.raises(ConfigError, match="are not those of toy, or stand in another order"):
        folder_entrants(model_folder, toy_dataset(items=30), "leave-last-out")


def test_a_model_of_other_interactions_is_refused_and_one_that_does_not_say_is_told(model_folder, tmp_path, caplog):
    kept = leave_last_out(toy_dataset()).train
    assert folder_entrants(model_folder, toy_dataset(), "leave-last-out", train=kept)
    assert not caplog.records
    shorter = leave_last_out(toy_dataset(length=8)).train
    with pytest.raises(ConfigError, match="was trained on other interactions than the training part of leave-last-out"):
        folder_entrants(model_folder, shorter, "leave-last-out", train=shorter)
    older = tmp_path / "older"
    shutil.copytree(model_folder, older)
    description = ModelDescription.read(older)
    description.dataset.train_sha256 = None
    description.write(older)
    assert folder_entrants(older, shorter, "leave-last-out", train=shorter)
    assert "does not say which interactions it was trained on" in caplog.text


def test_a_split_that_no_model_is_fine_tuned_with_is_not_offered(model_folder):
    with pytest.raises(ConfigError, match="trained with split leave-last-out") as caught:
        folder_entrants(model_folder, toy_dataset(), "k-fold")
    assert caught.value.hint.endswith("leave-last-out, global-temporal, next-basket, one it was fine-tuned with")


def test_a_model_that_may_have_seen_the_test_items_is_refused(model_folder):
    with pytest.raises(ConfigError, match="trained with split leave-last-out"):
        folder_entrants(model_folder, toy_dataset(), "global-temporal")
