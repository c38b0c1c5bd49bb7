"""Item-based nearest neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from pydantic import BaseModel, Field
from scipy import sparse

from genrec.baselines.base import Scorer, history_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class ItemKNNConfig(BaseModel, extra="forbid"):
    """Options of :class:`ItemKNN`."""

    neighbours: int = Field(default=20, ge=1)
    """Most similar items that each item keeps."""

    neighbours_of: Literal["candidate", "history"] = "candidate"
    """Whose lists count: a candidate's neighbours among the history, or the neighbours of the history's items."""


class ItemKNN(Scorer):
    r"""Scores an item by its cosine similarity to the items of the history.

    With :math:`U_i` the users who met item ``i``, the similarity is
    :math:`s_{ij} = |U_i \cap U_j| / \sqrt{|U_i| |U_j|}`. Each item keeps a list of its most similar ones. An
    item's score is the sum of its similarities to the items of the history that stand in its own list
    (``neighbours_of="candidate"``, as in [2]_), or in whose lists it stands (``"history"``, as in [1]_).

    Parameters
    ----------
    config
        Options, default 20 neighbours of the candidate.

    References
    ----------
    .. [1] Deshpande, Karypis, "Item-based top-N recommendation algorithms", TOIS 2004.
    .. [2] Ferrari Dacrema, Cremonesi, Jannach, "Are we really making much progress?", RecSys 2019.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = ItemKNN(ItemKNNConfig(neighbours=4)).fit(toy_dataset(users=24, items=8, length=3))
    >>> history = np.array([3], dtype=np.int32)
    >>> scorer.recommend([history], k=2, exclude=[history]).items.tolist()
    [[2, 4]]
    """

    name = "item-knn"
    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = False

    def __init__(self, config: ItemKNNConfig | None = None) -> None:
        self.config = config or ItemKNNConfig()
        self._similarity = sparse.csr_matrix((0, 0), dtype=np.float32)

    def fit(self, dataset: Dataset) -> Self:
        """Count co-occurrences and keep each item's nearest neighbours.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        users_items = dataset.histories.to_csr(dataset.num_items)
        together = sparse.coo_matrix(users_items.T @ users_items)
        users = together.diagonal()
        apart = together.row != together.col
        item, neighbour = together.row[apart], together.col[apart]
        cosine = together.data[apart] / np.sqrt(users[item] * users[neighbour])
        item, neighbour, cosine = _strongest(item, neighbour, cosine, self.config.neighbours)
        # Rows are items of a history, columns are candidates.
        from_to = (neighbour, item) if self.config.neighbours_of == "candidate" else (item, neighbour)
        self._similarity = sparse.csr_matrix((cosine, from_to), shape=together.shape, dtype=np.float32)
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
        scores: NDArray[np.float32] = (
            history_matrix(histories, self._similarity.shape[0]) @ self._similarity
        ).toarray()
        return scores


def _strongest(
    item: NDArray[np.int32], neighbour: NDArray[np.int32], strength: NDArray[np.float32], count: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32]]:
    """Keep each item's ``count`` strongest neighbours, of equals the lower index."""
    order = np.lexsort((neighbour, -strength, item))
    grouped = item[order]
    rank = np.arange(len(order)) - np.searchsorted(grouped, grouped)
    kept = order[rank < count]
    return item[kept], neighbour[kept], strength[kept]
