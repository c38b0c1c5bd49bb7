"""Train, validation and test: cut along time, never across it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.columns import TIMESTAMP
from genrec.data.histories import time_order
from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset

logger = logging.getLogger(__name__)

TEMPORAL = ("global-temporal", "next-basket")
"""Splits whose questions come after everything that is trained on."""


@dataclass(frozen=True, eq=False)
class EvalSet:
    """What is asked of a recommender: after this history, which items come?

    Parameters
    ----------
    users
        User indices, int32 (M,).
    histories
        M arrays int32 (T,): the items known at the time, oldest first.
    targets
        M arrays int32, at least one item each, all distinct within an array.
    whole_baskets
        Whether the targets are all that a user meets at one moment. Default False.
    in_future
        Whether the questions come after all that is trained on, as they do in use. Default False.
    met
        M arrays int32: all that the user has met at the time, where a history lacks some of it. Default: the histories.
    """

    users: NDArray[np.int32]
    histories: list[NDArray[np.int32]]
    targets: list[NDArray[np.int32]]
    whole_baskets: bool = False
    in_future: bool = False
    met: list[NDArray[np.int32]] | None = None

    def __len__(self) -> int:
        return len(self.users)

    @property
    def seen(self) -> list[NDArray[np.int32]]:
        """What a ranking of unseen items leaves out, M arrays."""
        return self.histories if self.met is None else self.met


@dataclass(frozen=True, eq=False)
class Split:
    """One cut of a data set, the same for every model that is compared.

    Parameters
    ----------
    method
        How it was cut: a key of :data:`SPLITS`, or the name of folds or cold items.
    train
        The data set with the training interactions only; users and items keep their indices.
    validation, test
        The questions for tuning, and those for the final figures.
    """

    method: str
    train: Dataset
    validation: EvalSet
    test: EvalSet

    @property
    def is_temporal(self) -> bool:
        """Whether training is older than every question."""
        return self.method in TEMPORAL


def leave_last_out(dataset: Dataset) -> Split:
    """Test on the last item of each user, tune on the one before.

    The training set has neither of the two; the history of a test question includes the validation
    item. Users with fewer than 3 interactions stay in the training set only.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset(users=2, items=10, length=4))
    >>> len(split.train.interactions), split.test.histories[0].tolist(), split.test.targets[0].tolist()
    (4, [0, 1, 2], [3])
    """
    histories = dataset.histories
    users = np.flatnonzero(histories.lengths >= 3).astype(np.int32)
    if not len(users):
        hint = "import more interactions, or cut along time: --set split=global-temporal, of a benchmark --split"
        if dataset.time == "order":
            hint = "import more interactions, or with timestamps, for a cut along time"
        raise DataError("no user has the 3 interactions that leave-last-out needs", hint=hint)
    held_out = np.concatenate([histories.indptr[users + 1] - 1, histories.indptr[users + 1] - 2])
    mask = np.ones(len(dataset.interactions), dtype=np.bool_)
    mask[time_order(dataset.user_indices, dataset.interactions.table[TIMESTAMP].to_numpy())[held_out]] = False

    def ask(back: int) -> EvalSet:
        sequences = [histories[user] for user in users]
        last = [len(items) - back for items in sequences]
        return EvalSet(
            users,
            [items[:end] for items, end in zip(sequences, last, strict=True)],
            [items[end : end + 1] for items, end in zip(sequences, last, strict=True)],
        )

    return Split("leave-last-out", dataset.with_interactions(mask), validation=ask(2), test=ask(1))


def global_temporal(dataset: Dataset, validation: float = 0.1, test: float = 0.1) -> Split:
    """Cut at two moments, the same for all users, so that training never sees the future of anyone.

    Interactions of one moment stay on one side of a cut. The targets of a window are the items a user meets
    inside it; the history is all of that user's before it begins. Users who have no history by then
    are not asked.

    Parameters
    ----------
    dataset
        A data set with timestamps.
    validation, test
        Share of all interactions in each window, default 0.1.

    Raises
    ------
    DataError
        The data set has no timestamps, or a window asks nothing.
    ConfigError
        The shares leave nothing to train on.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> split = global_temporal(toy_dataset(users=3, items=20, length=10))
    >>> len(split.train.interactions), split.test.histories[0].tolist(), split.test.targets[0].tolist()
    (24, [0, 1, 2, 3, 4, 5, 6, 7, 8], [9])
    """
    return _temporal(dataset, validation, test, "global-temporal")


def next_basket(dataset: Dataset, validation: float = 0.1, test: float = 0.1) -> Split:
    """Cut as :func:`global_temporal` does, and ask for the first basket alone that a user fills inside a window.

    A basket are the items that a user meets at one moment, such as the lines of an invoice; all of them are targets.

    Parameters
    ----------
    dataset, validation, test
        As of :func:`global_temporal`.

    Raises
    ------
    DataError, ConfigError
        As :func:`global_temporal` does.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> split = next_basket(toy_dataset(users=3, items=20, length=10), test=0.3)
    >>> split.method, split.test.targets[0].tolist()  # one item a moment
    ('next-basket', [7])
    """
    return _temporal(dataset, validation, test, "next-basket")


SPLITS: dict[str, Callable[[Dataset], Split]] = {
    "leave-last-out": leave_last_out,
    "global-temporal": global_temporal,
    "next-basket": next_basket,
}
"""Splits by name, those that a model can be fine-tuned on."""


def _temporal(dataset: Dataset, validation: float, test: float, method: str) -> Split:
    if min(validation, test) <= 0 or validation + test >= 1:
        raise ConfigError(f"shares validation={validation} and test={test} must be positive and sum to less than 1")
    if dataset.time == "order":
        hint = "split with leave_last_out, or import the data with their timestamps"
        raise DataError("the data set knows the order of each user's items only, no timestamps", hint=hint)
    times = dataset.interactions.table[TIMESTAMP].to_numpy()
    # Rounded first: 1 - .1 - .1 is a hair below .8, and that would move a cut by one interaction.
    shares = np.round([1 - validation - test, 1 - test], 12)
    starts = np.sort(times)[(shares * len(times)).astype(np.int64)] if len(times) else np.zeros(2, dtype=np.int64)
    train = dataset.with_interactions(times < starts[0])
    if not len(train.interactions):
        raise DataError("timestamps are so few that nothing lies before the first cut", hint="use leave_last_out")
    one_moment = method == "next-basket"
    windows = (
        _window(dataset, starts[0], starts[1], one_moment=one_moment),
        _window(dataset, starts[1], None, one_moment=one_moment),
    )
    return Split(method, train, validation=windows[0], test=windows[1])


def _window(dataset: Dataset, start: np.int64, end: np.int64 | None, *, one_moment: bool) -> EvalSet:
    """Ask for what users meet in ``start <= timestamp < end``, or at their first moment inside of it."""
    histories = dataset.histories
    before = np.concatenate([[0], np.cumsum(histories.timestamps < start)])[histories.indptr]
    inside = histories.timestamps >= start if end is None else _between(histories.timestamps, start, end)
    known = np.diff(before)
    if one_moment:
        # Of each interaction: the moment of its user's first one inside the window.
        begin = np.minimum(histories.indptr[:-1] + known, len(histories.timestamps) - 1)
        inside &= histories.timestamps == np.repeat(histories.timestamps[begin], histories.lengths)
    coming = np.diff(np.concatenate([[0], np.cumsum(inside)])[histories.indptr])
    users = np.flatnonzero((known > 0) & (coming > 0)).astype(np.int32)
    if not len(users):
        problem = f"no user has a history before {start} and an item in the window that begins there"
        raise DataError(problem, hint="import more interactions, or split with leave-last-out")
    unknown = int((coming > 0).sum()) - len(users)
    logger.info("window from %d: %d users asked, %d have no history yet", start, len(users), unknown)
    return EvalSet(
        users,
        [histories[user][: known[user]] for user in users],
        [_distinct(histories[user][known[user] : known[user] + coming[user]]) for user in users],
        whole_baskets=one_moment,
        in_future=True,
    )


def _between(timestamps: NDArray[np.int64], start: np.int64, end: np.int64) -> NDArray[np.bool_]:
    return (timestamps >= start) & (timestamps < end)


def _distinct(items: NDArray[np.int32]) -> NDArray[np.int32]:
    """Drop repeats, keeping the order of first appearance."""
    _, first = np.unique(items, return_index=True)
    return items[np.sort(first)]
