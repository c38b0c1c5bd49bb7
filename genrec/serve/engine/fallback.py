"""Answers of collaborative filtering, for when the generator would be too late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.baselines.item_knn import ItemKNN
from genrec.decoding.decoded import Decoded
from genrec.recommend.diversity import CategoryCap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.recommend.recommender import Recommender
    from genrec.recommend.request import Answer, Request

NEIGHBOURS = 50
POPULARITY = 1e-3
"""Weight of the most popular item, where the most alike to the history weighs 1: it orders what is not alike at all."""
LEAST = 1e-9
"""Weight of an item that nobody has met."""


class Neighbours:
    """Weighs items by how alike they are to those of a history, and by popularity where none is.

    Parameters
    ----------
    dataset
        What it learns from: a fraction of a second for 100,000 interactions.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> neighbours = Neighbours(toy_dataset(users=24, items=8, length=3))
    >>> sorted(neighbours.shares(np.array([3])).argsort()[-2:].tolist())
    [2, 4]
    """

    def __init__(self, dataset: Dataset) -> None:
        self.ids = dataset.catalog.ids
        self._scorer = ItemKNN(NEIGHBOURS).fit(dataset)
        met = dataset.histories.item_counts(dataset.num_items)
        self._popularity = (LEAST + POPULARITY * met / max(met.max(), 1)).astype(np.float32)

    def shares(self, history: NDArray[np.integer]) -> NDArray[np.float32]:
        """Shares of evidence of the N items of the data set, float32 (N,), after a history of their indices."""
        scores = self._scorer.score([history.astype(np.int32)])[0]
        weights = scores / max(scores.max(), np.float32(LEAST)) + self._popularity
        shares: NDArray[np.float32] = weights / weights.sum()
        return shares


class Fallback:
    """Answers requests by neighbours of the history's items.

    What a request excludes or prefers holds as for the generator: filters, seen items, candidates, boosts and caps.

    Parameters
    ----------
    recommender
        Whose requests it answers.
    neighbours
        Fitted on its data set, or on an earlier state of it: items that came later weigh least.
    """

    def __init__(self, recommender: Recommender, neighbours: Neighbours) -> None:
        self.recommender = recommender
        self.neighbours = neighbours
        # Where the neighbours have each item of the model; -1, the end, for those they do not have.
        self._places = neighbours.ids.find(recommender.model.item_ids)

    def answer(self, request: Request) -> Answer:
        """Answer a request as the recommender would, with its titles, history and filters.

        Raises
        ------
        GenrecError
            As the recommender does.
        """
        prepared = self.recommender.prepare(request)
        met = self._places[prepared.history]
        shares = np.append(self.neighbours.shares(met[met >= 0]), np.float32(LEAST))
        logprobs = np.log(shares[self._places])
        scores = logprobs + prepared.weights.dense[0]
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > -np.inf]
        if request.max_per_category is not None:
            cap = CategoryCap(self.recommender.catalog.categories, request.max_per_category)
            order = order[cap.choose(order, request.k)]
        order = order[: request.k]
        decoded = Decoded(order[None].astype(np.int32), scores[order][None], logprobs[order][None])
        return self.recommender.answer(prepared, decoded)
