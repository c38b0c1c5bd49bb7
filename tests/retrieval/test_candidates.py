"""Candidates of a retriever."""

import numpy as np
import pytest

from genrec.baselines import EASE, Popularity
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.evaluation.protocol import evaluate
from genrec.retrieval import Candidates
from genrec.testing import toy_dataset


@pytest.fixture(scope="module")
def split():
    return leave_last_out(toy_dataset())


@pytest.fixture(scope="module")
def scorer(split):
    return EASE().fit(split.train)


def test_they_are_the_best_of_the_scorer_without_what_is_excluded(split, scorer):
    histories = split.test.histories[:5]
    found = Candidates(scorer, n=7).for_histories(histories, exclude=histories)
    assert (found.shape, found.dtype) == ((5, 7), np.int32)
    np.testing.assert_array_equal(found, scorer.recommend(histories, 7, exclude=histories).items)


def test_short_lists_are_padded(split, scorer):
    histories = split.test.histories[:2]
    found = Candidates(scorer, n=30).for_histories(histories, exclude=histories)
    for row, history in zip(found, histories, strict=True):
        assert set(row[row >= 0].tolist()) == set(range(24)) - set(history.tolist())
        assert (row[24 - len(set(history.tolist())) :] == -1).all()


@pytest.mark.parametrize("filter_seen", [True, False])
def test_recall_is_that_of_the_evaluation(split, filter_seen):
    scorer = Popularity().fit(split.train)
    found = Candidates(scorer, n=9).recall(split.test, filter_seen=filter_seen, batch_size=7)
    wanted = evaluate(scorer, split.test, ks=(9,), filter_seen=filter_seen).per_user["recall@9"]
    np.testing.assert_array_equal(found, wanted)


def test_no_candidates_are_refused(scorer):
    with pytest.raises(ConfigError, match="1 candidate at least"):
        Candidates(scorer, n=0)
