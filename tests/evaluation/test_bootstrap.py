"""Intervals cover what they should, as often as they say."""

import time

import numpy as np
import pytest
from scipy import stats

from genrec.errors import ConfigError
from genrec.evaluation import bootstrap as module
from genrec.evaluation.bootstrap import bootstrap_interval, bootstrap_intervals, resampled_means
from genrec.evaluation.seeds import mean_over_seeds, seed_spread


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_the_true_mean_is_inside_as_often_as_promised(level):
    rng, trials, hit = np.random.default_rng(0), 400, 0.3
    inside = 0
    for trial in range(trials):
        # As NDCG with one target is: zeros, and 1 / log2(rank + 1) for some.
        ranks = rng.integers(1, 11, size=300)
        values = (rng.random(300) < hit) / np.log2(ranks + 1)
        truth = hit * np.mean(1 / np.log2(np.arange(1, 11) + 1))
        interval = bootstrap_interval(values, resamples=400, level=level, seed=trial)
        inside += interval.low <= truth <= interval.high
    # Within 3.3 standard errors of 400 coin tosses.
    assert inside / trials == pytest.approx(level, abs=3.3 * np.sqrt(level * (1 - level) / trials) + 0.005)


def test_close_to_the_normal_interval_for_many_users():
    values = np.random.default_rng(0).random(5000)
    interval = bootstrap_interval(values, resamples=4000)
    wide = stats.norm.ppf(0.975) * values.std(ddof=1) / np.sqrt(5000)
    assert interval.mean == values.mean()
    assert interval.low == pytest.approx(values.mean() - wide, abs=0.0006)
    assert interval.high == pytest.approx(values.mean() + wide, abs=0.0006)


def test_close_to_scipy():
    values = np.random.default_rng(3).exponential(size=80)
    ours = bootstrap_interval(values, resamples=20_000)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="percentile", rng=0).confidence_interval
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.01)


def test_seeded_and_shared_by_all_metrics():
    values = np.random.default_rng(0).random(50)
    both = bootstrap_intervals({"a": values, "b": 2 * values})
    assert both == bootstrap_intervals({"a": values, "b": 2 * values})
    assert (both["b"].low, both["b"].high) == pytest.approx((2 * both["a"].low, 2 * both["a"].high))
    alone, other = bootstrap_interval(values), bootstrap_interval(values, seed=1)
    assert (alone.low, alone.high) == pytest.approx((both["a"].low, both["a"].high))
    assert (other.low, other.high) != pytest.approx((alone.low, alone.high))


def test_users_without_a_value_are_left_out():
    rng = np.random.default_rng(0)
    values = np.where(rng.random(400) < 0.5, rng.random(400), np.nan)
    interval, known = bootstrap_interval(values, resamples=4000), values[~np.isnan(values)]
    assert interval.users == len(known)
    assert interval.mean == known.mean()
    without = bootstrap_interval(known, resamples=4000)
    assert (interval.low, interval.high) == pytest.approx((without.low, without.high), abs=0.004)
    nobody = bootstrap_interval(np.full(3, np.nan))
    assert (nobody.users, np.isnan(nobody.mean), np.isnan(nobody.low)) == (0, True, True)


def test_parts_are_as_many_as_asked_for(monkeypatch):
    values = np.random.default_rng(0).random((30, 2))
    monkeypatch.setattr(module, "CELLS", 100)
    means = resampled_means(values, 50, seed=0)
    assert means.shape == (50, 2)
    assert len(np.unique(means[:, 0])) == 50
    assert abs(means.mean(axis=0) - values.mean(axis=0)).max() < 4 * values.std() / np.sqrt(30 * 50)


def test_a_thousand_resamples_of_many_users_and_metrics_are_cheap():
    values = {str(metric): np.random.default_rng(metric).random(20_000) for metric in range(20)}
    start = time.perf_counter()
    bootstrap_intervals(values)
    assert time.perf_counter() - start < 10  # about 0.5 s on an idle core


def test_what_cannot_be_resampled_is_refused():
    for bad in ({}, {"a": np.empty(0)}, {"a": np.ones(2), "b": np.ones(3)}):
        with pytest.raises(ConfigError, match="cannot resample"):
            bootstrap_intervals(bad)
    with pytest.raises(ConfigError, match="at level 95"):
        bootstrap_intervals({"a": np.ones(2)}, level=95)


def test_seeds_by_hand():
    spread = seed_spread([0.2, 0.4, 0.3])
    assert (spread.mean, spread.low, spread.high, spread.seeds) == (pytest.approx(0.3), 0.2, 0.4, 3)
    assert spread.deviation == pytest.approx(np.sqrt((0.1**2 + 0.1**2 + 0) / 2))
    assert seed_spread([0.2]).deviation is None
    with pytest.raises(ConfigError, match="no seeds"):
        seed_spread([])
    assert mean_over_seeds([np.array([0.0, 0.5]), np.array([1.0, 0.5])]).tolist() == [0.5, 0.5]
