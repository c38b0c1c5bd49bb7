"""Items whose words are those of the history."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy import sparse

from genrec.baselines.base import Scorer
from genrec.baselines.matrices import history_matrix
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset

TINY = 1e-12  # as a length, that of nothing


class TfidfKNN(Scorer):
    """Scores items by the cosine of their words with those of the history, rare words counting most.

    Titles, categories and texts become TF-IDF vectors [1]_; a history is the recency weighted mean of its items'
    vectors (Rocchio's profile of what was relevant).

    Parameters
    ----------
    recency
        An item with ``p`` others after it weighs ``(1 + p) ** -recency`` in the profile. Default 1.
    ngrams
        Longest phrase that counts as a term of its own, in words. Default 1.
    sublinear
        Use 1 + log of a word's count. Default True.

    References
    ----------
    .. [1] Salton and Buckley, "Term-weighting approaches in automatic text retrieval", Information Processing &
       Management 1988; scikit-learn's TfidfVectorizer.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset(users=24, items=8, length=3)
    >>> scorer = TfidfKNN().fit(dataset)
    >>> scorer.score([np.array([3], dtype=np.int32)]).argmax()
    np.int64(3)
    """

    name = "tfidf-knn"
    serves_cold_users: ClassVar[bool] = False
    serves_cold_items: ClassVar[bool] = True

    def __init__(self, *, recency: float = 1.0, ngrams: int = 1, sublinear: bool = True) -> None:
        self.recency = recency
        self.ngrams = ngrams
        self.sublinear = sublinear
        self._vectors = self._items_of_words = sparse.csr_matrix((0, 0), dtype=np.float32)

    def fit(self, dataset: Dataset) -> Self:
        """Weigh the words of the catalog.

        Parameters
        ----------
        dataset
            N items; its interactions are not read.

        Returns
        -------
        Self
            The same object.

        Raises
        ------
        DataError
            No item has any word.
        """
        from sklearn.feature_extraction.text import TfidfVectorizer  # a second, which only this scorer needs

        # One-letter words and figures tell sizes and parts of series apart, which titles are full of.
        vectorizer = TfidfVectorizer(
            ngram_range=(1, self.ngrams), sublinear_tf=self.sublinear, token_pattern=r"\w+", dtype=np.float32
        )
        texts = dataset.catalog.text_of()
        if not any(re.search(r"\w", text) for text in texts):
            raise DataError("no item of the catalog has a word in its title, categories or text")
        self._vectors = vectorizer.fit_transform(texts).tocsr()
        self._items_of_words = self._vectors.T.tocsr()  # once, or each history would pay for it
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
            float32 (B, N), cosines of 0 to 1.
        """
        profiles = history_matrix(histories, self._vectors.shape[0], self.recency) @ self._vectors
        scores: NDArray[np.float32] = (profiles @ self._items_of_words).toarray()
        length = np.sqrt(profiles.multiply(profiles).sum(axis=1))
        scores /= np.maximum(np.asarray(length, dtype=np.float32).reshape(-1, 1), TINY)
        return scores
