"""Places of a list for items that nobody has met: a model has only ever seen such items not being chosen."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genrec.baselines.content.tfidf_knn import TfidfKNN
from genrec.baselines.ranking import top_k
from genrec.decoding.decoded import Decoded
from genrec.decoding.weights import ItemWeights
from genrec.recommend.prepared import Places

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.recommend.diversity import CategoryCap
    from genrec.recommend.model_items import ModelItems
    from genrec.recommend.prepared import Prepared


SUITED = 1.5
"""An item suits a history if it is among the best of its words' neighbours: so many times as many as a list has."""


class Newcomers:
    """Items without an interaction, and which of them suit a history by their words.

    They suit it if text neighbours alone [1]_ would recommend them in a list half as long again: so a user whose items
    have nothing to do with what is new gives no place away.

    Parameters
    ----------
    dataset
        Who has met what, and the texts of all items.
    items
        The items that the model knows (N).

    Raises
    ------
    DataError
        There are new items, and no item has any word.

    Attributes
    ----------
    items
        int64 (H,): the new ones, by their index in the model.

    References
    ----------
    .. [1] :class:`~genrec.baselines.content.tfidf_knn.TfidfKNN`. eval/cold_items.py measures what that finds and costs;
       what else was tried is in eval/results/experiments.md.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from genrec.data.catalog import Catalog
    >>> from genrec.recommend.model_items import ModelItems
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> rows = pa.table({"item_id": ["new"], "title": [dataset.catalog.titles[3]]})
    >>> catalog = Catalog(pa.concat_tables([dataset.catalog.table, rows], promote_options="default"))
    >>> newcomers = Newcomers(dataset.with_catalog(catalog), ModelItems(catalog, catalog.ids.ids))
    >>> newcomers.items.tolist(), newcomers.suiting(np.array([3]), np.arange(25) != 3, most=2, k=10).tolist()
    ([24], [24])
    """

    def __init__(self, dataset: Dataset, items: ModelItems) -> None:
        self._rows = dataset.catalog.ids.indices(items.catalog.ids.ids)
        self.items = np.flatnonzero(dataset.histories.item_counts(dataset.num_items)[self._rows] == 0)
        self._words = TfidfKNN().fit(dataset) if len(self.items) else None

    def suiting(
        self, history: NDArray[np.integer], eligible: NDArray[np.bool_], most: int, k: int
    ) -> NDArray[np.int32]:
        """The new items whose words are most like those of a history.

        Parameters
        ----------
        history
            Item indices of the model, (T,), oldest first.
        eligible
            Which items may be recommended, bool (N,).
        most
            How many at most.
        k
            Length of the list that they are to stand in.

        Returns
        -------
        NDArray
            int32 (M,), those that suit best first; fewer than ``most`` where fewer suit.
        """
        if self._words is None or not len(history) or not most:
            return np.empty(0, dtype=np.int32)
        scores = self._words.score([self._rows[history].astype(np.int32)])[:, self._rows]
        scores[:, ~eligible | (scores[0] <= 0)] = -np.inf
        best = top_k(scores, math.ceil(SUITED * k)).items[0]
        suits: NDArray[np.int32] = best[np.isin(best, self.items)][:most]
        return suits

    def placed(self, prepared: Prepared) -> Prepared:
        """Give a request's places to new items, which are then searched for apart from all others."""
        request = prepared.request
        chosen = self.suiting(prepared.history, prepared.weights.eligible[0], request.new_items, request.k)
        if not len(chosen):
            return prepared
        num_items = prepared.weights.shape[1]
        return replace(
            prepared,
            weights=prepared.weights + ItemWeights.from_seen([chosen], num_items),
            places=Places(chosen, prepared.weights + ItemWeights.from_candidates([chosen], num_items)),
        )


def with_newcomers(
    known: Decoded,
    batch: Sequence[Prepared],
    decode: Callable[[int, NDArray[np.int64], list[ItemWeights]], Decoded],
    cap: CategoryCap | None,
) -> Decoded:
    """Let new items take the last places of those requests that leave them any.

    Parameters
    ----------
    known
        The k best items of each of B requests, its new ones excluded.
    batch
        These requests.
    decode
        Gives the best items, as many as it is told, of the requests of some rows by the weights given.
    cap
        Which items fit beside each other. Default any.

    Returns
    -------
    Decoded
        New items in the order in which they suit, each with the score and log-probability that the model gives it.
    """
    asking = [(row, one.places) for row, one in enumerate(batch) if one.places is not None]
    if not asking:
        return known
    rows = np.array([row for row, _ in asking])
    found = decode(max(len(places.items) for _, places in asking), rows, [places.weights for _, places in asking])
    made = Decoded(known.items.copy(), known.scores.copy(), known.logprobs.copy())
    k = known.items.shape[1]
    for number, (row, places) in enumerate(asking):
        column = {int(item): at for at, item in enumerate(found.items[number])}
        new = np.array([column[item] for item in places.items.tolist() if item in column], dtype=np.int64)
        there = np.flatnonzero(known.items[row] >= 0)
        first, rest = np.split(there, [max(k - len(new), 0)])
        items = np.concatenate([known.items[row, first], found.items[number, new], known.items[row, rest]])
        taken = np.arange(len(items))[:k] if cap is None else cap.choose(items, k)
        for into, ours, theirs in (
            (made.items, known.items, found.items),
            (made.scores, known.scores, found.scores),
            (made.logprobs, known.logprobs, found.logprobs),
        ):
            ranked = np.concatenate([ours[row, first], theirs[number, new], ours[row, rest]])[taken]
            into[row, : len(taken)] = ranked
            into[row, len(taken) :] = -1 if into is made.items else -np.inf
    return made
