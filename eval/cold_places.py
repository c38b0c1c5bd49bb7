"""The last places of a list for items that nobody has met, where their texts suit the history: see cold_items.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from genrec.baselines.base import Ranking, Scorer
from genrec.baselines.ranking import top_k
from genrec.recommend.fusion import on_one_scale
from genrec.training.pooling import pool_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet

LIST = 10
MOST = 3
"""Places that new items may take of a list, at most."""
NEIGHBOURS = 10
BATCH = 128


class NewItemPlaces(Scorer):
    """A fitted scorer that leaves some of its last places to new items.

    How well a new item suits a history is a weighted sum of what text scorers say, as z-scores over the catalog, and of
    the log-probability that the scorer gives to the known items whose words are most like its own.

    Parameters
    ----------
    name
        Name in reports.
    scorer
        Gives log-probabilities of N items; what it says of new items does not count.
    texts
        Fitted scorers that know new items.
    items
        int64 (H,), the new items, ascending.
    words
        Texts of the N items.
    """

    serves_cold_users = True
    serves_cold_items = True

    def __init__(
        self, name: str, scorer: Scorer, texts: Sequence[Scorer], items: NDArray[np.int64], words: Sequence[str]
    ) -> None:
        self.name, self.scorer, self.texts, self.items = name, scorer, texts, items
        self.places, self.least = 0, np.inf
        self.weights = np.zeros(len(texts) + 1)
        rows = TfidfVectorizer(token_pattern=r"\w+").fit_transform(words)
        known = np.setdiff1d(np.arange(len(words)), items)
        alike = (rows[items] @ rows[known].T).toarray()
        nearest = np.argsort(-alike, axis=1, kind="stable")[:, :NEIGHBOURS]
        self._neighbours, self._alike = known[nearest], np.take_along_axis(alike, nearest, axis=1)

    def fit(self, dataset: Dataset) -> Self:
        """Its parts are fitted already."""
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Scores (B, N) of the scorer; places are given in :meth:`recommend`."""
        return self.scorer.score(histories)

    def recommend(
        self, histories: Sequence[NDArray[np.int32]], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> Ranking:
        """The k best known items, of which the last make way for new ones that suit well enough."""
        scores, signs = self._read(histories)
        known = self._known(scores, k, exclude)
        items = known.items.copy()
        new, entered = self._entering(self._suits(signs, exclude), self.least, min(self.places, k - 1))
        for row, number in enumerate(entered):
            if number:
                items[row, k - number :] = self.items[new[row, :number]]
        return Ranking(items, known.scores)

    def choose(self, warm: EvalSet, cold: EvalSet, may_lose: float) -> Self:
        """Choose how many places there are and from when a new item takes one.

        Parameters
        ----------
        warm
            Questions whose targets are known items.
        cold
            Questions whose targets are new items: most of them shall be found.
        may_lose
            Share of the NDCG@10 of warm questions that this may cost.
        """
        target = np.concatenate(cold.targets)
        signs = np.concatenate([self._read(cold.histories[some])[1] for some in _batches(len(cold))], axis=1)
        self.weights = pool_weights(list(signs), list(np.searchsorted(self.items, target)[:, None]))
        of_cold = self._suits(signs, cold.seen)
        of_warm, place = [], []
        for some in _batches(len(warm)):
            scores, signs = self._read(warm.histories[some])
            of_warm.append(self._suits(signs, warm.seen[some]))
            known = self._known(scores, LIST, warm.seen[some]).items
            hit = known == np.concatenate(warm.targets[some])[:, None]
            place.append(np.where(hit.any(axis=1), hit.argmax(axis=1), LIST))
        suits, rank = np.concatenate(of_warm), np.concatenate(place)
        gain = np.where(rank < LIST, 1 / np.log2(rank + 2), 0)
        most = -1.0
        for places in range(1, MOST + 1):
            least = self._least(suits, places, rank, gain, may_lose)
            new, entered = self._entering(of_cold, least, places)
            found = (self.items[new] == target[:, None]) & (np.arange(places) < entered[:, None])
            if found.any(axis=1).mean() > most:
                most, self.places, self.least = float(found.any(axis=1).mean()), places, least
        return self

    def _least(
        self, suits: NDArray[np.float64], places: int, rank: NDArray[np.int64], gain: NDArray[np.float64], loss: float
    ) -> float:
        """The least suitability that costs no more than may be lost: by bisection, for the loss falls as it rises."""
        best = np.sort(suits.max(axis=1))
        low, high = 0, len(best)
        while low < high:
            middle = (low + high) // 2
            _, entered = self._entering(suits, best[middle], places)
            if gain[rank >= LIST - entered].sum() <= loss * gain.sum():
                high = middle
            else:
                low = middle + 1
        return float(best[low]) if low < len(best) else np.inf

    def _entering(
        self, suits: NDArray[np.float64], least: float, places: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The new items (B, places) that suit best, best first, as positions in `items`; how many suit enough (B,)."""
        new = np.argsort(-suits, axis=1, kind="stable")[:, :places]
        return new, (np.take_along_axis(suits, new, axis=1) >= least).sum(axis=1)

    def _suits(self, signs: NDArray[np.float32], exclude: Sequence[NDArray[np.int32]] | None) -> NDArray[np.float64]:
        """How well new items suit, float64 (B, H); -inf for what is excluded."""
        suits: NDArray[np.float64] = np.tensordot(self.weights, signs, 1)
        for row, items in enumerate(exclude or ()):
            suits[row, np.isin(self.items, items)] = -np.inf
        return suits

    def _read(self, histories: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Scores (B, N), and what the signs say of new items (S, B, H)."""
        scores = self.scorer.score(histories)
        words = [on_one_scale(text.score(histories), "z-score")[:, self.items] for text in self.texts]
        near = np.einsum("bhn,hn->bh", np.exp(np.minimum(scores[:, self._neighbours], 0)), self._alike)
        return scores, np.stack([*words, np.log(near + 1e-12)]).astype(np.float32)

    def _known(self, scores: NDArray[np.float32], k: int, exclude: Sequence[NDArray[np.int32]] | None) -> Ranking:
        """The k best known items."""
        scores = scores.copy()
        scores[:, self.items] = -np.inf
        return top_k(scores, k, exclude)


def _batches(number: int) -> list[slice]:
    return [slice(first, first + BATCH) for first in range(0, number, BATCH)]
