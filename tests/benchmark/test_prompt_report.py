"""What a prompt suite reports, by hand, and the command."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from genrec.benchmark.prompts.build import build_prompt_report, ratio
from genrec.benchmark.prompts.constraint import Constraint
from genrec.benchmark.prompts.report import MODEL, TEXT, BarEntry, KindEntry, PromptReport, Seconds, SystemEntry
from genrec.benchmark.prompts.run import (
    Asked,
    ask_model,
    ask_words_alone,
    known_items,
    rank_told,
    recalled,
    satisfied,
)
from genrec.benchmark.prompts.source import Source
from genrec.benchmark.prompts.suite import Prompt, Suite
from genrec.cli.benchmark import app
from genrec.data.split import leave_last_out
from genrec.recommend.recommender import Recommender
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

NONE = np.empty(0, dtype=np.int32)


def prompt(kind, target, *constraints, text="x", history=NONE, seen=NONE):
    return Prompt(kind, text, 0, history, seen, np.array(target, dtype=np.int32), constraints)


@pytest.fixture(scope="module")
def suite():
    """Years of the toy items are 1970, 1971, ..."""
    nineteen_seventies = Constraint(years=(1970, 1973))
    prompts = (
        prompt("liked", [7]),
        prompt("year", [1], nineteen_seventies),
        prompt("year", [2, 3], nineteen_seventies),
    )
    return Suite(Source(toy_dataset(), ()), prompts, {"mood": "nothing"})


MINE = np.array([[7, 8, 9, 10], [0, 1, 2, 9], [3, 0, -1, -1]], dtype=np.int32)
TEXTS = np.array([[1, 2, 3, 4], [9, 10, 11, 1], [9, 10, 11, 12]], dtype=np.int32)


def test_shares_and_recall_by_hand(suite):
    assert satisfied(suite, MINE)[1:].tolist() == [0.75, 0.5]  # an empty place is no item as demanded
    assert np.isnan(satisfied(suite, MINE)[0])
    assert recalled(suite, MINE).tolist() == [1.0, 1.0, 0.5]


def test_whoever_is_told_the_demands_ranks_within_them(suite):
    seen = Suite(suite.source, (replace(suite.prompts[1], seen=np.array([3], np.int32)), suite.prompts[0]), {})
    popular = np.arange(24, dtype=np.float32)
    assert rank_told(seen, popular, k=4).items.tolist() == [[2, 1, 0, -1], [23, 22, 21, 20]]
    assert known_items(replace(suite.prompts[0], named=(5,))).tolist() == [5]


def test_a_report_by_hand(suite):
    answers = {MODEL: Asked(MINE, np.array([0.1, 0.2, 0.6])), TEXT: Asked(TEXTS)}
    report = build_prompt_report(suite, answers, name="s", model="m", provenance={}, protocol={"k": 4})
    by_kind = {entry.kind: entry for entry in report.kinds}
    assert list(by_kind) == ["liked", "year", "all"]
    assert [by_kind[kind].prompts for kind in by_kind] == [1, 2, 3]
    assert by_kind["liked"].systems[MODEL].satisfied is None
    assert by_kind["year"].systems[MODEL].satisfied.mean == pytest.approx(0.625)
    assert by_kind["all"].systems[MODEL].satisfied.mean == pytest.approx(0.625)
    assert by_kind["all"].systems[TEXT].satisfied.mean == pytest.approx(0.125)
    assert by_kind["all"].systems[MODEL].recall.mean == pytest.approx(2.5 / 3)
    assert by_kind["all"].systems[TEXT].recall.mean == pytest.approx(1 / 3)
    assert by_kind["all"].ratio.mean == pytest.approx(2.5)
    assert by_kind["liked"].ratio is None  # the baseline found nothing
    assert by_kind["all"].seconds.mean == pytest.approx(0.3)
    assert by_kind["all"].seconds.longest == pytest.approx(0.6)
    assert [(bar.value, bar.met) for bar in report.bars] == [
        (pytest.approx(0.625), False),
        (pytest.approx(2.5), True),
        (pytest.approx(0.3), True),
    ]
    assert report.left_out == {"mood": "nothing"}


def test_a_ratio_has_an_interval():
    rng = np.random.default_rng(0)
    below = (rng.random(2000) < 0.1).astype(float)
    found = ratio(np.minimum(below + (rng.random(2000) < 0.2), 1.0), below)
    assert found.low < found.mean < found.high
    assert found.low > 2.2
    assert ratio(below, np.zeros(2000)) is None


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prompts") / "data"
    toy_dataset(users=24, items=72).save(folder)
    return folder


@pytest.fixture(scope="module")
def model(data, tmp_path_factory):
    from genrec.data.dataset import Dataset

    folder = tmp_path_factory.mktemp("prompts") / "model"
    config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    finetune(config, Dataset.load(data), folder)
    return folder


def test_a_model_answers_within_what_was_demanded_and_never_with_what_was_seen(data, model):
    from genrec.data.dataset import Dataset

    dataset = Dataset.load(data)
    recommender = Recommender.from_pretrained(model, leave_last_out(dataset).train)
    source = Source(dataset, ())
    comedy = source.attributes.values.index("Comedy")
    wanted = Constraint((comedy,))
    seen = np.arange(5, dtype=np.int32)
    prompts = [prompt("genre", [6], wanted, text="only comedy, thanks", history=seen, seen=seen)] * 2
    asked = ask_model(recommender, prompts, k=5, beams=20)
    assert satisfied(Suite(source, tuple(prompts), {}), asked.items).tolist() == [1.0, 1.0]
    assert not np.isin(asked.items, seen).any()
    assert asked.seconds.shape == (2,)
    assert "Comedy" in asked.understood[0]
    alone = ask_words_alone(recommender, prompts, k=5, beams=20)
    assert not np.isin(alone.items, seen).any()


def test_the_command_writes_and_prints_a_report(data, model, tmp_path):
    arguments = ["--data", data, "--model-folder", model, "--out", tmp_path / "r", "--suite", "prompts", "--json"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    printed = PromptReport.model_validate(json.loads(result.stdout))
    written = PromptReport.model_validate_json((tmp_path / "r" / "report.json").read_bytes())
    assert printed.kinds == written.kinds
    assert printed.protocol["part"] == "test"
    assert printed.kinds[-1].kind == "all"
    lines = [json.loads(line) for line in (tmp_path / "r" / "prompts.jsonl").read_text().splitlines()]
    assert len(lines) == printed.kinds[-1].prompts > 0
    assert len(lines[0]["items"]) == 10
    assert "| all |" in (tmp_path / "r" / "report.md").read_text()


def test_the_docs_name_every_field():
    text = (Path(__file__).parents[2] / "docs" / "benchmark.md").read_text(encoding="utf-8")
    section = text[text.index("## Prompt suite") : text.index("## report.json")]
    for model in (PromptReport, KindEntry, SystemEntry, Seconds, BarEntry):
        assert [name for name in model.model_fields if f"`{name}`" not in section] == []


@pytest.mark.parametrize(
    "wrong",
    [["--suite", "poems", "--model-folder", "M"], ["--suite", "prompts"], ["--suite", "prompts", "--split", "k-fold"]],
)
def test_wrong_calls_are_told_apart(wrong, tmp_path):
    result = CliRunner().invoke(app, ["--data", "toy", "--out", str(tmp_path), *wrong])
    assert result.exit_code == 2
