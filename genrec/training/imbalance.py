"""Tools against popularity imbalance: what is sampled how often, and what each target counts for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.histories import Histories

__all__ = ["history_weights", "inverse_propensity", "keep_probability", "tail_items"]


def inverse_propensity(counts: NDArray[np.int64], exponent: float, clip: float) -> NDArray[np.float32]:
    r"""Weigh each item by the inverse of its propensity, the chance that it was observed at all.

    The propensity of an item is taken to be a power of its popularity, :math:`p_i = (n_i / \max_j n_j)^\gamma`
    [2]_. The weight :math:`1 / p_i` makes the loss an estimate of what it would be without popularity bias [1]_;
    clipping trades some of that for less variance.

    Parameters
    ----------
    counts
        int64 (N,): interactions of each item.
    exponent
        :math:`\gamma`; 0 weighs all items alike, 1 gives every item the same total weight.
    clip
        Largest weight, in multiples of that of the most popular item.

    Returns
    -------
    NDArray
        float32 (N,), with mean 1 over the interactions, so that the loss keeps its scale.

    References
    ----------
    .. [1] Schnabel et al., "Recommendations as treatments: debiasing learning and evaluation", ICML 2016.
    .. [2] Yang et al., "Unbiased offline recommender evaluation for missing-not-at-random implicit feedback",
       RecSys 2018.

    Examples
    --------
    >>> inverse_propensity(np.array([8, 2]), exponent=0.5, clip=10).tolist()
    [0.8333333134651184, 1.6666666269302368]
    """
    weights = np.minimum((counts.max() / np.maximum(counts, 1)) ** exponent, clip)
    return np.asarray(weights * (counts.sum() / (weights * counts).sum()), dtype=np.float32)


def keep_probability(counts: NDArray[np.int64], threshold: float) -> NDArray[np.float64]:
    r"""Chance that an item is kept as a target where frequent ones are passed over.

    :math:`\min(1, \sqrt{t / f_i})`, with :math:`f_i` the item's share of all interactions [1]_.

    Parameters
    ----------
    counts
        int64 (N,): interactions of each item.
    threshold
        :math:`t`: items with a smaller share are always kept.

    Returns
    -------
    NDArray
        float64 (N,).

    References
    ----------
    .. [1] Mikolov et al., "Distributed representations of words and phrases and their compositionality", 2013.

    Examples
    --------
    >>> keep_probability(np.array([80, 20]), threshold=0.2).tolist()
    [0.5, 1.0]
    """
    share = counts / max(int(counts.sum()), 1)
    kept: NDArray[np.float64] = np.minimum(1.0, np.sqrt(threshold / np.maximum(share, 1e-12)))
    return kept


def tail_items(counts: NDArray[np.int64], share: float) -> NDArray[np.bool_]:
    """Find the least popular items that hold a share of the interactions between them.

    Parameters
    ----------
    counts
        int64 (N,): interactions of each item.
    share
        Share of all interactions, for example 0.2.

    Returns
    -------
    NDArray
        bool (N,). Items of one popularity are all in the tail, or none is; items without interactions are in it.

    Examples
    --------
    >>> tail_items(np.array([6, 1, 1, 2, 0]), share=0.2).tolist()
    [False, True, True, False, True]
    """
    popularity, interactions = np.unique(counts, return_counts=True)
    up_to = np.cumsum(popularity * interactions)
    is_tail = (up_to <= share * counts.sum()) | (popularity == 0)
    return np.isin(counts, popularity[is_tail])


def history_weights(histories: Histories, counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """Weigh users for sampling, by how unpopular their items are.

    Parameters
    ----------
    histories
        Training histories of U users.
    counts
        int64 (N,): interactions of each item.
    exponent
        A user's weight is the mean of ``count ** -exponent`` over the history; 0 weighs all alike.

    Returns
    -------
    NDArray
        float64 (U,), with mean 1 over users that have a history, and 0 for others.
    """
    rarity = np.maximum(counts, 1).astype(np.float64) ** -exponent
    total = np.concatenate([[0.0], np.cumsum(rarity[histories.items])])
    length = histories.lengths
    mean = np.diff(total[histories.indptr]) / np.maximum(length, 1)
    return np.asarray(mean * (length > 0).sum() / max(mean.sum(), 1e-12))
