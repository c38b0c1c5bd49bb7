"""Requests that are prepared together are prepared as each alone."""

import numpy as np
import pytest

from genrec.errors import FilterError, UnknownIdError
from genrec.model.description import EvidenceDescription
from genrec.recommend.evidence import ScorerEvidence
from genrec.recommend.prepared import Prepared
from genrec.recommend.recommender import Recommender
from genrec.recommend.request import Request
from genrec.testing import toy_dataset
from genrec.testing.untrained import untrained_model

DATASET = toy_dataset()
ABOUT = EvidenceDescription(scorers=["item-knn-recent", "tfidf-knn"], weights=[1.0, 0.5], strength=0.7)


@pytest.fixture(scope="module")
def guided():
    recommender = Recommender(untrained_model(DATASET), DATASET)
    recommender.evidence = ScorerEvidence.fitted(ABOUT, DATASET, recommender.model.item_ids)
    return recommender


def test_together_they_weigh_the_same(guided):
    requests = [
        Request(history=["i3", "i4"]),
        Request(history=[]),
        Request(history=["i9"] * 3 + ["i1"], filters=["year>=1980"]),
        Request(user="u2", prompt="a comedy"),
    ]
    for request, together in zip(requests, guided.prepare_each(requests), strict=True):
        alone = guided.prepare(request)
        np.testing.assert_allclose(together.weights.dense, alone.weights.dense, atol=1e-6)
        assert together.history.tolist() == alone.history.tolist()
        assert np.array_equal(together.sequence.tokens, alone.sequence.tokens)


def test_what_is_wrong_with_one_is_said_of_that_one(guided):
    requests = [Request(history=["i3"]), Request(history=["nope"]), Request(history=["i4"], filters=["year>>1"])]
    made = guided.prepare_each(requests)
    assert [type(one) for one in made] == [Prepared, UnknownIdError, FilterError]
    assert guided.prepare_each([]) == []
    with pytest.raises(UnknownIdError):
        guided.recommend_batch(requests)
    answers = guided.recommend_batch([requests[0]] * 5, batch_size=2)
    assert len({tuple(item.item_id for item in answer.items) for answer in answers}) == 1
