"""The last places of a list for items that nobody has met, where they suit the history: see cold_items.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.baselines.base import Ranking, Scorer
from genrec.baselines.ranking import top_k

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet

LIST = 10
MOST = 3
"""Places that new items may take of a list, at most."""
BATCH = 128


class NewItemPlaces(Scorer):
    """A fitted scorer that leaves some of its last places to new items.

    A new item takes one if its chance to be the one that the history would choose, among the new items, is high enough.

    Parameters
    ----------
    name
        Name in reports.
    scorer
        Scores N items; what it says of new items does not count.
    matcher
        A fitted scorer whose scores of new items are logits of these chances.
    items
        int64 (H,), the new items, ascending.
    """

    serves_cold_users = True
    serves_cold_items = True

    def __init__(self, name: str, scorer: Scorer, matcher: Scorer, items: NDArray[np.int64]) -> None:
        self.name, self.scorer, self.matcher, self.items = name, scorer, matcher, items
        self.places, self.least = 0, np.inf

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
        known = self._known(histories, k, exclude)
        items = known.items.copy()
        new, chances = self._best(histories)
        entered = (chances[:, : self.places] >= self.least).sum(axis=1)
        for row, number in enumerate(np.minimum(entered, k - 1)):
            if number:
                items[row, k - number :] = self.items[new[row, :number]]
        return Ranking(items, known.scores)

    def choose(self, warm: EvalSet, cold: EvalSet, may_lose: float) -> Self:
        """Choose how many places there are and from what chance on one is taken.

        Parameters
        ----------
        warm
            Questions whose targets are known items.
        cold
            Questions whose targets are new items: most of them shall be found.
        may_lose
            Share of the NDCG@10 of warm questions that this may cost.
        """
        new, of_cold = _joined(self._best(some) for some in _batches(cold.histories))
        right = self.items[new] == np.concatenate(cold.targets)[:, None]
        _, of_warm = _joined(self._best(some) for some in _batches(warm.histories))
        lists = np.concatenate([self._known(some, LIST, some).items for some in _batches(warm.histories)])
        hit = lists == np.concatenate(warm.targets)[:, None]
        rank = np.where(hit.any(axis=1), hit.argmax(axis=1), LIST)
        gain = np.where(rank < LIST, 1 / np.log2(rank + 2), 0)
        most = -1.0
        for places in range(1, MOST + 1):
            least = _least(of_warm[:, :places], rank, gain, may_lose)
            found = float((right & (of_cold >= least))[:, :places].any(axis=1).mean())
            if found > most:
                most, self.places, self.least = found, places, least
        return self

    def _best(self, histories: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The new items with the best chances, as positions in `items`, best first, and these, (B, MOST)."""
        suits = self.matcher.score(histories)[:, self.items].astype(np.float64)
        odds = np.exp(suits - suits.max(axis=1, keepdims=True))
        best = np.argsort(-suits, axis=1, kind="stable")[:, :MOST]
        return best, np.take_along_axis(odds / odds.sum(axis=1, keepdims=True), best, axis=1)

    def _known(
        self, histories: Sequence[NDArray[np.int32]], k: int, exclude: Sequence[NDArray[np.int32]] | None
    ) -> Ranking:
        """The k best known items."""
        scores = self.scorer.score(histories).copy()
        scores[:, self.items] = -np.inf
        return top_k(scores, k, exclude)


def _least(chances: NDArray[np.float64], rank: NDArray[np.int64], gain: NDArray[np.float64], loss: float) -> float:
    """The least chance that costs no more than may be lost: by bisection, for the loss falls as it rises."""
    levels = np.sort(chances[:, 0])
    low, high = 0, len(levels)
    while low < high:
        middle = (low + high) // 2
        entered = (chances >= levels[middle]).sum(axis=1)
        if gain[rank >= LIST - entered].sum() <= loss * gain.sum():
            high = middle
        else:
            low = middle + 1
    return float(levels[low]) if low < len(levels) else np.inf


def _joined(
    parts: Iterable[tuple[NDArray[np.int64], NDArray[np.float64]]],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    items, chances = zip(*parts, strict=True)
    return np.concatenate(items), np.concatenate(chances)


def _batches(histories: Sequence[NDArray[np.int32]]) -> list[Sequence[NDArray[np.int32]]]:
    return [histories[first : first + BATCH] for first in range(0, len(histories), BATCH)]
