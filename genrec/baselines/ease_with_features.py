"""EASE that also knows what items are: titles, categories and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec.baselines.ease import EASE
from genrec.baselines.options import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset

BLOCK = 1024  # items whose likeness to all others is computed at once, which bounds the memory


class EASEWithFeatures(EASE):
    r"""Scores items by a regression on the other items, of users and of words alike.

    The matrix X of :class:`EASE` gets a row for each word of the catalog beside those of the users, as if it were a
    user who met the items that have it (collective EASE [1]_): with F (N, D) the TF-IDF vectors of the items' titles,
    categories and texts, of length 1, :math:`X^T X + weight \cdot F F^T` takes the place of :math:`X^T X`. So items
    that nobody met have weights too.

    Parameters
    ----------
    regularization, recency
        As in :class:`EASE`; default 100 and 0.
    feature_weight
        Of the words beside the users, default 10.

    Raises
    ------
    ConfigError
        An option out of its range.

    References
    ----------
    .. [1] Jeunen, Van Balen, Goethals, "Closed-form models for collaborative filtering with side-information",
       RecSys 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.testing import toy_dataset
    >>> scorer = EASEWithFeatures(regularization=1.0, feature_weight=1.0).fit(toy_dataset(users=24, items=8, length=3))
    >>> scorer.score([np.array([3], dtype=np.int32)]).shape
    (1, 8)
    """

    serves_cold_items: ClassVar[bool] = True

    def __init__(self, regularization: float = 100.0, recency: float = 0.0, feature_weight: float = 10.0) -> None:
        super().__init__(regularization, recency)
        require(feature_weight > 0, f"feature_weight={feature_weight} must be positive")
        self.feature_weight = feature_weight
        self.name = "ease-features-recent" if recency else "ease-features"

    def _gram(self, dataset: Dataset) -> NDArray[np.float32]:
        from sklearn.feature_extraction.text import TfidfVectorizer  # a second, which only this scorer needs

        gram = super()._gram(dataset)
        # One-letter words and figures tell sizes and parts of series apart.
        vectorizer = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w+")
        features = vectorizer.fit_transform(dataset.catalog.text_of()).tocsr().astype(gram.dtype)
        for start in range(0, len(gram), BLOCK):
            gram[:, start : start + BLOCK] += self.feature_weight * (features @ features[start : start + BLOCK].T)
        return gram
