"""Cold starts: items that training never saw, and users of whom little is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genrec.columns import TIMESTAMP
from genrec.data.histories import time_order
from genrec.data.split import EvalSet, Split
from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset


def cold_items(dataset: Dataset, share: float = 0.1, seed: int = 0) -> Split:
    """Hold items out of training entirely, and ask for them.

    Two sets of items are drawn, one for tuning and one for the test. A user is asked for the last of these items in
    their history; the history of the question is what they met before, without any held-out item; these are met all the
    same, and no answer where seen items are filtered. Training has
    neither these items nor, of a user who is asked, anything after a question. The whole catalog is ranked, so a
    cold item has to be preferred to all that training knows; a scorer whose ``serves_cold_items`` is false has no
    evidence for any of them.

    Parameters
    ----------
    dataset
        All interactions.
    share
        Of the items that somebody met, in each of the two sets. Default 0.1.
    seed
        Of the draw, default 0.

    Returns
    -------
    Split
        Users and items keep their indices; every target is an item without a training interaction.

    Raises
    ------
    ConfigError
        The share leaves nothing to train on.
    DataError
        Nobody can be asked.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> split = cold_items(toy_dataset())
    >>> cold = set(split.test.targets[0].tolist())
    >>> len(split.test), cold.isdisjoint(split.train.item_indices.tolist())
    (45, True)
    """
    train, (validation, test) = hold_out_items(dataset, *draw_items(dataset, share, seed))
    return Split("cold-items", train, validation=validation, test=test)


def draw_items(dataset: Dataset, share: float, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw two sets of items that somebody met, one for tuning and one for the test.

    Parameters
    ----------
    dataset
        All interactions.
    share
        Of the items that somebody met, in each of the two sets.
    seed
        Of the draw, default 0.

    Returns
    -------
    tuple
        Two arrays int64 of item indices, ascending, of one length and without a common item.

    Raises
    ------
    ConfigError
        The share leaves nothing to train on.
    DataError
        It is less than one item.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> tuned, tested = draw_items(toy_dataset(items=20), 0.1)
    >>> len(tuned), len(tested), set(tuned) & set(tested)
    (2, 2, set())
    """
    if not 0 < share < 0.5:
        raise ConfigError(f"share={share} of the items, drawn twice, must leave some to train on")
    met = np.flatnonzero(dataset.histories.item_counts(dataset.num_items))
    count = round(share * len(met))
    if count < 1:
        raise DataError(f"a share of {share} of {len(met)} items is none", hint="raise the share")
    drawn = np.random.default_rng(seed).permutation(met)
    return np.sort(drawn[:count]), np.sort(drawn[count : 2 * count])


def hold_out_items(dataset: Dataset, *sets: NDArray[np.int64]) -> tuple[Dataset, list[EvalSet]]:
    """Hold sets of items out of training entirely, and ask for the items of each, as :func:`cold_items` says.

    Parameters
    ----------
    dataset
        All interactions.
    *sets
        Item indices, int64; no item is in two sets.

    Returns
    -------
    tuple
        What is left to train on, and the questions of each set.

    Raises
    ------
    DataError
        Nothing is left, or nobody can be asked.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> train, [questions] = hold_out_items(toy_dataset(), np.array([3, 4]))
    >>> {int(target[0]) for target in questions.targets}, bool(np.isin([3, 4], train.item_indices).any())
    ({3, 4}, False)
    """
    kind = np.zeros(dataset.num_items, dtype=np.int8)
    for number, items in enumerate(sets, 1):
        kind[items] = number
    order = time_order(dataset.user_indices, dataset.interactions.table[TIMESTAMP].to_numpy())
    users = dataset.user_indices[order]
    place = np.arange(len(order)) - dataset.histories.indptr[users]
    kinds = kind[dataset.histories.items]
    asked = [_last_place(users, place, kinds == number, dataset.num_users) for number in range(1, len(sets) + 1)]
    ends = np.min([np.where(last >= 0, last, len(order)) for last in asked], axis=0)
    train = dataset.with_interactions(np.sort(order[(kinds == 0) & (place < ends[users])]))
    if not len(train.interactions):
        raise DataError("without the held-out items nothing is left to train on", hint="lower the share")
    return train, [_ask(dataset, last, kind) for last in asked]


def shorten_histories(eval_set: EvalSet, length: int) -> EvalSet:
    """Ask the same questions with the last few items of each history only: what is known of a new user.

    On a split by :func:`~genrec.data.folds.user_folds` the fit does not know these users either. With seen items
    filtered, only those of the short history are.

    Parameters
    ----------
    eval_set
        The questions.
    length
        Items to keep, 0 or more.

    Examples
    --------
    >>> questions = EvalSet(np.array([7]), [np.array([1, 2, 3])], [np.array([4])])
    >>> shorten_histories(questions, 2).histories[0].tolist()
    [2, 3]
    """
    if length < 0:
        raise ConfigError(f"a history of {length} items")
    return replace(eval_set, histories=[history[max(0, len(history) - length) :] for history in eval_set.histories])


def select_questions(eval_set: EvalSet, mask: NDArray[np.bool_]) -> EvalSet:
    """Keep some of the questions, such as those of users with short histories.

    Parameters
    ----------
    eval_set
        M questions.
    mask
        bool (M,).

    Examples
    --------
    >>> questions = EvalSet(np.array([7, 8]), [np.array([1, 2, 3]), np.array([1])], [np.array([4]), np.array([5])])
    >>> short = np.array([len(history) <= 3 for history in questions.histories])
    >>> len(select_questions(questions, ~short))
    0
    """
    rows = np.flatnonzero(mask)
    return replace(
        eval_set,
        users=eval_set.users[rows],
        histories=[eval_set.histories[row] for row in rows],
        targets=[eval_set.targets[row] for row in rows],
        met=None if eval_set.met is None else [eval_set.met[row] for row in rows],
    )


def _last_place(
    users: NDArray[np.int32], place: NDArray[np.int64], mask: NDArray[np.bool_], num_users: int
) -> NDArray[np.int64]:
    """Last place in the history of each user where the mask holds, -1 where it never does; (U,)."""
    last = np.full(num_users, -1, dtype=np.int64)
    last[users[mask]] = place[mask]  # rows go up in time, and the last assignment stays
    return last


def _ask(dataset: Dataset, last: NDArray[np.int64], kind: NDArray[np.int8]) -> EvalSet:
    users, histories, targets, met = [], [], [], []
    for user in np.flatnonzero(last >= 0):
        before, target = dataset.histories[user][: last[user]], dataset.histories[user][last[user] : last[user] + 1]
        known = before[kind[before] == 0]
        if len(known):
            users.append(user)
            histories.append(known)
            targets.append(target)
            met.append(before)
    if not users:
        raise DataError("no user met a held-out item after another one", hint="raise the share, or take another seed")
    return EvalSet(np.array(users, dtype=np.int32), histories, targets, met=met)
