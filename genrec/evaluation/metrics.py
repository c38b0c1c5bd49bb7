"""Ranking metrics at a cut-off, one value a user.

All take the ranked items int32 (M, k'), best first and -1 padded, the targets of each user (M arrays, distinct items)
and the cut-off k <= k'. Relevance is binary: an item is a target or not. A -1 is never a hit. Equal scores were put
in order of item index when the items were ranked (:func:`genrec.baselines.ranking.top_k`), so a metric sees no ties.
Definitions are those of trec_eval where it has the metric.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def hits(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]]) -> NDArray[np.bool_]:
    """Mark the recommended items that are targets.

    Parameters
    ----------
    items
        int32 (M, k), ranked items, -1 padded.
    targets
        M arrays of item indices.

    Returns
    -------
    NDArray
        bool (M, k).

    Examples
    --------
    >>> hits(np.array([[4, 2, -1]]), [np.array([2, 7])]).tolist()
    [[False, True, False]]
    """
    user = np.repeat(np.arange(len(targets)), [len(t) for t in targets])
    wanted = np.concatenate([*targets, np.empty(0, dtype=np.int32)]).astype(np.int64)
    stride = max(items.max(initial=0), wanted.max(initial=0)) + 1
    found = np.isin(np.arange(len(items))[:, None] * stride + items, user * stride + wanted)
    return found & (items >= 0)


def recall(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    r"""Share of the targets that are among the first k: :math:`|R_k \cap T| / |T|`.

    With one target a user it equals :func:`hit_rate`.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items.
    targets
        M arrays, at least one item each.
    k
        Cut-off.

    Returns
    -------
    NDArray
        float64 (M,), 0 to 1.

    Examples
    --------
    >>> recall(np.array([[4, 2, 7]]), [np.array([2, 9])], k=2).tolist()
    [0.5]
    """
    return _found(items, targets, k) / _sizes(targets)


def precision(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    r"""Share of the first k that are targets: :math:`|R_k \cap T| / k`.

    A list shorter than k counts as if filled with misses.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items.
    targets
        M arrays, at least one item each.
    k
        Cut-off.

    Returns
    -------
    NDArray
        float64 (M,), 0 to 1.

    Examples
    --------
    >>> precision(np.array([[4, 2, -1, -1]]), [np.array([2, 9])], k=4).tolist()
    [0.25]
    """
    return _found(items, targets, k) / k


def f1(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    r"""Harmonic mean of :func:`precision` and :func:`recall` of each user: :math:`2 |R_k \cap T| / (k + |T|)`.

    The mean over users is the mean of these values, not the F1 of mean precision and mean recall.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items.
    targets
        M arrays, at least one item each.
    k
        Cut-off.

    Returns
    -------
    NDArray
        float64 (M,), 0 to 1.

    Examples
    --------
    >>> f1(np.array([[4, 2, 7]]), [np.array([2])], k=3).tolist()  # precision 1/3, recall 1
    [0.5]
    """
    return 2 * _found(items, targets, k) / (k + _sizes(targets))


def hit_rate(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    """1 where at least one target is among the first k, else 0.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items.
    targets
        M arrays, at least one item each.
    k
        Cut-off.

    Returns
    -------
    NDArray
        float64 (M,), 0 or 1.

    Examples
    --------
    >>> hit_rate(np.array([[4, 2], [1, 3]]), [np.array([2]), np.array([5])], k=2).tolist()
    [1.0, 0.0]
    """
    return np.minimum(_found(items, targets, k), 1.0)


def ndcg(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    r"""Normalised discounted cumulative gain, binary gains.

    :math:`\frac{\sum_{r=1}^{k} [i_r \in T] / \log_2(r + 1)}{\sum_{r=1}^{\min(k, |T|)} 1 / \log_2(r + 1)}` [1]_.
    With one target at rank r it is :math:`1 / \log_2(r + 1)`.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items.
    targets
        M arrays, at least one item each.
    k
        Cut-off.

    Returns
    -------
    NDArray
        float64 (M,), 0 to 1.

    References
    ----------
    .. [1] Järvelin, Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002.

    Examples
    --------
    >>> ndcg(np.array([[4, 2, 7]]), [np.array([7])], k=3).tolist()  # 1 / log2(4)
    [0.5]
    """
    discounts = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discounts)[np.minimum(_sizes(targets), k) - 1]
    found = hits(items[:, :k], targets)
    return np.asarray(found @ discounts[: found.shape[1]] / ideal, dtype=np.float64)


def mrr(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    """Reciprocal rank of the first target among the first k, 0 where there is none [1]_.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items.
    targets
        M arrays, at least one item each.
    k
        Cut-off.

    Returns
    -------
    NDArray
        float64 (M,), 0 to 1.

    References
    ----------
    .. [1] Voorhees, "The TREC-8 question answering track report", TREC 1999.

    Examples
    --------
    >>> mrr(np.array([[4, 2, 7]]), [np.array([7, 2])], k=3).tolist()
    [0.5]
    """
    found = hits(items[:, :k], targets)
    return np.where(found.any(axis=1), 1 / (found.argmax(axis=1) + 1), 0.0)


def average_precision(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    r"""Precision at each target among the first k, over all targets; the mean over users is MAP.

    :math:`\frac{1}{|T|} \sum_{r=1}^{k} [i_r \in T] \, |R_r \cap T| / r` [1]_. Some divide by
    :math:`\min(k, |T|)` instead, which is larger where a user has more than k targets. With one target a user it
    equals :func:`mrr`.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items.
    targets
        M arrays, at least one item each.
    k
        Cut-off.

    Returns
    -------
    NDArray
        float64 (M,), 0 to 1.

    References
    ----------
    .. [1] Buckley, Voorhees, "Evaluating evaluation measure stability", SIGIR 2000; ``map_cut`` of trec_eval.

    Examples
    --------
    >>> average_precision(np.array([[4, 2, 7]]), [np.array([4, 7])], k=3).tolist()  # (1/1 + 2/3) / 2
    [0.8333333333333333]
    """
    found = hits(items[:, :k], targets)
    precisions = np.cumsum(found, axis=1) / np.arange(1, found.shape[1] + 1)
    return np.asarray((found * precisions).sum(axis=1) / _sizes(targets), dtype=np.float64)


def _found(items: NDArray[np.int32], targets: Sequence[NDArray[np.int32]], k: int) -> NDArray[np.float64]:
    """Count the targets among the first k, (M,)."""
    found: NDArray[np.float64] = hits(items[:, :k], targets).sum(axis=1, dtype=np.float64)
    return found


def _sizes(targets: Sequence[NDArray[np.int32]]) -> NDArray[np.int64]:
    return np.array([len(items) for items in targets], dtype=np.int64)
