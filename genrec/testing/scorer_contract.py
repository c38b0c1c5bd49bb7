"""The tests every scorer passes, to inherit in the tests of a new one."""

from __future__ import annotations

import numpy as np
import pytest

from genrec.baselines.base import Scorer
from genrec.data.dataset import Dataset
from genrec.data.toy import toy_dataset

NUM_ITEMS = 24


class ScorerContract:
    """Contract tests of a :class:`~genrec.baselines.base.Scorer`.

    Inherit, give an unfitted scorer, and pytest, which genrec itself does without, runs them all::

        class TestMyScorer(ScorerContract):
            def make_scorer(self) -> Scorer:
                return MyScorer()
    """

    def make_scorer(self) -> Scorer:
        """Make an unfitted scorer; called once a test."""
        raise AssertionError(f"{type(self).__name__} must define make_scorer")

    @pytest.fixture
    def dataset(self) -> Dataset:
        """Training data of the tests: 40 users, 24 items, the last of which nobody met."""
        dataset = toy_dataset(users=40, items=NUM_ITEMS, length=6)
        return dataset.with_interactions(dataset.item_indices < NUM_ITEMS - 1)

    @pytest.fixture
    def scorer(self, dataset: Dataset) -> Scorer:
        """Fit the scorer on the training data."""
        return self.make_scorer().fit(dataset)

    @pytest.fixture
    def histories(self) -> list[np.ndarray]:
        """Histories of different lengths, with a repeated item, and with the item that nobody met."""
        rows = ([0, 1, 2], [5], [7, 8, 7, 9], list(range(20)), [NUM_ITEMS - 1, 3])
        return [np.array(row, dtype=np.int32) for row in rows]

    def test_fit_returns_the_scorer(self, dataset: Dataset) -> None:
        """``fit`` can be chained."""
        scorer = self.make_scorer()
        assert scorer.fit(dataset) is scorer

    def test_has_a_name(self) -> None:
        """Reports need one."""
        assert self.make_scorer().name

    def test_scores_are_float32_of_the_whole_catalog(self, scorer: Scorer, histories: list[np.ndarray]) -> None:
        """One row a history, one column an item, no NaN and nothing above all bounds."""
        scores = scorer.score(histories)
        assert scores.shape == (len(histories), NUM_ITEMS)
        assert scores.dtype == np.float32
        assert not np.isnan(scores).any()
        assert not np.isposinf(scores).any()

    def test_score_of_no_histories_is_empty(self, scorer: Scorer) -> None:
        """A batch may be empty."""
        assert scorer.score([]).shape == (0, NUM_ITEMS)

    def test_a_history_is_scored_alike_in_any_batch(self, scorer: Scorer, histories: list[np.ndarray]) -> None:
        """Neighbours in the batch change nothing."""
        together = scorer.score(histories)
        alone = np.concatenate([scorer.score([history]) for history in histories])
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)

    def test_scoring_changes_no_history(self, scorer: Scorer, histories: list[np.ndarray]) -> None:
        """The caller's arrays stay as they are."""
        before = [history.copy() for history in histories]
        scorer.score(histories)
        scorer.recommend(histories, 5, exclude=histories)
        for history, copy in zip(histories, before, strict=True):
            np.testing.assert_array_equal(history, copy)

    def test_recommends_k_distinct_items_best_first(self, scorer: Scorer, histories: list[np.ndarray]) -> None:
        """Shapes, types, order, and no item twice."""
        ranking = scorer.recommend(histories, 5)
        assert ranking.items.shape == ranking.scores.shape == (len(histories), 5)
        assert ranking.items.dtype == np.int32
        assert ranking.scores.dtype == np.float32
        assert all(len(set(row)) == 5 for row in ranking.items.tolist())
        assert ranking.items.min() >= 0
        assert ranking.items.max() < NUM_ITEMS
        assert (ranking.scores[:, :-1] >= ranking.scores[:, 1:]).all()

    def test_never_recommends_what_is_excluded(self, scorer: Scorer, histories: list[np.ndarray]) -> None:
        """With all of the catalog asked for, what comes is what was not excluded."""
        ranking = scorer.recommend(histories, NUM_ITEMS, exclude=histories)
        for row, history in zip(ranking.items, histories, strict=True):
            assert set(row[row >= 0].tolist()).isdisjoint(history.tolist())

    def test_short_rankings_are_padded_at_the_end(self, scorer: Scorer, histories: list[np.ndarray]) -> None:
        """-1 with score -inf where nothing is left to recommend, also for k above N."""
        everything_but_one = [np.arange(1, NUM_ITEMS, dtype=np.int32)] * len(histories)
        ranking = scorer.recommend(histories, NUM_ITEMS + 3, exclude=everything_but_one)
        assert ranking.items.shape == (len(histories), NUM_ITEMS + 3)
        assert (ranking.items[:, 0] == 0).all()
        assert (ranking.items[:, 1:] == -1).all()
        assert np.isneginf(ranking.scores[:, 1:]).all()

    def test_is_deterministic(self, dataset: Dataset, scorer: Scorer, histories: list[np.ndarray]) -> None:
        """Fitted twice and asked twice, it answers the same."""
        again = self.make_scorer().fit(dataset).recommend(histories, 10)
        first, second = scorer.recommend(histories, 10), scorer.recommend(histories, 10)
        np.testing.assert_array_equal(first.items, second.items)
        np.testing.assert_array_equal(first.items, again.items)

    def test_an_empty_history_is_served_as_declared(self, scorer: Scorer) -> None:
        """Recommendations if ``serves_cold_users``, else an empty ranking; finite scores either way."""
        cold = [np.empty(0, dtype=np.int32)]
        items = scorer.recommend(cold, 3).items
        assert (items >= 0).all() if scorer.serves_cold_users else (items == -1).all()
        assert scorer.score(cold).shape == (1, NUM_ITEMS)
