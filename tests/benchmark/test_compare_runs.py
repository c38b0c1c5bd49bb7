"""Two runs side by side: whose values are paired, and what of a difference is rounding."""

from dataclasses import replace

import numpy as np

from genrec.baselines import ItemKNN
from genrec.benchmark.report.build import build_report
from genrec.benchmark.report.compare import compare_runs
from genrec.benchmark.report.files import save_report
from genrec.benchmark.report.schema import ModelEntry
from genrec.benchmark.runner import Finished, Settings
from genrec.benchmark.store import ModelFolder, ModelResult
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.evaluation.seeds import mean_over_seeds
from genrec.testing import toy_dataset

DATASET = toy_dataset()
SPLIT = leave_last_out(DATASET)


def keep(folder, evaluation):
    """Write a run of one model, its report and the values of each user."""
    entry = ModelEntry(name="item-knn", family="cf", status="done", validation_ndcg=0.1)
    result = ModelResult(fingerprint="", budget_seconds=None, entry=entry)
    ModelFolder.of(folder, "item-knn").write(result, [evaluation])
    finished = Finished(entry, [evaluation], {})
    save_report(build_report([finished], [SPLIT], DATASET, Settings(modes=(True,))), folder)


def test_users_whom_both_runs_serve_alike_differ_by_nothing(tmp_path):
    one = evaluate(ItemKNN(neighbours=1).fit(SPLIT.train), SPLIT.test)
    means = {name: mean_over_seeds([values] * 3) for name, values in one.per_user.items()}
    assert np.abs(means["ndcg@10"] - one.per_user["ndcg@10"]).max() > 0, "they differ by rounding"
    keep(tmp_path / "one", one)
    keep(tmp_path / "three", replace(one, per_user=means))
    for change in compare_runs(tmp_path / "one", tmp_path / "three").changes:
        assert (change.difference, change.low, change.high, change.p_holm) == (0, 0, 0, 1)
