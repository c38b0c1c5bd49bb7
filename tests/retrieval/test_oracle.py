"""The ceiling over a retriever's candidates."""

import numpy as np
import pytest

from genrec.baselines import Popularity
from genrec.baselines.base import Scorer
from genrec.data.split import EvalSet, leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.retrieval import Candidates, Oracle
from genrec.testing import toy_dataset
from genrec.testing.scorer_contract import ScorerContract


class TestOracle(ScorerContract):
    def make_scorer(self) -> Scorer:
        return Oracle(Popularity(), n=30)


@pytest.mark.parametrize("filter_seen", [True, False])
@pytest.mark.parametrize("n", [1, 6, 24])
def test_its_recall_is_that_of_the_candidates(n, filter_seen):
    split = leave_last_out(toy_dataset())
    oracle = Oracle(Popularity(), n=n).fit(split.train)
    oracle.use_answers(split.test)
    found = evaluate(oracle, split.test, ks=(1, 5), filter_seen=filter_seen)
    wanted = Candidates(Popularity().fit(split.train), n).recall(split.test, filter_seen=filter_seen)
    np.testing.assert_array_equal(found.per_user["recall@1"], wanted)
    np.testing.assert_array_equal(found.per_user["ndcg@5"], wanted)


def test_questions_with_the_same_history_have_their_own_answers():
    scorer = Oracle(Popularity(), n=24).fit(toy_dataset())
    histories = [np.array([3], dtype=np.int32), np.array([3], dtype=np.int32)]
    scorer.use_answers(EvalSet(np.arange(2, dtype=np.int32), histories, [np.array([9, 7]), np.array([5])]))
    items = scorer.recommend(histories, 3).items
    assert set(items[0, :2].tolist()) == {7, 9}
    assert items[1, 0] == 5
    assert scorer.score(histories).argmax(axis=1).tolist() in ([7, 5], [9, 5])
