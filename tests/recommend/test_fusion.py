"""Several scorers as one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special, stats

from genrec.baselines import EASE, ItemKNN, Popularity
from genrec.baselines.base import Scorer
from genrec.baselines.content import TfidfKNN
from genrec.baselines.ranking import top_k
from genrec.data.dataset import Dataset
from genrec.data.split import EvalSet, leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation.metrics import ndcg
from genrec.evaluation.protocol import evaluate
from genrec.recommend.fusion import Fusion, fit_fusion, on_one_scale
from genrec.recommend.fusion_weights import Pool, choose_weights, search_weights
from genrec.testing import toy_dataset
from genrec.testing.scorer_contract import ScorerContract


class TestFusion(ScorerContract):
    def make_scorer(self) -> Scorer:
        return Fusion([EASE(), TfidfKNN(), Popularity()], weights=[1.0, 0.5, 0.1])


class TestFusionOfRanks(ScorerContract):
    def make_scorer(self) -> Scorer:
        return Fusion([EASE(), TfidfKNN()], how="reciprocal-rank")


class Table(Scorer):
    """Scores that are given for each last item of a history."""

    serves_cold_users = True
    serves_cold_items = False

    def __init__(self, name: str, table: np.ndarray) -> None:
        self.name, self.table = name, table.astype(np.float32)

    def fit(self, dataset):
        return self

    def score(self, histories):
        return self.table[[items[-1] for items in histories]]


@pytest.fixture
def rows():
    return np.random.default_rng(0).normal(3, 7, size=(20, 30)).astype(np.float32)


def test_scales_are_those_of_scipy(rows):
    np.testing.assert_allclose(on_one_scale(rows, "z-score"), stats.zscore(rows, axis=1), atol=1e-5)
    np.testing.assert_allclose(on_one_scale(rows, "log-probability"), special.log_softmax(rows, axis=1), atol=1e-4)
    ranks = 1 / (60 + stats.rankdata(-rows, axis=1))
    np.testing.assert_allclose(on_one_scale(rows, "reciprocal-rank"), ranks, rtol=1e-6)


@pytest.mark.parametrize("how", ["z-score", "log-probability", "reciprocal-rank"])
def test_what_is_excluded_stays_so_and_does_not_count(rows, how):
    wide = np.concatenate([rows, np.full((20, 5), -np.inf, dtype=np.float32)], axis=1)
    scaled = on_one_scale(wide, how)
    np.testing.assert_allclose(scaled[:, :30], on_one_scale(rows, how), atol=1e-5)
    assert np.isneginf(scaled[:, 30:]).all()


@pytest.mark.parametrize("how", ["z-score", "log-probability", "reciprocal-rank"])
def test_rows_without_spread_or_items_are_finite_or_excluded(how):
    nothing = np.array([[5, 5, 5], [-np.inf] * 3, [0, -np.inf, -np.inf]], dtype=np.float32)
    scaled = on_one_scale(nothing, how)
    np.testing.assert_array_equal(np.isfinite(scaled), np.isfinite(nothing))
    assert on_one_scale(np.empty((0, 3), dtype=np.float32), how).shape == (0, 3)


def test_a_fusion_is_the_weighted_sum(rows):
    first, second = Table("a", rows), Table("b", rows[::-1])
    fusion = Fusion([first, second], weights=[2.0, 0.5])
    histories = [np.array([3]), np.array([7, 4])]
    wanted = 2 * stats.zscore(rows[[3, 4]], axis=1) + 0.5 * stats.zscore(rows[::-1][[3, 4]], axis=1)
    np.testing.assert_allclose(fusion.score(histories), wanted, atol=1e-5)
    assert fusion.name == "a+b"


def test_a_part_without_weight_is_not_asked_and_excludes_nothing(rows):
    silent = Table("silent", np.full_like(rows, -np.inf))
    fusion = Fusion([silent, Table("a", rows)], weights=[0.0, 1.0])
    np.testing.assert_allclose(fusion.score([np.array([3])]), stats.zscore(rows[[3]], axis=1), atol=1e-5)


def test_it_serves_what_a_part_with_a_weight_serves():
    both = Fusion([EASE(), TfidfKNN(), Popularity()])
    assert (both.serves_cold_users, both.serves_cold_items) == (True, True)
    alone = Fusion([EASE(), TfidfKNN(), Popularity()], weights=[1.0, 0.0, 0.0])
    assert (alone.serves_cold_users, alone.serves_cold_items) == (False, False)


@pytest.mark.parametrize("weights", [[1.0], [1.0, -0.1], [0.0, 0.0], [1.0, 1.0, 1.0]])
def test_weights_that_make_no_sense_are_refused(weights):
    with pytest.raises(ConfigError, match="2 scorers need as many weights"):
        Fusion([EASE(), Popularity()], weights=weights)


def test_no_scorers_and_unknown_scales_are_refused():
    with pytest.raises(ConfigError, match="nothing to fuse"):
        Fusion([])
    with pytest.raises(ConfigError, match="unknown scale 'borda'"):
        Fusion([EASE()], how="borda")


@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_a_pool_of_everything_measures_what_the_evaluation_does(seed, num_targets):
    """With integer scores there are ties, and with several targets an ideal below 1 each."""
    rng = np.random.default_rng(seed)
    parts = [rng.integers(0, 4, size=(6, 25)).astype(np.float32) for _ in range(3)]
    targets = [rng.choice(25, size=num_targets, replace=False).astype(np.int32) for _ in range(6)]
    seen = [rng.choice(25, size=4, replace=False).astype(np.int32) for _ in range(6)]
    weights = rng.permutation([0.0, 1.0, 2.0])
    pool = Pool.of(parts, targets, depth=25, exclude=seen)
    total = sum(np.float32(w) * part for w, part in zip(weights, parts, strict=True))
    np.testing.assert_allclose(pool.ndcg(weights), ndcg(top_k(total, 10, seen).items, targets, 10), atol=1e-12)


def questions(num_users: int, num_items: int, rng: np.random.Generator) -> EvalSet:
    targets = [rng.integers(0, num_items, 1).astype(np.int32) for _ in range(num_users)]
    return EvalSet(np.arange(num_users, dtype=np.int32), [np.array([u]) for u in range(num_users)], targets)


def test_two_that_know_different_users_are_both_heard_and_noise_is_not():
    rng = np.random.default_rng(0)
    asked = questions(200, 400, rng)
    know = rng.normal(size=(2, 200, 400))
    for user, (target,) in enumerate(asked.targets):
        know[user % 2, user, target] += 4
    scorers = [Table("even", know[0]), Table("odd", know[1]), Table("noise", rng.normal(size=(200, 400)))]
    fusion = fit_fusion(scorers, asked, filter_seen=False)
    even, odd, noise = fusion.weights
    assert 0.5 < even / odd < 2
    assert noise < 0.2
    single = max(evaluate(s, asked, (10,), filter_seen=False).metrics["ndcg@10"] for s in scorers)
    assert evaluate(fusion, asked, (10,), filter_seen=False).metrics["ndcg@10"] > 1.2 * single


def test_a_search_never_ends_below_the_best_part():
    rng = np.random.default_rng(1)
    parts = [rng.normal(size=(50, 40)).astype(np.float32) for _ in range(3)]
    pool = Pool.of(parts, [rng.integers(0, 40, 1) for _ in range(50)], depth=40, exclude=None)
    best = max(pool.ndcg(row).mean() for row in np.eye(3))
    assert pool.ndcg(search_weights(pool)).mean() >= best


def test_weights_are_the_same_whatever_the_batches():
    split = leave_last_out(toy_dataset())
    scorers = [s.fit(split.train) for s in (ItemKNN(), TfidfKNN())]
    one, many = (fit_fusion(scorers, split.validation, batch_size=size).weights for size in (7, 1000))
    np.testing.assert_array_equal(one, many)
    assert one.max() == 1


def test_nothing_found_leaves_one_scorer():
    pool = Pool.of([np.zeros((2, 5), np.float32)] * 2, [np.array([4])] * 2, depth=1, exclude=None)
    assert choose_weights(pool).tolist() == [1.0, 0.0]


def test_fit_fits_the_parts_and_chooses_by_validation():
    split = leave_last_out(toy_dataset())
    fusion = Fusion([Popularity(), ItemKNN()])
    fusion.use_validation(split.validation)
    assert fusion.fit(split.train).weights.tolist() == [0.0, 1.0]
    assert Fusion([Popularity(), ItemKNN()]).fit(split.train).weights.tolist() == [1.0, 1.0]
    given_weights = Fusion([Popularity(), ItemKNN()], weights=[1.0, 0.2])
    given_weights.use_validation(split.validation)
    assert given_weights.fit(split.train).weights.tolist() == [1.0, 0.2]


def test_it_learns_with_its_weights_whether_users_come_back():
    """On the toy set nobody does, and neighbours like best what was met; weights that are given say all there is."""
    split = leave_last_out(toy_dataset())
    fusion = Fusion([ItemKNN(neighbours_of="history"), TfidfKNN()])
    fusion.use_validation(split.validation)
    history = split.validation.histories[:1]
    fusion.fit(split.train)
    assert fusion.return_log_odds < 0
    bare = Fusion(fusion.scorers, fusion.weights.tolist())
    gained = fusion.score(history)[0] - bare.score(history)[0]
    met = np.isin(np.arange(split.train.num_items), history[0])
    np.testing.assert_allclose(gained[met], fusion.return_log_odds, rtol=1e-4)
    assert not gained[~met].any()
    kept = (
        evaluate(scorer, split.validation, (10,), filter_seen=False).metrics["ndcg@10"] for scorer in (fusion, bare)
    )
    assert next(kept) >= next(kept)
    again = fusion.return_log_odds
    assert fusion.fit(split.train).return_log_odds == again


def test_of_items_that_nobody_met_only_those_speak_who_know_them():
    """Items 6 and 7 are in the catalog alone; ItemKNN has the mean of the others for them, words have their own."""
    met = toy_dataset(users=24, items=6, length=4)
    dataset = Dataset("more", met.interactions, toy_dataset(items=8).catalog, met.users)
    fusion = Fusion([ItemKNN(), TfidfKNN()], weights=[1.0, 1.0]).fit(dataset)
    history = [np.array([2, 3], dtype=np.int32)]
    knn, words = (on_one_scale(scorer.score(history), "z-score")[0] for scorer in fusion.scorers)
    np.testing.assert_allclose(fusion.part(0, history)[0], [*knn[:6], *[knn[:6].mean()] * 2], atol=1e-6)
    np.testing.assert_allclose(fusion.score(history)[0, 6:], knn[:6].mean() + words[6:], atol=1e-6)
