"""What comes after the last item: a Markov chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
from scipy import sparse

from genrec.baselines.age import age_weights
from genrec.baselines.base import Scorer
from genrec.baselines.matrices import history_matrix
from genrec.baselines.options import require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


class MarkovChain(Scorer):
    r"""Scores an item by how often it came after the last items of the history.

    With :math:`c_{ij}` transitions from ``i`` to ``j``, :math:`c_i` from ``i`` at all, and :math:`p_j` the popularity
    of ``j`` as a share, the chain goes from ``i`` to ``j`` with probability
    :math:`(c_{ij} + \mu p_j) / (c_i + \mu)`: counts where there are many, popularity where there are few [1]_.

    Parameters
    ----------
    smoothing
        Transitions that popularity is worth (mu), default 10.
    reach
        How far after an item another still counts as a transition from it, each as 1 over the distance. Default 1:
        the next item only, a first-order chain.
    context
        How many of the last items are asked what comes after them, each as 1 over its distance from the end. Default 1.
    half_life
        Age at which a transition counts for a half, as a share of the time that the training data span.
        Default None: age does not matter.

    Raises
    ------
    ConfigError
        An option out of its range.

    References
    ----------
    .. [1] Zhai, Lafferty, "A study of smoothing methods for language models applied to information retrieval",
       TOIS 2004 (Dirichlet prior); as a recommender: Ludewig, Jannach, "Evaluation of session-based recommendation
       algorithms", UMUAI 2018 (MC with `reach` 1, SR above).

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = MarkovChain().fit(toy_dataset(users=24, items=8, length=3))
    >>> scorer.recommend([np.array([3, 4], dtype=np.int32)], k=1).items.tolist()
    [[5]]
    """

    serves_cold_users: ClassVar[bool] = True
    serves_cold_items: ClassVar[bool] = False

    def __init__(
        self, smoothing: float = 10.0, reach: int = 1, context: int = 1, half_life: float | None = None
    ) -> None:
        require(smoothing > 0, f"smoothing={smoothing} must be positive")
        require(min(reach, context) >= 1, f"reach={reach} and context={context} must be at least 1")
        require(half_life is None or half_life > 0, f"half_life={half_life} must be positive")
        self.smoothing = smoothing
        self.reach = reach
        self.context = context
        self.half_life = half_life
        skips = "-skip" if max(reach, context) > 1 else ""
        self.name = f"markov{skips}{'' if half_life is None else '-recent'}"

    def fit(self, dataset: Dataset) -> Self:
        """Count transitions.

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
            A half-life is given and the data set has no timestamps.
        """
        histories, num_items = dataset.histories, dataset.num_items
        weights = age_weights(dataset, self.half_life)
        user = np.repeat(np.arange(len(histories)), histories.lengths)
        transitions = sparse.csr_matrix((num_items, num_items))
        for distance in range(1, self.reach + 1):
            same = user[:-distance] == user[distance:]
            pairs = histories.items[:-distance][same], histories.items[distance:][same]
            # A transition is as old as its end.
            strength = weights[distance:][same] / distance
            transitions += sparse.csr_matrix((strength, pairs), shape=transitions.shape)
        popularity = np.bincount(histories.items, weights, minlength=num_items)
        self._popularity = (popularity / max(popularity.sum(), 1e-12)).astype(np.float32)
        total = np.asarray(transitions.sum(axis=1)).ravel() + self.smoothing
        self._backed_off = (self.smoothing / total).astype(np.float32)
        self._probability = (sparse.diags_array(1 / total) @ transitions).tocsr().astype(np.float32)
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Give the probability of each item to come next.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N), each row sums to 1; popularity for an empty history.
        """
        last = history_matrix([items[-self.context :] for items in histories], len(self._popularity), recency=1.0)
        weights = np.asarray(last.sum(axis=1)).ravel()
        last = sparse.diags_array(np.divide(1, weights, out=np.zeros_like(weights), where=weights > 0)) @ last
        scores: NDArray[np.float32] = (last @ self._probability).toarray()
        backed_off = np.where(weights > 0, last @ self._backed_off, 1)
        scores += np.outer(backed_off, self._popularity)
        return scores.astype(np.float32, copy=False)
