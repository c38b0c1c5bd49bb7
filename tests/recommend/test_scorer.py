"""The generator as a scorer."""

import numpy as np
import pytest

from genrec.baselines import Popularity
from genrec.baselines.base import Scorer
from genrec.prompt.builder import PromptBuilder
from genrec.prompt.templates import Templates
from genrec.recommend.scorer import GenerativeScorer
from genrec.retrieval import Candidates
from genrec.testing import tiny_generator, toy_dataset
from genrec.testing.scorer_contract import NUM_ITEMS, ScorerContract


def make(**settings) -> GenerativeScorer:
    generator = tiny_generator(num_items=NUM_ITEMS)
    builder = PromptBuilder(Templates.load(), generator.vocabulary, None, max_tokens=64)
    return GenerativeScorer(generator, builder, max_items=30, **settings)


class TestGenerativeScorer(ScorerContract):
    def make_scorer(self) -> Scorer:
        return make()


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_with_a_beam_for_every_item_it_recommends_by_its_scores(batch_size):
    """Histories of very different lengths, batched by length, come back in their order."""
    scorer = make(beams=NUM_ITEMS, batch_size=batch_size)
    rng = np.random.default_rng(0)
    histories = [rng.integers(NUM_ITEMS, size=size).astype(np.int32) for size in (9, 0, 29, 1, 4)]
    ranking = scorer.recommend(histories, 6, exclude=histories)
    scores = scorer.score(histories)
    for history, items, row, found in zip(histories, ranking.items, scores, ranking.scores, strict=True):
        row[history] = -np.inf
        items, found = items[items >= 0], found[items >= 0]
        assert len(items) == min(6, np.isfinite(row).sum())
        assert items.tolist() == np.argsort(-row, kind="stable")[: len(items)].tolist()
        np.testing.assert_allclose(found, row[items], atol=1e-4)


def test_only_the_latest_items_are_read():
    scorer = make()
    scorer.max_items = 3
    long, short = np.array([9, 9, 1, 2, 3], dtype=np.int32), np.array([1, 2, 3], dtype=np.int32)
    np.testing.assert_array_equal(scorer.score([long]), scorer.score([short]))


def test_scores_are_probabilities_of_the_whole_catalog():
    np.testing.assert_allclose(np.exp(make().score([np.array([1, 2], dtype=np.int32)])).sum(), 1.0, rtol=1e-5)


def test_items_of_the_history_weigh_the_return_log_odds():
    """Alone, with a beam for every item: the sum, once for an item that was met twice."""
    plain, returning = make(), make(beams=NUM_ITEMS, return_log_odds=-1.5)
    histories = [np.array(items, dtype=np.int32) for items in ([4, 9, 4], [], [0])]
    wanted = plain.score(histories)
    wanted[0, [4, 9]] -= 1.5
    wanted[2, 0] -= 1.5
    np.testing.assert_allclose(returning.score(histories), wanted, atol=1e-5)
    np.testing.assert_allclose(returning.recommend(histories, 6).scores, -np.sort(-wanted)[:, :6], atol=1e-4)


def test_scores_for_a_ranking_of_unseen_items_are_of_the_candidates_that_it_ranks():
    dataset = toy_dataset(items=NUM_ITEMS)
    scorer = make(beams=NUM_ITEMS, candidates=Candidates(Popularity(), 10)).fit(dataset)
    histories = [dataset.histories[user] for user in range(6)]
    ranking = scorer.recommend(histories, NUM_ITEMS, exclude=histories)
    scores = scorer.score_eligible(histories, histories)
    for items, row in zip(ranking.items, scores, strict=True):
        assert (items >= 0).sum() == 10
        assert set(np.flatnonzero(np.isfinite(row))) == set(items[items >= 0])
    whole = scorer.score(histories)
    assert any(np.isfinite(row[history]).any() for row, history in zip(whole, histories, strict=True))
