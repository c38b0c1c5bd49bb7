"""Two runs side by side: whose values are paired, and what of a difference is rounding."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from genrec.baselines import ItemKNN, Popularity
from genrec.benchmark.entrants import named_entrants
from genrec.benchmark.report.build import build_report
from genrec.benchmark.report.compare import compare_runs
from genrec.benchmark.report.files import JSON
from genrec.benchmark.report.schema import ModelEntry
from genrec.benchmark.runner import Finished, Settings, run_models
from genrec.benchmark.store import RESULT, ModelFolder, ModelResult
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.evaluation.seeds import mean_over_seeds
from genrec.testing import toy_dataset

DATASET = toy_dataset(items=40, length=8)
SPLIT = leave_last_out(DATASET)


def write(folder, finished, settings):
    """Write what is read of a report."""
    report = build_report(finished, [SPLIT], DATASET, settings)
    (folder / JSON).write_text(report.model_dump_json())


def keep(folder, evaluation):
    """Write a run of one model, its report and the values of each user."""
    entry = ModelEntry(name="item-knn", family="cf", status="done", validation_ndcg=0.1)
    result = ModelResult(fingerprint="", budget_seconds=None, entry=entry)
    ModelFolder.of(folder, "item-knn").write(result, [evaluation])
    write(folder, [Finished(entry, [evaluation], {})], Settings(modes=(True,)))


def test_users_whom_both_runs_serve_alike_differ_by_nothing(tmp_path):
    one = evaluate(ItemKNN(neighbours=1).fit(SPLIT.train), SPLIT.test)
    means = {name: mean_over_seeds([values] * 3) for name, values in one.per_user.items()}
    assert np.abs(means["ndcg@10"] - one.per_user["ndcg@10"]).max() > 0, "they differ by rounding"
    keep(tmp_path / "one", one)
    keep(tmp_path / "three", replace(one, per_user=means))
    for change in compare_runs(tmp_path / "one", tmp_path / "three").changes:
        assert (change.difference, change.low, change.high, change.p_holm) == (0, 0, 0, 1)


def ranked(neighbours, split=SPLIT):
    return evaluate(ItemKNN(neighbours=neighbours).fit(split.train), split.test)


@pytest.fixture
def runs(tmp_path):
    """Two runs of one model on the same questions, with their values of each user."""
    for name, neighbours in (("a", 8), ("b", 1)):
        keep(tmp_path / name, ranked(neighbours))
    return tmp_path / "a", tmp_path / "b"


def values_of(folder, evaluation):
    """Write the values of a later run that made no report."""
    place = ModelFolder.of(folder, "item-knn")
    place.write(place.read(), [evaluation])


@pytest.mark.parametrize(
    "later",
    [
        lambda: ranked(8, leave_last_out(toy_dataset(items=40, length=9))),  # as many questions, of other data
        lambda: ranked(8, leave_last_out(toy_dataset(users=30, items=40, length=8))),
        lambda: evaluate(Popularity().fit(SPLIT.train), SPLIT.test),
    ],
    ids=["other questions", "fewer questions", "another model of this name"],
)
@pytest.mark.parametrize("which", [0, 1])
def test_values_of_a_run_that_made_no_report_are_not_paired_with_an_older_report(runs, later, which):
    before = compare_runs(*runs)
    assert before.paired
    assert "Not tested" not in before.about
    values_of(runs[which], later())
    found = compare_runs(*runs)
    assert not found.paired
    assert f"Not tested: item-knn. The values of each user that {runs[which]} keeps are not" in found.about
    assert "run that benchmark again, to the end" in found.about
    assert str(runs[1 - which]) not in found.about
    assert [(one.first, one.second) for one in found.changes] == [(one.first, one.second) for one in before.changes]
    assert all(one.low is one.high is one.p_holm is None for one in found.changes)


def test_half_of_a_model_is_not_paired(runs):
    place = ModelFolder.of(runs[0], "item-knn")
    (place.path / RESULT).unlink()
    (place.path / "filtered.npz").write_bytes(b"PK")
    found = compare_runs(*runs)
    assert not found.paired
    assert f"that {runs[0]} keeps are not those of its report" in found.about


def test_the_other_models_are_tested_all_the_same(tmp_path):
    settings, folders = Settings(modes=(True,), trials=1), (tmp_path / "a", tmp_path / "b")
    for folder in folders:
        finished = run_models([SPLIT], named_entrants(["popularity", "item-knn"], {}), folder, settings)
        write(folder, finished, settings)
    other = leave_last_out(toy_dataset(items=40, length=9))
    run_models([other], named_entrants(["item-knn"], {}), folders[0], settings)  # stopped before its report
    found = compare_runs(*folders)
    assert found.paired
    assert {one.model for one in found.changes if one.p_holm is not None} == {"popularity"}
    assert "tested user by user. Not tested: item-knn. The" in found.about


def test_where_no_values_are_kept_that_is_said(runs):
    shutil.rmtree(runs[0] / "models")
    found = compare_runs(*runs)
    assert not found.paired
    assert found.about.endswith("the values of each user are gone: no test.")
