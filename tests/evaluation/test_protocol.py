"""The protocol: the whole catalog, seen items, batches, and what is refused."""

import logging

import numpy as np
import pytest

from genrec.baselines import ItemKNN, Popularity, Ranking
from genrec.baselines.base import Scorer
from genrec.data.split import EvalSet, leave_last_out
from genrec.errors import ConfigError, ModelError, UnsupportedError
from genrec.evaluation import evaluate
from genrec.testing import toy_dataset


class FixedScores(Scorer):
    """Scores an item by the column it stands in, the same for everyone."""

    name = "fixed"
    serves_cold_users = True
    serves_cold_items = True

    def __init__(self, scores):
        self.scores = np.array(scores, dtype=np.float32)

    def fit(self, dataset):
        return self

    def score(self, histories):
        return np.tile(self.scores, (len(histories), 1))


def eval_set(*pairs):
    histories, targets = zip(*pairs, strict=True)
    return EvalSet(
        users=np.arange(len(pairs), dtype=np.int32),
        histories=[np.array(items, dtype=np.int32) for items in histories],
        targets=[np.array(items, dtype=np.int32) for items in targets],
    )


def test_by_hand_with_seen_items_filtered_and_kept():
    # Order of the catalog for everyone: 3, 2, 1, 0.
    scorer, questions = FixedScores([0, 1, 2, 3]), eval_set(([3], [2]), ([2, 3], [0]), ([0], [1]))
    filtered = evaluate(scorer, questions, ks=(1, 2), filter_seen=True)
    np.testing.assert_array_equal(filtered.items, [[2, 1], [1, 0], [3, 2]])
    assert filtered.metrics["recall@1"] == pytest.approx((1 + 0 + 0) / 3)
    assert filtered.metrics["ndcg@2"] == pytest.approx((1 + 1 / np.log2(3) + 0) / 3)
    assert filtered.metrics["mrr@2"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    kept = evaluate(scorer, questions, ks=(1, 2), filter_seen=False)
    np.testing.assert_array_equal(kept.items, [[3, 2]] * 3)
    assert kept.metrics["recall@2"] == pytest.approx(1 / 3)
    assert (filtered.filter_seen, kept.filter_seen) == (True, False)


def test_means_are_of_the_per_user_values():
    evaluation = evaluate(FixedScores([0, 1, 2, 3]), eval_set(([3], [2]), ([2], [0])), ks=(2,))
    assert set(evaluation.per_user) == set(evaluation.metrics)
    assert evaluation.metrics["recall@2"] == evaluation.per_user["recall@2"].mean() == 0.5
    assert evaluation.as_dict()["metrics"] == evaluation.metrics
    assert evaluation.num_users == 2


def test_equal_scores_rank_by_item_index():
    evaluation = evaluate(FixedScores([1, 1, 1, 1]), eval_set(([0], [1])), ks=(3,))
    assert evaluation.items.tolist() == [[1, 2, 3]]


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_batches_change_nothing(batch_size):
    split = leave_last_out(toy_dataset())
    scorer = ItemKNN().fit(split.train)
    np.testing.assert_array_equal(
        evaluate(scorer, split.test, batch_size=batch_size).items, evaluate(scorer, split.test).items
    )


def test_a_full_score_matrix_is_never_asked_for():
    class RecommendsOnly(FixedScores):
        def score(self, histories):
            raise AssertionError("score must not be called")

        def recommend(self, histories, k, exclude=None):
            items = np.tile(np.arange(k, dtype=np.int32), (len(histories), 1))
            return Ranking(items, -items.astype(np.float32))

    assert evaluate(RecommendsOnly([0]), eval_set(([3], [1])), ks=(2,)).metrics["recall@2"] == 1.0


def test_fewer_items_than_the_cut_off_is_fine():
    evaluation = evaluate(FixedScores([0, 1]), eval_set(([1], [0])), ks=(5,))
    assert evaluation.items.tolist() == [[0, -1, -1, -1, -1]]
    assert evaluation.metrics["recall@5"] == 1.0


def test_an_item_twice_is_refused():
    class Twice(FixedScores):
        def recommend(self, histories, k, exclude=None):
            return Ranking(np.ones((len(histories), k), dtype=np.int32), np.zeros((len(histories), k), np.float32))

    with pytest.raises(ModelError, match="fixed returned an item more than once for 1 users"):
        evaluate(Twice([0]), eval_set(([3], [1])), ks=(2,))


def test_targets_that_filtering_hides_are_logged(caplog):
    questions = eval_set(([0, 1], [1, 2]), ([0], [1]))
    with caplog.at_level(logging.INFO, logger="genrec"):
        evaluate(Popularity().fit(toy_dataset(items=4, length=2)), questions, filter_seen=False)
        assert not caplog.text
        evaluate(Popularity().fit(toy_dataset(items=4, length=2)), questions)
    assert "1 targets are in the user's history" in caplog.text


def test_no_questions_and_no_cut_off_are_refused():
    questions = eval_set(([0], [1]))
    for bad in (
        lambda: evaluate(FixedScores([0, 1]), questions, ks=()),
        lambda: evaluate(FixedScores([0]), questions, ks=(0,)),
    ):
        with pytest.raises(ConfigError, match="nothing to evaluate"):
            bad()
    empty = EvalSet(users=np.empty(0, dtype=np.int32), histories=[], targets=[])
    with pytest.raises(ConfigError, match="0 questions"):
        evaluate(FixedScores([0]), empty)


def test_sampled_negatives_are_refused_with_the_reason():
    with pytest.raises(UnsupportedError, match=r"100 sampled negatives.*Krichene and Rendle.*KDD 2020") as caught:
        evaluate(FixedScores([0, 1]), eval_set(([1], [0])), negatives=100)
    assert caught.value.exit_status == 2


def test_nothing_is_printed_where_no_terminal_is(capfd):
    evaluate(FixedScores([0, 1]), eval_set(([1], [0])))
    assert capfd.readouterr() == ("", "")
