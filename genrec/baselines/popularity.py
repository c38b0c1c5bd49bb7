"""The most popular items for everyone."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.age import AgeUnit, age_weights
from genrec.baselines.base import Scorer
from genrec.baselines.matrices import last_occurrences
from genrec.baselines.options import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class Popularity(Scorer):
    """Scores an item by the number of users who met it, all of them or mostly the recent ones.

    Recent popularity is the harder floor to beat [1]_. Recent means before the newest training interaction, for
    every user alike.

    Parameters
    ----------
    half_life
        Age at which a user counts for a half. Default None: age does not matter.
    window
        Age above which a user does not count. Default None: all count.
    unit
        Of both: ``"span"`` (default), a share of the time that the training data span, or ``"days"``.

    Raises
    ------
    ConfigError
        An option out of its range.

    References
    ----------
    .. [1] Ji, Sun, Zhang, Li, "A re-visit of the popularity baseline in recommender systems", SIGIR 2020.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset(users=3, items=5, length=2)
    >>> Popularity().fit(dataset).recommend([np.array([], dtype=np.int32)], k=3).items.tolist()
    [[1, 2, 0]]
    >>> Popularity(window=0.5, unit="days").fit(dataset).recommend([np.array([], dtype=np.int32)], k=3).items.tolist()
    [[1, 2, 3]]
    """

    serves_cold_users: ClassVar[bool] = True
    serves_cold_items: ClassVar[bool] = False

    def __init__(self, half_life: float | None = None, window: float | None = None, unit: AgeUnit = "span") -> None:
        require(half_life is None or half_life > 0, f"half_life={half_life} must be positive")
        require(window is None or window > 0, f"window={window} must be positive")
        require(unit in ("span", "days"), f"unit={unit!r} must be span or days")
        self.half_life = half_life
        self.window = window
        self.unit = unit
        self.name = "popularity" if half_life is None and window is None else "popularity-recent"
        self._counts = np.empty(0, dtype=np.float32)

    def fit(self, dataset: Dataset) -> Self:
        """Count the users of each item.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.

        Raises
        ------
        UnsupportedError
            Recent popularity of a data set without timestamps.
        """
        histories = dataset.histories
        weights = age_weights(dataset, self.half_life, self.window, self.unit)
        matrix = last_occurrences(histories.indptr, histories.items, weights, dataset.num_items)
        self._counts = np.asarray(matrix.sum(axis=0, dtype=np.float64)).ravel().astype(np.float32)
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Give every history the same scores.

        Parameters
        ----------
        histories
            B arrays int32 (T,), whose content does not matter.

        Returns
        -------
        NDArray
            float32 (B, N), number of users of each item, weighted by age.
        """
        return np.tile(self._counts, (len(histories), 1))
