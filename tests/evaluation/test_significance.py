"""Tests against scipy and by enumeration; the correction by hand; the words."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genrec.errors import ConfigError
from genrec.evaluation.seeds import mean_over_seeds
from genrec.evaluation.significance import compare, detectable_difference, holm, randomisation_test, wilcoxon_test

small = st.lists(st.sampled_from([-2.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=8).map(np.array)


@given(small)
def test_all_signs_by_enumeration(differences):
    sums = [abs(np.dot(signs, differences)) for signs in product([1, -1], repeat=len(differences))]
    assert randomisation_test(differences) == np.mean([found >= abs(differences.sum()) for found in sums])


def test_equal_to_scipy_where_all_signs_are_tried():
    differences = np.random.default_rng(0).normal(0.3, 1, size=12)
    found = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert randomisation_test(differences) == pytest.approx(found.pvalue, abs=1e-9)


def test_close_to_scipy_where_signs_are_drawn():
    differences = np.random.default_rng(0).normal(0.1, 1, size=200)
    found = stats.permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=20_000, rng=0)
    assert randomisation_test(differences, rounds=20_000) == pytest.approx(found.pvalue, abs=0.02)


def test_users_who_are_equal_change_nothing_and_many_have_room():
    differences = np.random.default_rng(0).normal(0.1, 1, size=10)
    padded = np.concatenate([np.zeros(5000), differences])
    assert randomisation_test(padded) == randomisation_test(differences)
    assert randomisation_test(np.ones(5000), rounds=999) == 1 / 1000
    assert randomisation_test(np.zeros(9)) == wilcoxon_test(np.zeros(9)) == 1


def test_false_findings_are_as_rare_as_promised():
    rng, trials = np.random.default_rng(1), 400
    found = [randomisation_test(rng.normal(size=40), rounds=499, seed=trial) < 0.05 for trial in range(trials)]
    assert np.mean(found) == pytest.approx(0.05, abs=3.3 * np.sqrt(0.05 * 0.95 / trials))


def test_holm_by_hand():
    # Holm (1979): .01 x 4, .015 x 3, .03 x 2 ... but never below one before it, never above 1.
    np.testing.assert_allclose(holm([0.03, 0.01, 0.04, 0.015]), [0.06, 0.04, 0.06, 0.045])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1, 1])
    assert holm([0.02]).tolist() == [0.02]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.001, 0.999))
def test_holm_is_the_step_down_procedure(p_values, alpha):
    rejected = np.zeros(len(p_values), dtype=bool)
    for step, test in enumerate(np.argsort(p_values, kind="stable")):
        if p_values[test] * (len(p_values) - step) > alpha:
            break
        rejected[test] = True
    np.testing.assert_array_equal(holm(p_values) <= alpha, rejected)


def test_the_detectable_difference_is_found_in_4_of_5_repeats():
    rng = np.random.default_rng(0)
    truth = detectable_difference(rng.normal(size=100_000)) * np.sqrt(100_000 / 50)
    found = stats.ttest_1samp(rng.normal(truth, 1, size=(5000, 50)), 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.03)


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(0)
    ease = rng.random(500)
    noise = rng.normal(0, 0.1, size=(3, 500))
    return {"ease": ease, "sasrec": ease + 0.05 + noise[0], "knn": ease - 0.05 + noise[1], "gpt": ease + noise[2]}


def test_a_comparison_is_what_its_parts_say(models):
    sasrec, knn, gpt = compare(models, "ease", "ndcg@10", rounds=2000)
    difference = models["sasrec"] - models["ease"]
    assert [sasrec.model, knn.model, gpt.model] == ["sasrec", "knn", "gpt"]
    assert sasrec.difference.mean == pytest.approx(sasrec.mean - sasrec.baseline_mean)
    assert sasrec.effect == pytest.approx(difference.mean() / difference.std(ddof=1))
    assert (sasrec.better, sasrec.worse) == ((difference > 0).sum(), (difference < 0).sum())
    assert sasrec.p_wilcoxon == stats.wilcoxon(difference).pvalue
    assert sasrec.p_randomisation == 1 / 2001
    assert (sasrec.p_holm, knn.p_holm) == pytest.approx((3 / 2001, 3 / 2001))
    assert gpt.p_holm == gpt.p_randomisation


def gains(order, users=600):
    """NDCG of users whose target stands at these places in turn; from 11 on it is no hit."""
    places = np.resize(order, users)
    return np.where(places <= 10, 1 / np.log2(places + 1.0), 0.0)


def test_users_whom_a_model_of_several_seeds_serves_alike_are_neither_better_nor_worse():
    values = gains(range(1, 20))
    rounded = mean_over_seeds([values, values, values])
    assert 0 < np.abs(rounded - values).max() < 1e-12, "they differ by rounding"
    [found] = compare({"ease": values, "sasrec": rounded}, "ease")
    assert (found.better, found.worse, found.rank_effect, found.effect) == (0, 0, 0, 0)
    assert (found.p_randomisation, found.p_wilcoxon, found.p_holm, found.p_wilcoxon_holm) == (1, 1, 1, 1)
    assert (found.difference.mean, found.difference.low, found.difference.high, found.detectable) == (0, 0, 0, 0)


def test_gains_and_losses_of_one_size_have_one_rank_whatever_rounding_does():
    ease, sasrec = gains([2, 11, 4, 11]), gains([11, 2, 11, 4])
    for values in (sasrec, mean_over_seeds([sasrec] * 3)):
        [found] = compare({"ease": ease, "sasrec": values}, "ease", rounds=999)
        assert (found.better, found.worse, found.rank_effect) == (300, 300, 0)
        assert (found.p_wilcoxon, found.p_randomisation) == (1, 1)


def test_a_difference_that_no_rounding_makes_counts_however_small():
    values = gains(range(1, 20))
    [found] = compare({"ease": values, "sasrec": values + 1e-8}, "ease", rounds=999)
    assert (found.better, found.worse, found.p_randomisation) == (600, 0, 1 / 1000)


def test_what_cannot_be_compared_is_refused(models):
    for bad, baseline in ((models, "als"), ({"ease": models["ease"]}, "ease")):
        with pytest.raises(ConfigError, match="with the baseline"):
            compare(bad, baseline)
    with pytest.raises(ConfigError, match="the same questions only"):
        compare({"a": np.ones(3), "b": np.ones(4)}, "a")
    with pytest.raises(ConfigError, match="2 users"):
        compare({"a": np.ones(1), "b": np.ones(1)}, "a")
