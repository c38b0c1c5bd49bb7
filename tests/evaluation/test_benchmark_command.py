"""The benchmark: its report, and the command."""

import json

import pytest
import typer
from typer.testing import CliRunner

from genrec.baselines import EASE, ItemKNN, Popularity
from genrec.cli.benchmark import benchmark, load_baselines, load_generators
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation import comparison_rows, evaluate, markdown_table, run_benchmark
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset())


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(benchmark)
    return lambda *arguments: CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_both_modes_of_every_model_are_reported(split):
    report = run_benchmark(split, [Popularity(), ItemKNN()])
    assert [(e.model, e.filter_seen) for e in report.evaluations] == [
        ("popularity", True),
        ("item-knn", True),
        ("popularity", False),
        ("item-knn", False),
    ]
    assert set(report.fit_seconds) == {"popularity", "item-knn"}
    assert report.counts["test_questions"] == 60
    assert report.counts["items_in_the_longest_history"] == 9


def test_the_report_holds_what_evaluate_found(split, tmp_path):
    report = run_benchmark(split, [ItemKNN()], filter_seen=[True])
    report.save(tmp_path / "new")
    saved = json.loads((tmp_path / "new" / "report.json").read_text())
    assert saved["results"][0]["metrics"] == evaluate(ItemKNN().fit(split.train), split.test).metrics
    assert saved["split"] == "leave-last-out"
    page = (tmp_path / "new" / "report.md").read_text()
    assert "# Benchmark on toy" in page
    assert markdown_table(report.evaluations) in page


def test_the_best_of_each_mode_is_bold(split):
    evaluations = run_benchmark(split, [Popularity(), ItemKNN()]).evaluations
    rows = [line.split(" | ") for line in markdown_table(evaluations, ["recall@10"]).splitlines()[2:]]
    for row, evaluation in zip(rows, evaluations, strict=True):
        best = max(e.metrics["recall@10"] for e in evaluations if e.filter_seen == evaluation.filter_seen)
        assert row[2].startswith("**") == (evaluation.metrics["recall@10"] == best)
    assert rows[1][2] == "**1.0000**"


def test_rows_are_as_wide_as_the_headings(split):
    columns, rows = comparison_rows(run_benchmark(split, [Popularity()]).evaluations, ["ndcg@10"])
    assert columns == ["model", "seen items", "ndcg@10", "seconds"]
    assert [row[:2] for row in rows] == [["popularity", "filtered"], ["popularity", "kept"]]
    assert {len(row) for row in rows} == {4}


def test_the_command_writes_the_report_and_prints_a_table(run, tmp_path):
    result = run("--data", "toy", "--out", tmp_path / "r", "--models", "popularity,ease")
    assert result.exit_code == 0, result.output
    assert "popularity" in result.stdout
    assert "ease" in result.stdout
    assert len(json.loads((tmp_path / "r" / "report.json").read_text())["results"]) == 4


def test_the_command_prints_json_alone(run, tmp_path):
    result = run("--data", "toy", "--out", tmp_path, "--models", "ease", "--filter-seen", "--json")
    printed = json.loads(result.stdout)
    assert printed == json.loads((tmp_path / "report.json").read_text())
    assert [entry["filter_seen"] for entry in printed["results"]] == [True]


def test_the_command_takes_a_temporal_split(run, tmp_path):
    result = run("--data", "toy", "--out", tmp_path, "--split", "global-temporal", "--json")
    assert json.loads(result.stdout)["split"] == "global-temporal"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "easy"], "unknown model 'easy'"),
        (["--models", ""], "nothing to benchmark"),
        (["--models", "ease,ease"], "two models have the name 'ease'"),
        (["--split", "random"], "unknown split 'random'"),
    ],
)
def test_the_command_says_what_is_wrong(run, tmp_path, arguments, message):
    result = run("--data", "toy", "--out", tmp_path, *arguments)
    assert isinstance(result.exception, ConfigError)
    assert message in str(result.exception)
    assert not (tmp_path / "report.json").exists()


def test_baselines_are_made_by_name():
    assert [type(scorer) for scorer in load_baselines("popularity, item-knn,ease")] == [Popularity, ItemKNN, EASE]


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-gpt"
    config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    finetune(config, toy_dataset(), folder)
    return folder


def test_a_fine_tuned_model_stands_beside_the_baselines(run, tmp_path, model_folder):
    arguments = ["--data", "toy", "--out", tmp_path, "--models", "ease", "--model-folder", model_folder, "--json"]
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    found = [entry["model"] for entry in json.loads((tmp_path / "report.json").read_text())["results"]]
    assert found == ["ease", "tiny-gpt"] * 2


def test_a_model_of_other_items_is_refused(model_folder):
    other = toy_dataset(items=30)
    with pytest.raises(ConfigError, match="are not those of toy, or stand in another order"):
        load_generators([model_folder], other, "leave-last-out")


def test_a_model_that_may_have_seen_the_test_items_is_refused(model_folder):
    with pytest.raises(ConfigError, match="trained with split leave-last-out"):
        load_generators([model_folder], toy_dataset(), "global-temporal")
