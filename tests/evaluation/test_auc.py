"""The area under the curve by hand, and whom it is asked of."""

import numpy as np
import pytest

from genrec.baselines import ItemKNN, Popularity
from genrec.data.split import EvalSet, leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation import auc as module
from genrec.evaluation.auc import auc, evaluate_auc
from genrec.testing import toy_dataset


def areas(scores, targets, exclude=None):
    return auc(np.array(scores, dtype=np.float32), [np.array(t) for t in targets], exclude).tolist()


def test_by_hand():
    assert areas([[4, 3, 2, 1]], [[0]]) == [1.0]
    assert areas([[4, 3, 2, 1]], [[3]]) == [0.0]
    assert areas([[4, 3, 2, 1]], [[1]]) == [pytest.approx(2 / 3)]
    # Targets 3 and 1 against the others 4 and 2: above one of them, above none of them.
    assert areas([[4, 3, 2, 1]], [[1, 3]]) == [pytest.approx((1 + 0) / 4)]


def test_a_constant_score_says_nothing_wherever_the_target_stands():
    assert areas([[7, 7, 7], [7, 7, 7]], [[0], [2]]) == [0.5, 0.5]


def test_items_that_cannot_be_recommended_tie_below_all_others():
    inf = -np.inf
    assert areas([[1, inf, inf, inf]], [[0]]) == [1.0]
    assert areas([[1, inf, inf, inf]], [[1]]) == [pytest.approx((0 + 0.5 + 0.5) / 3)]


def test_a_target_that_was_filtered_out_is_below_every_item():
    assert areas([[4, 3, 2, 1]], [[0, 1]], exclude=[np.array([0])]) == [pytest.approx((0 + 2) / 4)]


def test_no_other_item_no_area():
    assert np.isnan(areas([[4, 3]], [[0, 1]])).all()


def test_scores_are_left_as_they_were():
    scores = np.array([[4, 3, 2]], dtype=np.float32)
    auc(scores, [np.array([0])], [np.array([2])])
    assert scores.tolist() == [[4, 3, 2]]


def test_parts_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 5, size=(30, 12)).astype(np.float32)
    targets = [rng.choice(12, size=rng.integers(1, 4), replace=False) for _ in range(30)]
    whole = auc(scores, targets)
    monkeypatch.setattr(module, "CELLS", 40)
    np.testing.assert_array_equal(auc(scores, targets), whole)


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset())


def test_asks_the_same_users_of_every_model_and_says_how_many(split):
    found = [evaluate_auc(scorer.fit(split.train), split.test, 25) for scorer in (ItemKNN(), Popularity())]
    assert found[0].rows.tolist() == found[1].rows.tolist() == sorted(set(found[0].rows.tolist()))
    assert len(found[0].rows) == len(found[0].values) == 25
    assert "on 25 of 60 questions" in str(found[0])
    other = evaluate_auc(Popularity().fit(split.train), split.test, 25, seed=1)
    assert other.rows.tolist() != found[0].rows.tolist()


def test_a_sample_has_the_values_of_the_whole(split):
    scorer = ItemKNN().fit(split.train)
    whole, some = evaluate_auc(scorer, split.test, None), evaluate_auc(scorer, split.test, 25, batch_size=4)
    assert whole.rows.tolist() == list(range(60))
    assert "on all 60 questions" in str(whole)
    np.testing.assert_array_equal(whole.values[some.rows], some.values)


def test_seen_items_are_left_out_or_kept(split):
    scorer = Popularity().fit(split.train)
    histories, targets = split.test.histories, split.test.targets
    scores = scorer.score(histories)
    filtered, kept = (evaluate_auc(scorer, split.test, None, filter_seen=mode) for mode in (True, False))
    np.testing.assert_array_equal(filtered.values, auc(scores, targets, histories))
    np.testing.assert_array_equal(kept.values, auc(scores, targets))


def test_no_question_is_refused(split):
    empty = EvalSet(np.empty(0, dtype=np.int32), [], [])
    for part, questions in ((empty, None), (split.test, 0)):
        with pytest.raises(ConfigError, match="no question"):
            evaluate_auc(Popularity().fit(split.train), part, questions)
