"""Items whose meaning, to a BERT encoder, is that of the history."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.base import Scorer
from genrec.baselines.matrices import history_matrix
from genrec.items.encoder import DEFAULT_ENCODER
from genrec.items.vectors import text_vectors, unit_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class BertKNN(Scorer):
    """Scores items by the cosine of their text's vector with the mean vector of the history.

    Texts (title, categories, text) go through a sentence encoder [1]_ once; their vectors are cached on disk.

    Parameters
    ----------
    recency
        An item with ``p`` others after it weighs ``(1 + p) ** -recency`` in the mean. Default 1.
    centre
        Subtract the catalog's mean vector, which all texts share and which tells nothing. Default True.
    encoder
        Folder or hub name of a sentence-transformers model. Default ``all-MiniLM-L6-v2``.

    References
    ----------
    .. [1] Reimers and Gurevych, "Sentence-BERT: sentence embeddings using siamese BERT-networks", EMNLP 2019.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = BertKNN().fit(toy_dataset(items=8, length=4))
    >>> scorer.score([np.array([3], dtype=np.int32)]).argmax()
    np.int64(3)
    """

    name = "bert-knn"
    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = True

    def __init__(self, *, recency: float = 1.0, centre: bool = True, encoder: str = DEFAULT_ENCODER) -> None:
        self.recency = recency
        self.centre = centre
        self.encoder = encoder
        self._vectors = np.empty((0, 0), dtype=np.float32)

    def fit(self, dataset: Dataset) -> Self:
        """Encode the texts of the catalog.

        Parameters
        ----------
        dataset
            N items; its interactions are not read.

        Returns
        -------
        Self
            The same object.
        """
        vectors = text_vectors(dataset.catalog.text_of(), self.encoder)
        self._vectors = unit_rows(vectors - vectors.mean(axis=0)) if self.centre else vectors
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Compare each history with all items.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N), cosines of -1 to 1.
        """
        profiles = unit_rows(history_matrix(histories, len(self._vectors), self.recency) @ self._vectors)
        scores: NDArray[np.float32] = (profiles @ self._vectors.T).astype(np.float32)
        return scores
