"""Tuning: the sample of a grid, the choice on validation, limits of time."""

import gc
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.numpy import save_file

from genrec.baselines import ItemKNN, Popularity
from genrec.baselines.content import BertKNN
from genrec.benchmark.tuning import OutOfTimeError, sample_grid, time_limit, tune
from genrec.data.split import EvalSet, leave_last_out
from genrec.errors import ConfigError, ModelError
from genrec.evaluation.protocol import evaluate
from genrec.recommend.fusion import Fusion
from genrec.testing import toy_dataset

GRIDS = st.dictionaries(
    st.sampled_from("abcd"), st.lists(st.integers(0, 99), min_size=1, max_size=4, unique=True), max_size=3
)


@pytest.fixture(autouse=True)
def no_collector():
    """A limit that runs out inside a finalizer is raised again soon, but pytest takes the first for a fault."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# An interrupt may first come while Python collects garbage, where it goes nowhere but into a warning.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset())


class Slow(Popularity):
    def __init__(self, seconds=0.0):
        super().__init__()
        self.seconds = seconds

    def fit(self, dataset):
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            try:
                time.sleep(0.01)
            except Exception:  # what many training loops do
                continue
        return super().fit(dataset)


class Fails(Popularity):
    def fit(self, dataset):
        raise RuntimeError("no luck")


@given(GRIDS, st.integers(1, 12), st.integers(0, 3))
def test_a_sample_is_of_distinct_points_of_the_grid_the_defaults_first(grid, trials, seed):
    points = sample_grid(grid, trials, seed)
    assert points[0] == {name: values[0] for name, values in grid.items()}
    assert all(point.keys() == grid.keys() for point in points)
    assert all(point[name] in grid[name] for point in points for name in grid)
    assert len({tuple(point.values()) for point in points}) == len(points)
    assert len(points) == min(trials, int(np.prod([len(values) for values in grid.values()])))
    assert points == sample_grid(grid, trials, seed)


@pytest.mark.parametrize(("grid", "trials"), [({"a": []}, 3), ({"a": [1]}, 0)])
def test_nothing_to_try_is_refused(grid, trials):
    with pytest.raises(ConfigError, match="nothing to try"):
        sample_grid(grid, trials)


def test_the_best_on_validation_is_kept_and_the_test_part_is_not_looked_at(split):
    untouchable = replace(split, test=None)
    settings = [{"neighbours": n, "shrinkage": s} for n in (1, 2, 8) for s in (0.0, 50.0)]
    tuned = tune(lambda params: ItemKNN(**params), untouchable, settings)
    by_hand = [evaluate(ItemKNN(**p).fit(split.train), split.validation, (10,)).metrics["ndcg@10"] for p in settings]
    assert [trial.ndcg for trial in tuned.trials] == pytest.approx(by_hand)
    assert tuned.params == settings[int(np.argmax(by_hand))]
    assert evaluate(tuned.scorer, split.validation, (10,)).metrics["ndcg@10"] == pytest.approx(max(by_hand))


def test_a_later_better_trial_wins(split):
    worse_first = lambda params: ItemKNN() if params["good"] else Popularity()  # noqa: E731
    tuned = tune(worse_first, split, [{"good": False}, {"good": True}])
    assert tuned.params == {"good": True}
    assert isinstance(tuned.scorer, ItemKNN)


def test_a_trial_that_fails_does_not_end_the_others(split):
    tuned = tune(lambda params: Fails() if params["bad"] else Popularity(), split, [{"bad": True}, {"bad": False}])
    assert [(trial.outcome, trial.note) for trial in tuned.trials] == [
        ("failed", "RuntimeError: no luck"),
        ("done", ""),
    ]


def test_when_all_fail_the_first_error_is_raised(split):
    with pytest.raises(RuntimeError, match="no luck"):
        tune(lambda params: Fails(), split, [{}, {}])


def test_a_first_trial_over_its_limit_leaves_no_model(split):
    with pytest.raises(OutOfTimeError):
        tune(lambda params: Slow(60), split, [{}], first_seconds=0.1)


def test_a_later_trial_over_the_limit_is_cut_and_the_best_so_far_kept(split):
    tuned = tune(lambda params: Slow(**params), split, [{"seconds": 0.0}, {"seconds": 60.0}], seconds=5.0)
    assert [trial.outcome for trial in tuned.trials] == ["done", "time"]
    assert tuned.params == {"seconds": 0.0}


def test_a_trial_that_would_not_end_in_time_is_not_begun(split):
    told = []
    tuned = tune(lambda params: Slow(0.3), split, [{}, {"x": 1}], seconds=0.2, on_trial=told.append)
    assert len(tuned.trials) == len(told) == 1


def test_scorers_get_the_validation_questions_before_they_are_fitted(split):
    order = []

    class Watching(Popularity):
        def use_validation(self, validation):
            order.append(validation is split.validation)

        def fit(self, dataset):
            order.append("fit")
            return super().fit(dataset)

    tune(lambda params: Watching(), split, [{}])
    assert order == [True, "fit"]


def test_a_limit_that_is_not_reached_leaves_no_alarm_behind():
    with time_limit(0.2):
        pass
    time.sleep(0.3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fit": lambda self, dataset: None}, "must return self, not NoneType"),
        ({"score": lambda self, histories: np.zeros((len(histories), 3), np.float32)}, r"float32 array \(2, 24\)"),
        ({"score": lambda self, histories: np.zeros((len(histories), 24))}, "not float64"),
        ({"score": lambda self, histories: np.full((len(histories), 24), np.nan, np.float32)}, "has NaN"),
        ({"score": lambda self, histories: None}, "not NoneType"),
    ],
)
def test_what_breaks_the_contract_is_named(split, change, message):
    broken = type("Broken", (Popularity,), {"name": "broken", **change})
    with pytest.raises(ModelError, match=message):
        tune(lambda params: broken(), split, [{}])


def test_an_empty_validation_part_is_a_clear_error(split):
    nothing = replace(split, validation=EvalSet(np.empty(0, dtype=np.int32), [], []))
    with pytest.raises(ConfigError, match="nothing to evaluate"):
        tune(lambda params: Popularity(), nothing, [{}])


def test_a_fit_is_charged_for_the_encoding_of_texts_that_it_found(split, tmp_path, monkeypatch):
    monkeypatch.setenv("GENREC_CACHE", str(tmp_path))
    first = tune(lambda params: BertKNN(), split, [{}])
    [file] = (tmp_path / "text-vectors").iterdir()
    with safe_open(file, framework="numpy") as kept:
        took, vectors = float(kept.metadata()["seconds"]), kept.get_tensor("vectors")
    assert 0 < took <= first.fit_seconds
    assert first.spared_seconds == 0
    save_file({"vectors": vectors}, file, metadata={"seconds": "1000.0"})
    # Two parts read the same vectors: they are paid for once.
    second = tune(lambda params: Fusion([BertKNN(), BertKNN(recency=0.5)], [1.0, 1.0]), split, [{}, {}])
    assert 1000 <= second.fit_seconds < 1100
    assert second.spared_seconds == 2000, "two trials"
    assert all(trial.seconds < 100 for trial in second.trials), "the budget counts what was spent now"
