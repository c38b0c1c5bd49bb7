"""Cross-validation over users: everyone is asked once, by a model that never saw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.data.split import EvalSet, Split
from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.histories import Histories


def user_folds(dataset: Dataset, folds: int = 5, seed: int = 0) -> list[Split]:
    """Cut the users into folds; each is the test part of one split (strong generalisation [1]_).

    A model is fitted on the histories of the other users, then reads all but the last item of a held-out user and is
    asked for the last. Split ``f`` tests on fold ``f`` and tunes on the next, so a fit sees the users of ``folds - 2``
    folds. Users with one interaction cannot be asked and stay in every training set. The training users' later
    interactions may be younger than a test question, as in leave-last-out.

    Parameters
    ----------
    dataset
        All interactions.
    folds
        At least 3, default 5.
    seed
        Of the draw of users, default 0.

    Returns
    -------
    list of Split
        One a fold; users and items keep their indices.

    Raises
    ------
    ConfigError
        Fewer than 3 folds.
    DataError
        Fewer users with 2 interactions than folds.

    References
    ----------
    .. [1] Marlin, "Modeling user rating profiles for collaborative filtering", NIPS 2003.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> splits = user_folds(toy_dataset(users=6, items=10, length=4), folds=3)
    >>> [len(split.test) for split in splits], len(splits[0].train.interactions)
    ([2, 2, 2], 8)
    """
    if folds < 3:
        raise ConfigError(f"{folds} folds leave none to train on", hint="one is for testing, one for tuning: 3 or more")
    histories = dataset.histories
    users = np.flatnonzero(histories.lengths >= 2)
    if len(users) < folds:
        raise DataError(f"{len(users)} users have the 2 interactions it takes to be asked: too few for {folds} folds")
    fold_of = np.full(dataset.num_users, -1)
    fold_of[np.random.default_rng(seed).permutation(users)] = np.arange(len(users)) % folds
    splits = []
    for fold in range(folds):
        tuning = (fold + 1) % folds
        train = dataset.with_interactions(~np.isin(fold_of, [fold, tuning])[dataset.user_indices])
        asked = [_ask_last(histories, np.flatnonzero(fold_of == which)) for which in (tuning, fold)]
        splits.append(Split(f"user-fold {fold + 1} of {folds}", train, validation=asked[0], test=asked[1]))
    return splits


def join_eval_sets(parts: list[EvalSet]) -> EvalSet:
    """Put the questions of several folds one after the other.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> splits = user_folds(toy_dataset(users=6, items=10, length=4), folds=3)
    >>> sorted(join_eval_sets([split.test for split in splits]).users.tolist())
    [0, 1, 2, 3, 4, 5]
    """
    return EvalSet(
        np.concatenate([part.users for part in parts]),
        [history for part in parts for history in part.histories],
        [targets for part in parts for targets in part.targets],
        met=None if all(part.met is None for part in parts) else [met for part in parts for met in part.seen],
    )


def _ask_last(histories: Histories, users: NDArray[np.int64]) -> EvalSet:
    sequences = [histories[user] for user in users]
    return EvalSet(users.astype(np.int32), [items[:-1] for items in sequences], [items[-1:] for items in sequences])
