"""What the data are like: the facts that decide how well any model can do on them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.evaluation.beyond_accuracy import gini, user_counts

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet, Split

QUANTILES = (0, 5, 25, 50, 75, 95, 100)
CURVE_POINTS = 41
DAY = 86_400


@dataclass(frozen=True)
class DataCard:
    """A data set in numbers, ready for a report to draw.

    Parameters
    ----------
    name, source, licence
        Of the data set.
    users, items, interactions
        Counts.
    density
        Interactions over users x items.
    repeats
        Interactions with an item that the user met before, and their share.
    ties_in_time
        Interactions with the timestamp of the one before them in their history, and their share: their order, and so
        many a test item, is that of the file.
    history_length
        Quantiles over users: ``{"0": min, "5": ..., "50": median, ..., "100": max}``.
    top_items_share
        Share of the interactions that the most popular 1, 10 and 20% of the items have: ``{"1": ...}``.
    gini
        Of interactions over items: 0 is even.
    popularity_curve
        Points (share of the items, most popular first; share of the interactions), from (0, 0) to (1, 1).
    first, last
        Timestamps in seconds; None without time.
    span_days
        Days between them; None without time.
    items_never_met, items_met_5_times_or_less, users_with_3_or_less
        How much of the set is cold.
    training_interactions
        Of the split; None where none was given.
    questions
        ``{"validation": {...}, "test": {...}}``: number of questions, of targets, of targets that no training
        interaction has (``cold_targets``), of those in the user's own history (``seen_targets``), and of users with
        a history of 3 items or less (``cold_users``). Empty without a split.
    """

    name: str
    source: str
    licence: str
    users: int
    items: int
    interactions: int
    density: float
    repeats: int
    repeats_share: float
    ties_in_time: int
    ties_share: float
    history_length: dict[str, float]
    top_items_share: dict[str, float]
    gini: float
    popularity_curve: list[tuple[float, float]]
    first: int | None
    last: int | None
    span_days: float | None
    items_never_met: int
    items_met_5_times_or_less: int
    users_with_3_or_less: int
    training_interactions: int | None
    questions: dict[str, dict[str, int]]

    def as_dict(self) -> dict[str, object]:
        """Give the fields, ready for JSON."""
        return asdict(self)


def data_card(dataset: Dataset, split: Split | None = None) -> DataCard:
    """Describe a data set, and what a split of it asks.

    Parameters
    ----------
    dataset
        All interactions.
    split
        Of this data set; default None.

    Returns
    -------
    DataCard
        Plain values.

    Examples
    --------
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> card = data_card(toy_dataset(), leave_last_out(toy_dataset()))
    >>> card.interactions, card.repeats, card.history_length["50"], card.questions["test"]["questions"]
    (600, 0, 10.0, 60)
    """
    histories, count = dataset.histories, len(dataset.interactions)
    met = histories.item_counts(dataset.num_items)
    repeats, ties = count - int(user_counts(dataset).sum()), histories.count_ties()
    timed = dataset.time == "seconds" and count > 0
    first, last = (int(histories.timestamps.min()), int(histories.timestamps.max())) if timed else (None, None)
    parts = {} if split is None else {"validation": split.validation, "test": split.test}
    return DataCard(
        name=dataset.name,
        source=dataset.source,
        licence=dataset.licence,
        users=dataset.num_users,
        items=dataset.num_items,
        interactions=count,
        density=count / max(1, dataset.num_users * dataset.num_items),
        repeats=repeats,
        repeats_share=repeats / max(1, count),
        ties_in_time=ties,
        ties_share=ties / max(1, count),
        history_length=_quantiles(histories.lengths),
        top_items_share={str(percent): top_share(met, percent / 100) for percent in (1, 10, 20)},
        gini=gini(met),
        popularity_curve=popularity_curve(met),
        first=first,
        last=last,
        span_days=None if first is None or last is None else (last - first) / DAY,
        items_never_met=int((met == 0).sum()),
        items_met_5_times_or_less=int((met <= 5).sum()),
        users_with_3_or_less=int((histories.lengths <= 3).sum()),
        training_interactions=None if split is None else len(split.train.interactions),
        questions={} if split is None else {name: _questions(part, split.train) for name, part in parts.items()},
    )


def top_share(counts: NDArray[np.integer], share: float) -> float:
    """Share of all interactions that the most popular items have; at least one item counts.

    Examples
    --------
    >>> top_share(np.array([1, 6, 2, 1]), share=0.25)
    0.6
    """
    top = np.sort(counts)[::-1][: max(1, round(share * len(counts)))]
    return float(top.sum() / max(1, counts.sum()))


def popularity_curve(counts: NDArray[np.integer], points: int = CURVE_POINTS) -> list[tuple[float, float]]:
    """Share of the interactions that the most popular share of the items has.

    Parameters
    ----------
    counts
        Interactions of each item (N,).
    points
        Number of points, default 41.

    Examples
    --------
    >>> popularity_curve(np.array([1, 3]), points=3)
    [(0.0, 0.0), (0.5, 0.75), (1.0, 1.0)]
    """
    reached = np.concatenate([[0], np.cumsum(np.sort(counts)[::-1])]) / max(1, counts.sum())
    x = np.linspace(0, 1, points)
    y = np.interp(x * len(counts), np.arange(len(counts) + 1), reached)
    return [(float(a), float(b)) for a, b in zip(x, y, strict=True)]


def _quantiles(lengths: NDArray[np.int64]) -> dict[str, float]:
    if not len(lengths):
        return {}
    return {str(q): float(v) for q, v in zip(QUANTILES, np.percentile(lengths, QUANTILES), strict=True)}


def _questions(part: EvalSet, train: Dataset) -> dict[str, int]:
    trained = train.histories.item_counts(train.num_items)
    targets = np.concatenate([*part.targets, np.empty(0, dtype=np.int32)])
    pairs = zip(part.targets, part.histories, strict=True)
    return {
        "questions": len(part),
        "targets": len(targets),
        "cold_targets": int((trained[targets] == 0).sum()),
        "seen_targets": sum(int(np.isin(wanted, history).sum()) for wanted, history in pairs),
        "cold_users": sum(len(history) <= 3 for history in part.histories),
    }
