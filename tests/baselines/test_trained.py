"""Scorers that are trained once and kept, for data sets with other items, too."""

import numpy as np
import pytest

from genrec.baselines import Popularity
from genrec.baselines.sequential import SASRec
from genrec.baselines.trained import TrainedScorer, fit_named
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError, ResourceError
from genrec.testing import toy_dataset
from genrec.testing.scorer_contract import ScorerContract


class TestTrainedScorer(ScorerContract):
    def make_scorer(self):
        return Everything()


class Everything(TrainedScorer):
    """Fitted, for the contract, on whatever it is given."""

    def __init__(self):
        super().__init__(Popularity(), [])

    def fit(self, dataset):
        self.scorer.fit(dataset)
        super().__init__(self.scorer, dataset.catalog.ids.ids)
        return super().fit(dataset)


def test_what_was_trained_is_read_and_not_trained_again(tmp_path):
    split = leave_last_out(toy_dataset(users=24, items=8, length=4))
    first = fit_named("sasrec", split.train, split.validation, 0, tmp_path)
    again = fit_named("sasrec", split.train, split.validation, 1, tmp_path)  # another seed would train another model
    assert isinstance(again, SASRec)
    history = [np.array([3, 4], dtype=np.int32)]
    np.testing.assert_array_equal(first.score(history), again.score(history))
    assert [path.name for path in tmp_path.iterdir()] == ["sasrec"]
    fit_named("item-knn", split.train, None, 0, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["sasrec"]  # fitted in no time, so not kept


def test_items_are_found_by_id_and_strangers_get_the_mean():
    known = toy_dataset(items=6)
    scorer = Popularity().fit(known)
    scores = scorer.score([np.array([0])])[0]
    kept = TrainedScorer(scorer, [*known.catalog.ids.ids[::-1]]).fit(toy_dataset(items=8))
    found = kept.score([np.array([7, 0], dtype=np.int32)])[0]
    np.testing.assert_allclose(found, [*scores[::-1], scores.mean(), scores.mean()], rtol=1e-6)


def test_it_has_to_be_told_the_items():
    with pytest.raises(ConfigError, match="fit it first"):
        TrainedScorer(Popularity(), ["a"]).score([np.array([0])])


def test_ease_on_a_catalog_that_takes_minutes_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("genrec.baselines.trained.EASE_ITEMS", 23)
    with pytest.raises(ResourceError, match="24 items, more than 23"):
        fit_named("ease-recent", toy_dataset(items=24), None, 0, tmp_path)
