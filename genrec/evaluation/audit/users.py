"""Checks of a cross-validation over users: is anyone on both sides?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.evaluation.audit.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.data.dataset import Dataset
    from genrec.data.split import Split

LONG = 5
"""Items of a history from which two users with the same one are no coincidence."""


def asked_twice(splits: Sequence[Split]) -> Finding:
    """Users in the test part of several folds, or in test and validation of one."""
    check = "users of two folds"
    _, counts = np.unique(np.concatenate([split.test.users for split in splits]), return_counts=True)
    twice = int((counts > 1).sum())
    both = sum(len(np.intersect1d(split.test.users, split.validation.users)) for split in splits)
    if twice or both:
        sentence = f"{twice} users are asked in several folds, {both} are tuned on and asked in the same one."
        return Finding(check, "problem", sentence, twice + both)
    return Finding(check, "ok", f"Each of {len(counts)} users is asked in one fold, and tuned on in another.")


def trained_and_asked(splits: Sequence[Split]) -> Finding:
    """Users whose interactions are in the training set of the fold that asks or tunes on them."""
    check = "users trained and asked"
    shared = 0
    for split in splits:
        held_out = np.union1d(split.test.users, split.validation.users)
        shared += len(np.intersect1d(held_out, split.train.user_indices))
    if shared:
        return Finding(check, "problem", f"{shared} users are in the training set of their own fold.", shared)
    return Finding(check, "ok", "No user is in the training set of the fold that asks them.")


def twins(splits: Sequence[Split], dataset: Dataset) -> Finding:
    """Users asked whose whole history, answer included, a user of the training set has too."""
    check = "twins"
    histories = dataset.histories
    found = 0
    for split in splits:
        trained = {
            histories[user].tobytes() for user in np.unique(split.train.user_indices) if len(histories[user]) >= LONG
        }
        found += sum(histories[user].tobytes() in trained for user in split.test.users)
    if not found:
        return Finding(check, "ok", f"No user asked has the same history ({LONG} items or more) as one in training.")
    sentence = (
        f"{found} users asked have exactly the history of a training user ({LONG} items or more), answer included."
    )
    return Finding(check, "notable", sentence, found)
