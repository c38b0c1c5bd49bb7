"""Checks of the questions against the training set and against time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.evaluation.audit.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet, Split

SOME = 0.01
"""Share of the questions from which something is notable."""


def target_in_history(split: Split) -> Finding:
    """Targets that the user met before: trivial with seen items kept, impossible with seen items filtered."""
    check = "target in history"
    part, size = split.test, split.train.num_items
    seen = int(np.isin(_pairs(part.users, part.targets, size), _pairs(part.users, part.histories, size)).sum())
    if not seen:
        return Finding(check, "ok", "No test target is in the user's own history.")
    total = sum(map(len, part.targets))
    sentence = (
        f"{seen} of {total} test targets ({seen / total:.1%}) are in the user's own history: with seen items filtered "
        "nobody can find them, with seen items kept repeating the history finds them."
    )
    return Finding(check, "notable", sentence, seen)


def training_knows(split: Split) -> Finding:
    """Training interactions of a user who is asked that the question does not show, targets above all."""
    check = "training knows the answer"
    size = split.train.num_items
    trained = np.sort(split.train.user_indices.astype(np.int64) * size + split.train.item_indices)
    hidden = targets = 0
    for part in (split.validation, split.test):
        mine = trained[np.isin(trained // size, part.users)]
        extra = _beyond(mine, _pairs(part.users, part.histories, size))
        hidden += len(extra)
        targets += int(np.isin(_pairs(part.users, part.targets, size), extra).sum())
    if not hidden:
        return Finding(check, "ok", "Of the users asked, training has nothing but what stands in their histories.")
    sentence = (
        f"Training has {hidden} interactions of users who are asked that are not in the history of their question, "
        f"{targets} of them with the very target."
    )
    return Finding(check, "problem", sentence, hidden)


def validation_knows(split: Split) -> Finding:
    """Test targets that tuning has seen as part of a validation history."""
    check = "validation knows the answer"
    size = split.train.num_items
    shown = _pairs(split.validation.users, split.validation.histories, size)
    extra = _beyond(np.sort(shown), _pairs(split.test.users, split.test.histories, size))
    known = int(np.isin(_pairs(split.test.users, split.test.targets, size), extra).sum())
    if not known:
        return Finding(check, "ok", "No test target was shown to tuning, in the history of a validation question.")
    return Finding(check, "problem", f"{known} test targets stand in the histories that tuning was shown.", known)


def training_after(split: Split, dataset: Dataset) -> Finding:
    """Training interactions, of anyone, that are younger than the test questions [1]_.

    References
    ----------
    .. [1] Ji et al., "A critical study on data leakage in recommender system offline evaluation", TOIS 2023.
    """
    check = "training after the question"
    if dataset.time == "order":
        return Finding(check, "notable", "The data have no timestamps, so training after the test cannot be ruled out.")
    trained = np.sort(split.train.histories.timestamps)
    asked = question_times(split.test, dataset)
    # A question of many targets is asked when the first comes.
    later = len(trained) - np.searchsorted(trained, asked, side="left" if split.is_temporal else "right")
    if not later.any():
        return Finding(check, "ok", "Every training interaction is older than every test question.")
    share = float(later.mean()) / len(trained)
    sentence = (
        f"{np.mean(later > 0):.1%} of the test questions are older than some training interaction; on average "
        f"{share:.1%} of the training set is younger than a question"
    )
    if split.is_temporal:
        return Finding(check, "problem", f"{sentence}, in a split that promises none.", int((later > 0).sum()))
    advice = (
        "models may learn of trends that were still to come, as in every split by user. See the temporal split too."
    )
    return Finding(check, "notable", f"{sentence}: {advice}", int((later > 0).sum()))


def ties_decide(split: Split, dataset: Dataset) -> Finding:
    """Targets at the same moment as the item before them, so that file order made them the target."""
    check = "time decides the target"
    if dataset.time == "order":
        return Finding(check, "notable", "The data have no timestamps: file order decides what the target is.")
    histories = dataset.histories
    moments, rank = np.unique(histories.timestamps, return_inverse=True)
    users = np.repeat(np.arange(len(histories), dtype=np.int64), histories.lengths)
    met = np.sort(users * len(moments) + rank)
    rows = np.repeat(np.arange(len(split.test)), list(map(len, split.test.targets)))
    times = _target_times(split.test, dataset)
    keys = split.test.users[rows].astype(np.int64) * len(moments) + np.searchsorted(moments, times)
    there = np.searchsorted(met, keys, side="right") - np.searchsorted(met, keys, side="left")
    _, place, asked_there = np.unique(keys, return_inverse=True, return_counts=True)
    questions = len(split.test)
    tied = len(np.unique(rows[there > asked_there[place]]))
    share = tied / max(1, questions)
    if share <= SOME:
        return Finding(
            check, "ok", f"{tied} of {questions} test questions have a target that ties with another item.", tied
        )
    sentence = (
        f"{tied} of {questions} test questions ({share:.1%}) have a target at the same moment as an item of the "
        "user that is none: the order of the file, not time, made the choice. Another file order is another test set."
    )
    return Finding(check, "notable", sentence, tied)


def cold_targets(split: Split) -> Finding:
    """Targets that no training interaction has."""
    check = "targets without training"
    counts = split.train.histories.item_counts(split.train.num_items)
    targets = np.concatenate(split.test.targets)
    cold = int((counts[targets] == 0).sum())
    if split.method == "cold-items":
        warm = len(targets) - cold
        if warm:
            return Finding(check, "problem", f"{warm} targets that should be cold have training interactions.", warm)
        return Finding(check, "ok", "No test target has a training interaction, as this split promises.")
    if cold <= SOME * len(targets):
        return Finding(check, "ok", f"{cold} of {len(targets)} test targets have no training interaction.", cold)
    sentence = (
        f"{cold} of {len(targets)} test targets ({cold / len(targets):.1%}) have no training interaction: no model "
        "that learns from interactions alone can prefer them."
    )
    return Finding(check, "notable", sentence, cold)


def question_times(part: EvalSet, dataset: Dataset) -> NDArray[np.int64]:
    """When each question is asked: the moment of its first target, int64 (M,).

    Of an item that the user met several times, the one after those in the question's history.
    """
    starts = np.cumsum([0, *(len(targets) for targets in part.targets[:-1])])
    earliest: NDArray[np.int64] = np.minimum.reduceat(_target_times(part, dataset), starts)
    return earliest


def _target_times(part: EvalSet, dataset: Dataset) -> NDArray[np.int64]:
    """The moment of each target, question after question."""
    histories, size = dataset.histories, dataset.num_items
    users = np.repeat(np.arange(len(histories), dtype=np.int64), histories.lengths)
    pairs = users * size + histories.items
    order = np.argsort(pairs, kind="stable")  # in order of time inside a pair
    ordered, known = pairs[order], np.sort(_pairs(part.users, part.histories, size))
    wanted = _pairs(part.users, part.targets, size)
    times_seen = np.searchsorted(known, wanted, side="right") - np.searchsorted(known, wanted, side="left")
    first, end = np.searchsorted(ordered, wanted, side="left"), np.searchsorted(ordered, wanted, side="right")
    moments: NDArray[np.int64] = histories.timestamps[order[np.minimum(first + times_seen, end - 1)]]
    return moments


def _pairs(users: NDArray[np.int32], items: Sequence[NDArray[np.int32]], size: int) -> NDArray[np.int64]:
    """(user, item) as one number each."""
    rows = np.repeat(users.astype(np.int64), [len(some) for some in items])
    pairs: NDArray[np.int64] = rows * size + np.concatenate([*items, np.empty(0, dtype=np.int32)])
    return pairs


def _beyond(pairs: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those of the ascending pairs that occur more often than in what is known."""
    times = np.arange(len(pairs)) - np.searchsorted(pairs, pairs, side="left")
    known = np.sort(known)
    allowed = np.searchsorted(known, pairs, side="right") - np.searchsorted(known, pairs, side="left")
    extra: NDArray[np.int64] = pairs[times >= allowed]
    return extra
