"""Accuracy by group: popular and rare items, short and long histories, what is known of the users."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import USER_ID
from genrec.errors import DataError
from genrec.evaluation.beyond_accuracy import user_counts
from genrec.evaluation.bootstrap import Interval, bootstrap_interval
from genrec.evaluation.seeds import mean_over_seeds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset

MOST_VALUES = 25
"""Groups that a column of words may make; the rarer values go together."""
OTHER = "(rare values)"
UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Groups:
    """A partition of users, or of items.

    Parameters
    ----------
    by
        What they are grouped by: ``"item popularity"``.
    names
        Of the groups, in the order in which to show them.
    labels
        Group of each, int64 (n,); -1 is in none.
    """

    by: str
    names: tuple[str, ...]
    labels: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True)
class Slice:
    """One metric of one group.

    Parameters
    ----------
    by, group
        What the questions are grouped by, and which group it is.
    metric
        Such as ``"ndcg@10"``.
    questions
        How many the group has.
    share
        Of all questions.
    interval
        Mean with its bootstrap interval; None where the group has no question.
    """

    by: str
    group: str
    metric: str
    questions: int
    share: float
    interval: Interval | None

    def as_dict(self) -> dict[str, object]:
        """Give the fields, ready for JSON."""
        return asdict(self)


def item_popularity_groups(train: Dataset, share: float = 0.2) -> Groups:
    """Head, mid, tail and cold items [1]_.

    Items in descending order of their training users: the head are those with the first ``share`` of all
    (user, item) pairs, the tail those with the last, mid the rest. Cold are items that nobody met.

    Parameters
    ----------
    train
        The training set (N items).
    share
        Of head and of tail, default 0.2.

    References
    ----------
    .. [1] Abdollahpouri et al., "User-centered evaluation of popularity bias in recommender systems", UMAP 2021.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> groups = item_popularity_groups(toy_dataset(users=10, items=12, length=3))
    >>> groups.names, np.bincount(groups.labels, minlength=4).tolist()
    (('head', 'mid', 'tail', 'cold'), [2, 6, 4, 0])
    """
    counts = user_counts(train)
    order = np.argsort(-counts, kind="stable")
    after = np.empty(len(counts))
    after[order] = np.cumsum(counts[order])
    total = counts.sum()
    # Whole pairs on both sides: a share is a hair above or below what it stands for.
    head, tail = round(share * total), round((1 - share) * total)
    labels = np.select([counts == 0, after - counts < head, after > tail], [3, 0, 2], default=1)
    return Groups("item popularity", ("head", "mid", "tail", "cold"), labels.astype(np.int64))


def history_length_groups(histories: Sequence[NDArray[np.int32]], edges: Sequence[int] = (3, 10, 30, 100)) -> Groups:
    """Users by the number of items in the history of their question.

    Parameters
    ----------
    histories
        M arrays.
    edges
        Largest length of each group but the last, ascending. Default 3, 10, 30, 100.

    Examples
    --------
    >>> groups = history_length_groups([np.arange(2), np.arange(50)], edges=(3, 10))
    >>> groups.names, groups.labels.tolist()
    (('0-3', '4-10', 'over 10'), [0, 2])
    """
    lengths = np.array([len(history) for history in histories], dtype=np.int64)
    lows = [0, *(edge + 1 for edge in edges[:-1])]
    names = [f"{low}-{high}" for low, high in zip(lows, edges, strict=True)]
    return Groups("history length", (*names, f"over {edges[-1]}"), np.searchsorted(edges, lengths).astype(np.int64))


def attribute_groups(dataset: Dataset, users: NDArray[np.int32], column: str, bins: int = 4) -> Groups:
    """Users by something known of them: each value a group, numbers in bins of equal size.

    Parameters
    ----------
    dataset
        With ``user_attributes``.
    users
        User index of each question, int32 (M,).
    column
        One of its columns.
    bins
        Of a numeric column with more values than that, by quantiles of the users asked. Default 4.

    Raises
    ------
    DataError
        No such column.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> attribute_groups(toy_dataset(users=8), np.arange(8), "age", bins=2).names
    ('15-18', '19-22')
    """
    table = dataset.user_attributes
    if table is None or column not in table.column_names or column == USER_ID:
        raise DataError(f"users have no attribute {column!r}", hint=f"there are {attribute_columns(dataset)}")
    values = table[column].combine_chunks().take(pa.array(users))
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        numbers = values.cast(pa.float64()).to_numpy(zero_copy_only=False)  # null becomes NaN
        if len(np.unique(numbers[~np.isnan(numbers)])) > bins:
            return _binned(column, numbers, bins)
    words = pc.fill_null(values.cast(pa.string()), UNKNOWN).to_numpy(zero_copy_only=False).astype(str)
    found, counts = np.unique(words, return_counts=True)
    kept = np.sort(found[np.argsort(-counts, kind="stable")[:MOST_VALUES]])
    place = np.searchsorted(kept, words)
    known = kept[np.minimum(place, len(kept) - 1)] == words
    names = (*kept.tolist(), OTHER) if len(found) > len(kept) else tuple(kept.tolist())
    return Groups(column, names, np.where(known, place, len(kept)).astype(np.int64))


def attribute_columns(dataset: Dataset) -> list[str]:
    """Columns of the users that make groups: numbers, and words of which at most half the users have one alone.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> attribute_columns(toy_dataset())
    ['age']
    """
    table = dataset.user_attributes
    if table is None:
        return []
    usable = []
    for name in table.column_names:
        column, kind = table[name], table[name].type
        number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        word = pa.types.is_string(kind) or pa.types.is_boolean(kind)
        if name != USER_ID and (number or (word and 2 * pc.count_distinct(column).as_py() <= len(column))):
            usable.append(name)
    return usable


def slice_by_user(values: NDArray[np.float64], groups: Groups, metric: str, seed: int = 0) -> list[Slice]:
    """Average a metric by groups of users.

    Parameters
    ----------
    values
        float64 (M,), such as ``evaluation.per_user["ndcg@10"]``.
    groups
        Of the M questions.
    metric
        What the values are.
    seed
        Of the bootstrap, default 0.

    Returns
    -------
    list of Slice
        One a group, also where it is empty.

    Examples
    --------
    >>> groups = Groups("age", ("young", "old"), np.array([0, 1, 0]))
    >>> [(s.group, s.questions, s.interval.mean) for s in slice_by_user(np.array([1.0, 0.0, 0.0]), groups, "recall@10")]
    [('young', 2, 0.5), ('old', 1, 0.0)]
    """
    slices = []
    for label, name in enumerate(groups.names):
        mine = values[groups.labels == label]
        interval = bootstrap_interval(mine, seed=seed) if len(mine) else None
        slices.append(Slice(groups.by, name, metric, len(mine), len(mine) / max(1, len(values)), interval))
    return slices


def slice_by_target(
    items: NDArray[np.int32],
    targets: Sequence[NDArray[np.int32]],
    groups: Groups,
    metric: Callable[[NDArray[np.int32], Sequence[NDArray[np.int32]], int], NDArray[np.float64]],
    k: int = 10,
    seed: int = 0,
) -> list[Slice]:
    """Average a metric by groups of the items that were asked for.

    The metric is computed anew with the targets of a group alone, over the questions that have one. With one
    target a question this is the mean over the questions of the group.

    Parameters
    ----------
    items
        int32 (M, k'), ranked items: ``Evaluation.items``; or (S, M, k') of S fits, whose values are averaged.
    targets
        M arrays, of the questions.
    groups
        Of the N items.
    metric
        A function of :mod:`genrec.evaluation.metrics`, such as ``ndcg``.
    k
        Cut-off, default 10.
    seed
        Of the bootstrap, default 0.

    Returns
    -------
    list of Slice
        One a group, also where it is empty.

    Examples
    --------
    >>> from genrec.evaluation.metrics import recall
    >>> groups = Groups("item popularity", ("head", "tail"), np.array([0, 0, 1]))
    >>> slices = slice_by_target(np.array([[0, 1], [0, 1]]), [np.array([1, 2]), np.array([0])], groups, recall, k=2)
    >>> [(s.group, s.questions, s.interval.mean) for s in slices]
    [('head', 2, 1.0), ('tail', 1, 0.0)]
    """
    rankings = items.reshape(-1, *items.shape[-2:])
    slices = []
    for label, name in enumerate(groups.names):
        mine = [wanted[groups.labels[wanted] == label] for wanted in targets]
        rows = [row for row, wanted in enumerate(mine) if len(wanted)]
        interval = None
        if rows:
            asked = [mine[row] for row in rows]
            values = mean_over_seeds([metric(ranked[rows], asked, k) for ranked in rankings])
            interval = bootstrap_interval(values, seed=seed)
        share = len(rows) / max(1, len(targets))
        slices.append(Slice(groups.by, name, f"{metric.__name__}@{k}", len(rows), share, interval))
    return slices


def _binned(column: str, numbers: NDArray[np.float64], bins: int) -> Groups:
    known = ~np.isnan(numbers)
    cuts = np.unique(np.quantile(numbers[known], np.arange(1, bins) / bins, method="lower"))
    labels = np.where(known, np.searchsorted(cuts, numbers), -1)
    # A cut at the largest value leaves the last bin empty.
    used, labels[known] = np.unique(labels[known], return_inverse=True)
    names = []
    for label in range(len(used)):
        inside = numbers[labels == label]
        names.append(f"{inside.min():g}-{inside.max():g}")
    if not known.all():
        labels[~known] = len(names)
        names.append(UNKNOWN)
    return Groups(column, tuple(names), labels.astype(np.int64))
