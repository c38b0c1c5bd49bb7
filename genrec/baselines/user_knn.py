"""User-based nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.base import Scorer
from genrec.baselines.item_knn import knn_name
from genrec.baselines.matrices import history_matrix, training_matrix
from genrec.baselines.options import require
from genrec.baselines.similarity import SIMILARITIES, Similarity, SimilarityIndex, strongest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class UserKNN(Scorer):
    r"""Scores an item by the similarity of the users who met it.

    The users of the training set whose histories are most like the given one vote for their items [1]_, [2]_, each
    with its similarity. Users who met nothing beyond the given history have nothing to recommend and are left
    out; one of them is the asked user, if it was trained on.

    Parameters
    ----------
    neighbours
        Most similar users that vote, default 100.
    similarity
        ``"cosine"`` (default), ``"pearson"`` (over the whole catalog, met or not), ``"jaccard"`` or ``"euclidean"``.
    shrinkage
        Distrust of similarities with few common items, default 0: none.
    recency
        Items of a history weigh ``(1 + p) ** -recency``, with ``p`` items after them, when histories are compared; and
        so do the items that a neighbour votes for. Default 0: all alike.

    Raises
    ------
    ConfigError
        An option out of its range.

    References
    ----------
    .. [1] Resnick et al., "GroupLens: an open architecture for collaborative filtering of netnews", CSCW 1994.
    .. [2] Ferrari Dacrema, Cremonesi, Jannach, "Are we really making much progress?", RecSys 2019.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = UserKNN(neighbours=4).fit(toy_dataset(users=24, items=8, length=4))
    >>> history = np.array([3, 4, 5], dtype=np.int32)
    >>> sorted(scorer.recommend([history], k=2, exclude=[history]).items[0].tolist())
    [2, 6]
    """

    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(
        self, neighbours: int = 100, similarity: Similarity = "cosine", shrinkage: float = 0.0, recency: float = 0.0
    ) -> None:
        require(neighbours >= 1, f"neighbours={neighbours} must be at least 1")
        require(similarity in SIMILARITIES, f"similarity={similarity!r} must be one of {', '.join(SIMILARITIES)}")
        require(min(shrinkage, recency) >= 0, f"shrinkage={shrinkage} and recency={recency} must not be negative")
        self.neighbours = neighbours
        self.similarity = similarity
        self.shrinkage = shrinkage
        self.recency = recency
        self.name = knn_name("user-knn", similarity, recency)

    def fit(self, dataset: Dataset) -> Self:
        """Keep the training histories.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        self._votes = training_matrix(dataset.histories, dataset.num_items, self.recency)
        self._index = SimilarityIndex(self._votes, self.similarity, self.shrinkage)
        met = training_matrix(dataset.histories, dataset.num_items)
        self._met, self._num_met = met.T.tocsr(), np.diff(met.indptr)
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Add up the votes of each history's neighbours.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N), 0 for an item that no neighbour met.
        """
        num_items = self._votes.shape[1]
        similarities = self._index.compare(history_matrix(histories, num_items, self.recency))
        common = (history_matrix(histories, num_items) @ self._met).tocsr()
        common.sort_indices()  # the same cells as the similarities
        similarities.data[common.data == self._num_met[common.indices]] = 0
        scores: NDArray[np.float32] = (strongest(similarities, self.neighbours) @ self._votes).toarray()
        return scores
