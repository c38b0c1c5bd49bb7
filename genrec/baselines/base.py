"""What everything that is benchmarked can do: score the catalog for a history."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.ranking import Ranking, top_k

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet

__all__ = ["Ranking", "Scorer"]


class Scorer(ABC):
    """Gives every item of the catalog a weight for each history.

    A scorer knows users by their histories only, so a user who comes later is served without a new fit.
    :class:`genrec.testing.scorer_contract.ScorerContract` tests a new one in ten lines.

    Attributes
    ----------
    name
        What to call it in reports.
    serves_cold_users
        Whether an empty history gets recommendations.
    serves_cold_items
        Whether items that no training history has can be recommended on evidence of their own.
    """

    name: str
    serves_cold_users: ClassVar[bool]
    serves_cold_items: ClassVar[bool]

    def use_validation(self, validation: EvalSet) -> None:  # noqa: B027 (most have no use for it)
        """Take the questions by which the next :meth:`fit` may decide when to stop; unused unless overridden.

        Parameters
        ----------
        validation
            Of the same split as the training data. Nothing of it may be learned from but the moment to stop.
        """

    @abstractmethod
    def fit(self, dataset: Dataset) -> Self:
        """Learn from a data set, usually the training part of a split.

        Parameters
        ----------
        dataset
            N items; their indices are those of histories and rankings.

        Returns
        -------
        Self
            The same object.
        """

    @abstractmethod
    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Weigh the whole catalog.

        Parameters
        ----------
        histories
            B arrays int32 (T,) of item indices, oldest first, possibly empty.

        Returns
        -------
        NDArray
            float32 (B, N), higher is better, -inf for what cannot be recommended; never NaN. Seen items are
            scored like any other.
        """

    def score_eligible(
        self, histories: Sequence[NDArray[np.int32]], exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> NDArray[np.float32]:
        """Scores as :meth:`recommend` ranks by them: the same as :meth:`score`, but of a model of few candidates.

        Parameters
        ----------
        histories
            B arrays int32 (T,).
        exclude
            B arrays of items that shall not be recommended: candidates are drawn from the others.

        Returns
        -------
        NDArray
            float32 (B, N). What is excluded may have any score.
        """
        return self.score(histories)

    def recommend(
        self, histories: Sequence[NDArray[np.int32]], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> Ranking:
        """Give the k best items.

        Parameters
        ----------
        histories
            B arrays int32 (T,) of item indices, oldest first.
        k
            Items a user, at least 1.
        exclude
            B arrays of item indices not to recommend; the histories themselves, to filter seen items.

        Returns
        -------
        Ranking
            (B, k), equal scores by item index; -1 where fewer items are eligible, and for an empty history
            that the scorer does not serve.
        """
        ranking = top_k(self.score(histories), k, exclude)
        if not self.serves_cold_users:
            cold = np.array([len(items) == 0 for items in histories], dtype=np.bool_)
            ranking.items[cold], ranking.scores[cold] = -1, -np.inf
        return ranking
