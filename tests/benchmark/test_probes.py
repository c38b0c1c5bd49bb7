"""What is measured of a sample of the users, and models that are asked a sample only."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.baselines import EASE, ItemKNN, Popularity
from genrec.benchmark.entrants import Entrant, named_entrants
from genrec.benchmark.probes import AUC, SHORT, SLOW_USERS, Probe, Unmeasured, join_probes, probe, short_name
from genrec.benchmark.report.build import build_report
from genrec.benchmark.report.compare import compare_runs
from genrec.benchmark.report.files import save_report
from genrec.benchmark.runner import Settings, run_models
from genrec.benchmark.store import ModelFolder, ModelResult, common_questions
from genrec.data.folds import user_folds
from genrec.data.split import leave_last_out
from genrec.evaluation.auc import evaluate_auc
from genrec.evaluation.bootstrap import bootstrap_interval
from genrec.evaluation.metrics import ndcg, recall
from genrec.evaluation.protocol import evaluate
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.evaluation.significance import compare
from genrec.testing import toy_dataset

DATASET = toy_dataset(users=150)
SPLIT = leave_last_out(DATASET)
SCORER = EASE().fit(SPLIT.train)


@given(st.integers(1, 50), st.integers(1, 60), st.integers(1, 60))
def test_samples_are_distinct_ascending_and_one_within_the_other(total, few, many):
    few, many = min(few, many), max(few, many)
    small, large = sample_rows(total, few), sample_rows(total, many)
    assert len(small) == min(few, total)
    assert (np.diff(small) > 0).all()
    assert set(small) <= set(large) <= set(range(total))


def test_probes_are_what_the_protocol_gives_for_these_users():
    probes, without = probe(SCORER, SPLIT.test, [True, False])
    assert without == []
    found = {(one.name, one.filter_seen): one for one in probes}
    assert set(found) == {*((short_name(items), True) for items in SHORT), (AUC, True), (AUC, False)}
    for items in SHORT:
        ranked = SCORER.recommend(
            [history[-items:] for history in SPLIT.test.histories], 10, SPLIT.test.histories
        ).items
        for name, metric in (("ndcg@10", ndcg), ("recall@10", recall)):
            expected = metric(ranked, SPLIT.test.targets, 10)
            np.testing.assert_array_equal(found[short_name(items), True].per_user[name], expected)
    for mode in (True, False):
        np.testing.assert_array_equal(
            found[AUC, mode].per_user[AUC], evaluate_auc(SCORER, SPLIT.test, None, mode).values
        )


def test_a_slow_model_is_asked_few_users_in_one_mode():
    probes, _ = probe(SCORER, SPLIT.test, [True, False], slow=True)
    assert {len(one.rows) for one in probes} == {SLOW_USERS}
    assert [one.filter_seen for one in probes if one.name == AUC] == [True]
    rows = probes[0].rows
    whole, _ = probe(SCORER, SPLIT.test, [True])
    np.testing.assert_array_equal(probes[0].per_user["ndcg@10"], whole[0].per_user["ndcg@10"][rows])


def test_a_model_that_reads_no_history_does_as_well_with_a_short_one():
    scorer = Popularity().fit(SPLIT.train)
    probes, _ = probe(scorer, SPLIT.test, [True])
    expected = evaluate(scorer, SPLIT.test, (10,)).per_user["ndcg@10"]
    for one in probes[: len(SHORT)]:
        np.testing.assert_array_equal(one.per_user["ndcg@10"], expected)


class Partly(Popularity):
    """Ranks, but gives no scores; and takes its time for short histories."""

    name = "partly"

    def recommend(self, histories, k, exclude=None):
        if len(histories[0]) == 1:
            time.sleep(20)
        return SCORER.recommend(histories, k, exclude)

    def score(self, histories):
        raise MemoryError("too many items")


def test_what_fails_or_takes_too_long_is_told_and_stops_no_other():
    scorer = Partly().fit(SPLIT.train)
    probes, without = probe(scorer, SPLIT.test, [True], seconds=4.0)
    assert [one.name for one in probes] == ["last 3", "last 5"]
    assert without == [
        Unmeasured("last 1, seen items filtered: it took more than the 1.0 s there were for it", cut=True),
        Unmeasured("auc, seen items filtered: MemoryError: too many items"),
    ]


def test_folds_are_put_together_and_one_that_lacks_a_probe_takes_it_away():
    first = [
        Probe("auc", True, np.array([0, 2]), {"auc": np.array([0.1, 0.2])}),
        Probe("last 1", True, np.array([1]), {}),
    ]
    second = [Probe("auc", True, np.array([1]), {"auc": np.array([0.3])})]
    [joined] = join_probes([first, second], [0, 10])
    assert (joined.name, joined.rows.tolist(), joined.per_user["auc"].tolist()) == ("auc", [0, 2, 11], [0.1, 0.2, 0.3])


def test_what_is_kept_of_probes_is_what_was_measured(tmp_path):
    probes, _ = probe(SCORER, SPLIT.test, [True, False])
    place = ModelFolder.of(tmp_path, "ease+text")
    entry = {"name": "ease", "family": "cf", "status": "done"}
    result = ModelResult(fingerprint="", budget_seconds=None, entry=entry)
    evaluations = [evaluate(SCORER, SPLIT.test, (10,), mode) for mode in (True, False)]
    place.write(result, evaluations, np.array([1, 3]), probes)
    assert place.rows().tolist() == [1, 3]
    read = {(one.name, one.filter_seen): one for one in place.probes()}
    assert len(read) == len(probes)
    for one in probes:
        np.testing.assert_array_equal(read[one.name, one.filter_seen].rows, one.rows)
        for name, values in one.per_user.items():
            np.testing.assert_array_equal(read[one.name, one.filter_seen].per_user[name], values)
    place.write(result, evaluations[:1])
    assert place.rows() is None
    assert place.probes() == []
    assert [one.filter_seen for one in place.evaluations("ease")] == [True]  # nothing is left of another run


def test_questions_in_common():
    first, second = np.arange(5.0), np.array([10.0, 30.0])
    mine, theirs = common_questions(first, None, second, np.array([1, 3]))
    assert (mine.tolist(), theirs.tolist()) == ([1.0, 3.0], [10.0, 30.0])
    mine, theirs = common_questions(first[:3], np.array([0, 3, 4]), second, np.array([3, 9]))
    assert (mine.tolist(), theirs.tolist()) == ([1.0], [10.0])


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    entrants = named_entrants(["popularity", "ease", "item-knn", "oracle"], {}, {"item-knn": 40})
    settings = Settings(trials=1)
    finished = run_models([SPLIT], entrants, folder, settings)
    report = build_report(finished, [SPLIT], DATASET, settings)
    save_report(report, folder)
    return folder, finished, report


def test_a_model_with_a_limit_is_asked_that_many_and_compared_on_these(run):
    _, finished, report = run
    sampled = finished[2]
    rows = sample_rows(len(SPLIT.test), 40)
    np.testing.assert_array_equal(sampled.rows, rows)
    scorer = ItemKNN().fit(SPLIT.train)
    expected = evaluate(scorer, questions_at(SPLIT.test, rows)).per_user["ndcg@10"]
    np.testing.assert_array_equal(sampled.evaluations[0].per_user["ndcg@10"], expected)
    validation = questions_at(SPLIT.validation, sample_rows(len(SPLIT.validation), 40))
    assert sampled.entry.validation_ndcg == evaluate(scorer, validation, (10,)).metrics["ndcg@10"]
    [test] = [c for c in report.comparisons if (c.model, c.metric, c.filter_seen) == ("item-knn", "ndcg@10", True)]
    ease = evaluate(SCORER, SPLIT.test).per_user["ndcg@10"][rows]
    [alone] = compare({"ease": ease, "item-knn": expected}, "ease")
    assert (test.users, test.compared) == (40, 2)
    assert (test.mean, test.baseline_mean) == (alone.mean, alone.baseline_mean)
    assert test.p_randomisation == alone.p_randomisation
    assert test.p_holm >= test.p_randomisation
    [other] = [c for c in report.comparisons if (c.model, c.metric, c.filter_seen) == ("popularity", "ndcg@10", True)]
    assert other.users == len(SPLIT.test)


def test_the_report_says_who_was_asked_a_sample(run):
    folder, _, report = run
    assert report.label("item-knn") == "item-knn (40 users)"
    assert report.label("ease") == "ease"
    assert any("Asked a sample of the test questions" in sentence for sentence in report.verdict)
    for name in ("report.md", "report.html"):
        assert "item-knn (40 users)" in (folder / name).read_text()


def test_slices_of_a_sample_are_the_groups_of_all(run):
    _, _, report = run
    names = [
        [(piece.group, piece.name) for piece in report.result(model, True).slices] for model in ("ease", "item-knn")
    ]
    assert names[0] == names[1]
    ages = [piece.users for piece in report.result("item-knn", True).slices if piece.group == "age"]
    assert sum(ages) == 40


def test_figures_of_samples_are_in_the_report(run):
    folder, finished, report = run
    result = report.result("ease", True)
    assert result.auc.mean == pytest.approx(evaluate_auc(SCORER, SPLIT.test, None).mean)
    assert result.auc_users == len(SPLIT.test)
    assert [(entry.items, entry.users) for entry in result.short_histories] == [
        (1, 150),
        (3, 150),
        (5, 150),
        (None, 150),
    ]
    whole = result.short_histories[-1].metrics["ndcg@10"]
    assert whole.mean == pytest.approx(result.metrics["ndcg@10"].mean)
    sampled = report.result("item-knn", True)
    assert [entry.users for entry in sampled.short_histories] == [40] * 4
    assert sampled.short_histories[-1].metrics["ndcg@10"].mean == pytest.approx(sampled.metrics["ndcg@10"].mean)
    oracle = report.result("oracle", True)
    assert (oracle.auc, oracle.short_histories) == (None, [])
    text = (folder / "report.md").read_text()
    for said in ("## Cold users", "| last 1 | last 3 | last 5 | whole history |", "| AUC |", "## Fairness"):
        assert said in text
    assert (folder / "cold-users.png").exists()
    assert finished[3].probes == []


def test_gaps_are_of_the_groups_that_are_shown(run):
    _, _, report = run
    for model in ("ease", "popularity"):
        result = report.result(model, True)
        assert result.gaps
        for gap in result.gaps:
            means = {p.name: p.metrics["ndcg@10"].mean for p in result.slices if p.group == gap.group and p.users >= 20}
            assert gap.difference.mean == pytest.approx(max(means.values()) - min(means.values()))
            assert (means[gap.best], means[gap.worst]) == (max(means.values()), min(means.values()))
            assert gap.p_value <= gap.p_holm <= 1
        assert report.result(model, False).gaps == []


def test_runs_with_samples_are_compared_on_what_both_asked(run, tmp_path):
    folder, _, _ = run
    settings = Settings(trials=1)
    entrants = named_entrants(["item-knn"], {"item-knn": {"neighbours": [1]}})
    save_report(build_report(run_models([SPLIT], entrants, tmp_path, settings), [SPLIT], DATASET, settings), tmp_path)
    change = next(change for change in compare_runs(folder, tmp_path).changes if change.metric == "ndcg@10")
    rows = sample_rows(len(SPLIT.test), 40)
    values = [
        evaluate(ItemKNN(neighbours=n).fit(SPLIT.train), questions_at(SPLIT.test, rows)).per_user["ndcg@10"]
        for n in (20, 1)
    ]
    expected = bootstrap_interval(values[1] - values[0])
    assert (change.low, change.high) == pytest.approx((expected.low, expected.high))


def test_slow_models_are_probed_with_questions_that_the_others_are_asked_too():
    test = leave_last_out(toy_dataset(users=700)).test
    scorer = Popularity().fit(SPLIT.train)
    limits = [None, 300, 120]
    found = [
        {one.name: set(one.rows) for one in probe(scorer, test, [True], among=among, slow=most is not None)[0]}
        for most in limits
        for among in [None if most is None else sample_rows(len(test), most)]
    ]
    for name in found[0]:
        assert found[2][name] == found[1][name] <= found[0][name]
        assert len(found[1][name]) == 100


def test_runs_of_another_limit_are_compared_on_what_both_asked(tmp_path):
    for most in (20, 60):
        entrant = Entrant("item-knn", "cf", "named", "item-knn", max_users=most)
        folder, settings = tmp_path / str(most), Settings(trials=1, modes=(True,))
        save_report(build_report(run_models([SPLIT], [entrant], folder, settings), [SPLIT], DATASET, settings), folder)
    for change in compare_runs(tmp_path / "20", tmp_path / "60").changes:
        assert change.first == change.second
        assert change.difference == change.low == change.high == 0


def test_a_limit_is_shared_by_folds(tmp_path):
    splits = user_folds(DATASET, 3)
    entrant = Entrant("item-knn", "cf", "named", "item-knn", max_users=40)
    [found] = run_models(splits, [entrant], tmp_path, Settings(modes=(True,), trials=1))
    assert len(found.rows) == 3 * 14
    assert (np.diff(found.rows) > 0).all()
    assert found.evaluations[0].num_users == len(found.rows)
    auc = next(one for one in found.probes if one.name == AUC)
    assert set(auc.rows) <= set(found.rows)
