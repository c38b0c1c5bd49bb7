"""What accuracy does not show: how much of the catalog is used, how new, varied and popular the lists are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset

CHUNK = 256
"""Lists compared at once."""


@dataclass(frozen=True, eq=False)
class BeyondAccuracy:
    """Metrics of the lists themselves, at one cut-off.

    Parameters
    ----------
    metrics
        By name and cut-off: ``coverage``, ``gini``, ``novelty``, ``diversity``, ``average_popularity``,
        ``popularity_lift``, ``valid``, ``duplicates``. ``diversity`` is None where no list has two items with
        something known of them.
    per_user
        float64 (M,) of those that are means over users (novelty, diversity, average_popularity); NaN for a user
        without a value.
    diversity_of
        What the distance of two items is: ``"categories (Jaccard)"`` or ``"vectors (cosine)"``.
    """

    metrics: dict[str, float | None]
    per_user: dict[str, NDArray[np.float64]] = field(repr=False)
    diversity_of: str


def beyond_accuracy(
    items: NDArray[np.int32],
    histories: Sequence[NDArray[np.int32]],
    train: Dataset,
    k: int = 10,
    vectors: NDArray[np.float32] | None = None,
) -> BeyondAccuracy:
    """Compute all of them for the rankings of an evaluation.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items, -1 padded: ``Evaluation.items``.
    histories
        M arrays, of the questions.
    train
        The training set, whose users say what is popular.
    k
        Cut-off, default 10.
    vectors
        float32 (N, D), such as :func:`genrec.items.vectors.text_vectors`, to measure diversity by; default None:
        by categories.

    Returns
    -------
    BeyondAccuracy
        Ready for a report, ``diversity_of`` included.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> train = toy_dataset(users=4, items=24)
    >>> found = beyond_accuracy(np.array([[0, 1], [0, 2]]), [train.histories[0], train.histories[1]], train, k=2)
    >>> found.metrics["coverage@2"], found.metrics["gini@2"].__round__(3), found.diversity_of
    (0.125, 0.896, 'categories (Jaccard)')
    """
    counts = user_counts(train)
    top = items[:, :k]
    if vectors is not None:
        of, diverse = "vectors (cosine)", vector_diversity(top, vectors)
    else:
        of, diverse = "categories (Jaccard)", category_diversity(top, train.catalog.categories)
    per_user = {
        f"novelty@{k}": novelty(top, counts, int(np.count_nonzero(train.histories.lengths))),
        f"diversity@{k}": diverse,
        f"average_popularity@{k}": average_popularity(top, counts),
    }
    metrics: dict[str, float | None] = {name: _mean(values) for name, values in per_user.items()}
    metrics |= {
        f"popularity_lift@{k}": popularity_lift(top, histories, counts),
        f"coverage@{k}": coverage(top, train.num_items),
        f"gini@{k}": gini(exposure(top, train.num_items)),
        f"valid@{k}": valid_share(items, k, train.num_items),
        f"duplicates@{k}": duplicate_share(top),
    }
    return BeyondAccuracy(metrics, per_user, of)


def user_counts(train: Dataset) -> NDArray[np.int64]:
    """How many users met each item, int64 (N,); a repeat counts once."""
    met = train.histories.to_csr(train.num_items)
    return np.bincount(met.indices, minlength=train.num_items).astype(np.int64, copy=False)


def exposure(items: NDArray[np.int32], num_items: int) -> NDArray[np.int64]:
    """How often each item is recommended, int64 (N,)."""
    return np.bincount(items[items >= 0], minlength=num_items).astype(np.int64, copy=False)


def coverage(items: NDArray[np.int32], num_items: int) -> float:
    """Share of the catalog that is recommended to at least one user.

    It grows with the number of users asked, so compare models on the same questions.

    Examples
    --------
    >>> coverage(np.array([[0, 1], [1, -1]]), num_items=4)
    0.5
    """
    return float((exposure(items, num_items) > 0).mean())


def gini(counts: NDArray[np.integer]) -> float:
    r"""Inequality of counts: 0 where all are equal, :math:`1 - 1/N` where one has all.

    :math:`\sum_i (2 i - N - 1) x_i / (N \sum_i x_i)` over the counts in ascending order [1]_, items that are never
    recommended included. 0 where everything is zero.

    Parameters
    ----------
    counts
        (N,), such as of :func:`exposure`.

    References
    ----------
    .. [1] Fleder, Hosanagar, "Blockbuster culture's next rise or fall", Management Science 2009.

    Examples
    --------
    >>> gini(np.array([1, 1, 1, 1])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    total, size = counts.sum(), len(counts)
    if total == 0:
        return 0.0
    place = 2 * np.arange(1, size + 1) - size - 1
    return float(place @ np.sort(counts) / (size * total))


def novelty(items: NDArray[np.int32], counts: NDArray[np.int64], num_users: int) -> NDArray[np.float64]:
    r"""Mean self-information of the recommended items, in bits [1]_.

    :math:`-\log_2 \frac{c_i + 1}{U + 1}` with the :math:`c_i` of U training users who met the item. Adding 1 gives
    an item that nobody met a finite value, :math:`\log_2(U + 1)`.

    Parameters
    ----------
    items
        int32 (M, k), -1 padded.
    counts
        int64 (N,), of :func:`user_counts`.
    num_users
        Number of training users (U).

    Returns
    -------
    NDArray
        float64 (M,); NaN for an empty list.

    References
    ----------
    .. [1] Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems", PNAS 2010.

    Examples
    --------
    >>> novelty(np.array([[0, 1]]), np.array([7, 1]), num_users=7).tolist()  # 0 and 2 bits
    [1.0]
    """
    return _mean_over_list(items, np.log2(num_users + 1) - np.log2(counts + 1))


def average_popularity(items: NDArray[np.int32], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean number of training users of the recommended items, float64 (M,); NaN for an empty list.

    Examples
    --------
    >>> average_popularity(np.array([[0, 1], [1, -1]]), np.array([8, 2])).tolist()
    [5.0, 2.0]
    """
    return _mean_over_list(items, counts.astype(np.float64))


def popularity_lift(
    items: NDArray[np.int32], histories: Sequence[NDArray[np.int32]], counts: NDArray[np.int64]
) -> float | None:
    """How much more popular the lists are than the users' own histories [1]_.

    Mean over users of :func:`average_popularity` of the lists, over that of the histories, minus 1: 0 keeps to what
    users like, 1 is twice as popular. Users with an empty list or history are left out; None where that is all.

    Parameters
    ----------
    items
        int32 (M, k), -1 padded.
    histories
        M arrays.
    counts
        int64 (N,), of :func:`user_counts`.

    References
    ----------
    .. [1] Abdollahpouri et al., "The connection between popularity bias, calibration, and fairness in
       recommendation", RecSys 2020.

    Examples
    --------
    >>> popularity_lift(np.array([[0]]), [np.array([0, 1])], np.array([9, 3]))
    0.5
    """
    lengths = np.array([len(history) for history in histories], dtype=np.int64)
    row = np.repeat(np.arange(len(histories)), lengths)
    met = counts[np.concatenate([*histories, np.empty(0, dtype=np.int64)]).astype(np.int64)]
    sums = np.bincount(row, weights=met, minlength=len(histories))
    recommended = average_popularity(items, counts)
    both = (lengths > 0) & ~np.isnan(recommended)
    before = float((sums[both] / lengths[both]).mean()) if both.any() else 0.0
    return float(recommended[both].mean()) / before - 1 if before > 0 else None


def category_diversity(items: NDArray[np.int32], categories: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    r"""Mean distance of the pairs in a list [1]_, by their categories: :math:`1 - |A \cap B| / |A \cup B|`.

    Items without categories are left out.

    Parameters
    ----------
    items
        int32 (M, k), -1 padded.
    categories
        Of each item (N).

    Returns
    -------
    NDArray
        float64 (M,), 0 to 1; NaN where fewer than two items have categories.

    References
    ----------
    .. [1] Ziegler et al., "Improving recommendation lists through topic diversification", WWW 2005.

    Examples
    --------
    >>> category_diversity(np.array([[0, 1, 2]]), [["war"], ["war", "drama"], []]).tolist()
    [0.5]
    """
    names = {name: column for column, name in enumerate(sorted({name for some in categories for name in some}))}
    sets = [sorted({names[name] for name in some}) for some in categories]
    indptr = np.concatenate([[0], np.cumsum([len(some) for some in sets], dtype=np.int64)])
    columns = np.array([column for some in sets for column in some], dtype=np.int64)
    has = sparse.csr_matrix((np.ones(len(columns)), columns, indptr), shape=(len(sets), max(1, len(names))))
    sizes = np.diff(indptr)

    def distances(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        dense = has[rows.ravel()].toarray().reshape(*rows.shape, -1)
        shared = dense @ dense.transpose(0, 2, 1)
        union = sizes[rows][:, :, None] + sizes[rows][:, None, :] - shared
        return np.asarray(1 - np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), dtype=np.float64)

    return _mean_over_pairs(items, sizes > 0, distances)


def vector_diversity(items: NDArray[np.int32], vectors: NDArray[np.float32]) -> NDArray[np.float64]:
    """Mean cosine distance of the pairs in a list, by item vectors.

    Items whose vector is 0 are left out.

    Parameters
    ----------
    items
        int32 (M, k), -1 padded.
    vectors
        float32 (N, D), of any length.

    Returns
    -------
    NDArray
        float64 (M,), 0 to 2; NaN where fewer than two items have a vector.

    Examples
    --------
    >>> vector_diversity(np.array([[0, 1]]), np.array([[1, 0], [0, 3]], dtype=np.float32)).tolist()
    [1.0]
    """
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    units = vectors / np.where(lengths > 0, lengths, 1)[:, None]

    def distances(rows: NDArray[np.int64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = 1 - units[rows] @ units[rows].transpose(0, 2, 1)
        return found

    return _mean_over_pairs(items, lengths > 0, distances)


def valid_share(items: NDArray[np.int32], k: int, num_items: int) -> float:
    """Share of the M x k places that hold an item of the catalog; the rest is padding or no item at all.

    Examples
    --------
    >>> valid_share(np.array([[3, 9], [0, -1]]), k=2, num_items=5)
    0.5
    """
    top = items[:, :k]
    return float(((top >= 0) & (top < num_items)).sum()) / (len(items) * k)


def duplicate_share(items: NDArray[np.int32]) -> float:
    """Share of the recommended items that stand further up in the same list already; 0 where there is no item.

    Rankings of a :class:`~genrec.baselines.base.Scorer` have none, by contract; the raw output of a model that
    generates without a trie may.

    Examples
    --------
    >>> duplicate_share(np.array([[3, 3, 1, -1, -1]]))
    0.3333333333333333
    """
    ordered = np.sort(items, axis=1)
    again = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    return float(again.sum()) / max(1, int((items >= 0).sum()))


def _mean(values: NDArray[np.float64]) -> float | None:
    return None if np.isnan(values).all() else float(np.nanmean(values))


def _mean_over_list(items: NDArray[np.int32], values: NDArray[np.float64]) -> NDArray[np.float64]:
    real = items >= 0
    count = real.sum(axis=1)
    total = np.where(real, values[items], 0.0).sum(axis=1)
    means = np.full(len(items), np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means


def _mean_over_pairs(
    items: NDArray[np.int32],
    usable: NDArray[np.bool_],
    distances: Callable[[NDArray[np.int64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Mean of distances (b, k, k) over the pairs of usable items, list by list."""
    means = np.full(len(items), np.nan)
    upper = np.triu(np.ones((items.shape[1], items.shape[1]), dtype=np.bool_), k=1)
    for first in range(0, len(items), CHUNK):
        rows = items[first : first + CHUNK].astype(np.int64)
        real = (rows >= 0) & usable[rows]
        pairs = real[:, :, None] & real[:, None, :] & upper
        count = pairs.sum(axis=(1, 2))
        total = np.where(pairs, distances(np.maximum(rows, 0)), 0.0).sum(axis=(1, 2))
        np.divide(total, count, out=means[first : first + CHUNK], where=count > 0)
    return means
