"""Item-based nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from scipy import sparse

from genrec.baselines.base import Scorer
from genrec.baselines.matrices import history_matrix, training_matrix
from genrec.baselines.options import require
from genrec.baselines.similarity import SIMILARITIES, Similarity, SimilarityIndex, strongest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset

BLOCK = 512  # items compared with all others at once, which bounds the memory


class ItemKNN(Scorer):
    r"""Scores an item by its similarity to the items of the history.

    Two items are alike when the same users met them; see :class:`~genrec.baselines.similarity.SimilarityIndex`.
    Each item keeps a list of its most similar ones. An item's score is the sum of its similarities to the items of the
    history that stand in its own list (``neighbours_of="candidate"``, as in [2]_), or in whose lists it stands
    (``"history"``, as in [1]_).

    Parameters
    ----------
    neighbours
        Most similar items that each item keeps, default 20.
    similarity
        ``"cosine"`` (default), ``"jaccard"``, ``"euclidean"`` or ``"pearson"``.
    shrinkage
        Distrust of similarities with few common users, default 0: none.
    recency
        Items of the history weigh ``(1 + p) ** -recency``, with ``p`` items after them. Default 0: all alike.
    neighbours_of
        Whose lists count: a candidate's neighbours among the history, or the neighbours of the history's items.

    Raises
    ------
    ConfigError
        An option out of its range.

    References
    ----------
    .. [1] Deshpande, Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
    .. [2] Ferrari Dacrema, Cremonesi, Jannach, "Are we really making much progress?", RecSys 2019.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = ItemKNN(neighbours=4).fit(toy_dataset(users=24, items=8, length=3))
    >>> history = np.array([3], dtype=np.int32)
    >>> scorer.recommend([history], k=2, exclude=[history]).items.tolist()
    [[2, 4]]
    """

    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(
        self,
        neighbours: int = 20,
        similarity: Similarity = "cosine",
        shrinkage: float = 0.0,
        recency: float = 0.0,
        neighbours_of: Literal["candidate", "history"] = "candidate",
    ) -> None:
        require(neighbours >= 1, f"neighbours={neighbours} must be at least 1")
        require(similarity in SIMILARITIES, f"similarity={similarity!r} must be one of {', '.join(SIMILARITIES)}")
        require(min(shrinkage, recency) >= 0, f"shrinkage={shrinkage} and recency={recency} must not be negative")
        require(neighbours_of in ("candidate", "history"), f"neighbours_of={neighbours_of!r}: candidate or history")
        self.neighbours = neighbours
        self.similarity = similarity
        self.shrinkage = shrinkage
        self.recency = recency
        self.neighbours_of = neighbours_of
        self.name = knn_name("item-knn", similarity, recency)
        self._from_to = sparse.csr_matrix((0, 0), dtype=np.float32)

    def fit(self, dataset: Dataset) -> Self:
        """Compare all items and keep each one's nearest neighbours.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        items_users = training_matrix(dataset.histories, dataset.num_items).T.tocsr()
        index = SimilarityIndex(items_users, self.similarity, self.shrinkage)
        blocks = []
        for start in range(0, dataset.num_items, BLOCK):
            similarities = index.compare(items_users[start : start + BLOCK])
            similarities.setdiag(0, k=start)
            blocks.append(strongest(similarities, self.neighbours))
        neighbours = sparse.vstack(blocks, format="csr")
        # Rows are items of a history, columns are candidates.
        self._from_to = neighbours.T.tocsr() if self.neighbours_of == "candidate" else neighbours
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Sum the similarities to the items of each history.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N), 0 for an item that neighbours none of the history.
        """
        weighted = history_matrix(histories, self._from_to.shape[0], self.recency)
        scores: NDArray[np.float32] = (weighted @ self._from_to).toarray()
        return scores


def knn_name(base: str, similarity: Similarity, recency: float) -> str:
    """Tell variants of one scorer apart in reports.

    Examples
    --------
    >>> knn_name("item-knn", "cosine", 0.0), knn_name("item-knn", "jaccard", 0.5)
    ('item-knn', 'item-knn-jaccard-recent')
    """
    return base + ("" if similarity == "cosine" else f"-{similarity}") + ("-recent" if recency else "")
