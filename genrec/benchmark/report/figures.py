"""The figures of one model: means with their intervals, by seen-mode, by slice, of samples of the users."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.benchmark.probes import AUC, SHORT, SHORT_METRICS, K, short_name
from genrec.benchmark.report.schema import GapEntry, Interval, ModeEntry, ShortEntry, SliceEntry
from genrec.benchmark.store import MODES
from genrec.benchmark.tuning import METRIC
from genrec.data.folds import join_eval_sets
from genrec.evaluation.beyond_accuracy import beyond_accuracy
from genrec.evaluation.bootstrap import bootstrap_interval, bootstrap_intervals
from genrec.evaluation.fairness import fairness_gap
from genrec.evaluation.metrics import ndcg, recall
from genrec.evaluation.sample import questions_at
from genrec.evaluation.significance import holm
from genrec.evaluation.slices import (
    Groups,
    Slice,
    attribute_columns,
    attribute_groups,
    history_length_groups,
    item_popularity_groups,
    slice_by_target,
    slice_by_user,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.benchmark.probes import Probe
    from genrec.benchmark.runner import Finished
    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet, Split
    from genrec.evaluation.protocol import Evaluation

SLICE_K = 10
OF_POPULARITY = ("novelty", "average_popularity", "popularity_lift")
"""Metrics of lists that depend on how many users met each item."""


@dataclass(frozen=True, eq=False)
class Asked:
    """Test questions, and who says what is popular among them.

    Parameters
    ----------
    questions
        The questions (M), those of all folds one after the other.
    folds
        Training part of each fold.
    fold
        Which fold each question is of, int64 (M,).
    """

    questions: EvalSet
    folds: list[Dataset]
    fold: NDArray[np.int64]

    @classmethod
    def of(cls, splits: Sequence[Split]) -> Self:
        """All test questions of a split, or of several folds."""
        tests = [split.test for split in splits]
        questions = tests[0] if len(tests) == 1 else join_eval_sets(tests)
        return cls(questions, [one.train for one in splits], np.repeat(np.arange(len(tests)), [len(t) for t in tests]))

    def at(self, rows: NDArray[np.int64] | None) -> Self:
        """The questions of some rows."""
        if rows is None:
            return self
        return replace(self, questions=questions_at(self.questions, rows), fold=self.fold[rows])


def mode_entries(finished: Finished, asked: Asked, main_mode: bool) -> list[ModeEntry]:
    """Compute a model's figures; slices, short histories and gaps of the main seen-mode only.

    Parameters
    ----------
    finished
        The model.
    asked
        All test questions.
    main_mode
        Seen items filtered, or kept.
    """
    mine = asked.at(finished.rows)
    groups = _user_groups(asked.questions, finished, asked.folds[0])
    entries = []
    for evaluation in finished.evaluations:
        intervals = bootstrap_intervals(evaluation.per_user)
        is_main = evaluation.filter_seen == main_mode
        entry = ModeEntry(
            filter_seen=evaluation.filter_seen,
            users=evaluation.num_users,
            metrics={name: Interval.of(interval) for name, interval in intervals.items()},
            seeds=finished.seeds.get(MODES[evaluation.filter_seen], {}),
            beyond=_beyond(evaluation, mine),
            slices=_slices(evaluation, mine, groups) if is_main else [],
            gaps=_gaps(evaluation, groups) if is_main else [],
        )
        probes = {one.name: one for one in finished.probes if one.filter_seen == evaluation.filter_seen}
        if AUC in probes:
            values = probes[AUC].per_user[AUC]
            values = values[~np.isnan(values)]  # of a question whose targets are all that is eligible
            entry.auc = Interval.of(bootstrap_interval(values)) if len(values) else None
            entry.auc_users = len(values)
        entry.short_histories = _short_histories(probes, evaluation, mine.questions, finished.rows)
        entries.append(entry)
    return entries


def of_first_fit(finished: Finished) -> list[str]:
    """What of a model of several seeds is of the first alone, because the lists of the others were not kept."""
    seeds = max((len(values) for of_mode in finished.seeds.values() for values in of_mode.values()), default=1)
    if all(len(evaluation.rankings) == seeds for evaluation in finished.evaluations):
        return []
    return [f"item popularity, and what lists look like, of all {seeds} seeds: those of the first were kept alone"]


def _beyond(evaluation: Evaluation, asked: Asked) -> dict[str, float | None]:
    """What the lists look like, the mean over fits."""
    found: dict[str, list[float]] = {}
    for items in evaluation.rankings:
        metrics = beyond_accuracy(items, asked.questions.histories, asked.folds[0], SLICE_K).metrics
        if len(asked.folds) > 1:
            metrics |= _of_popularity(items, asked)
        for name, value in metrics.items():
            found.setdefault(name, []).extend([] if value is None else [value])
    return {name: float(np.mean(values)) if values else None for name, values in found.items()}


def _of_popularity(items: NDArray[np.int32], asked: Asked) -> dict[str, float | None]:
    """What depends on what is popular, which each fold's users say of its questions: the mean over questions."""
    found: dict[str, tuple[list[float], list[int]]] = {}
    for number, train in enumerate(asked.folds):
        rows = np.flatnonzero(asked.fold == number)
        histories = [asked.questions.histories[row] for row in rows]
        metrics = beyond_accuracy(items[rows], histories, train, SLICE_K).metrics if len(rows) else {}
        for name, value in metrics.items():
            if name.startswith(OF_POPULARITY) and value is not None:
                values, sizes = found.setdefault(name, ([], []))
                values.append(value)
                sizes.append(len(rows))
    return {name: float(np.average(values, weights=sizes)) for name, (values, sizes) in found.items()}


def _user_groups(asked: EvalSet, finished: Finished, train: Dataset) -> list[Groups]:
    """Groups of all who are asked, so that they are the same for every model, of those that this one was asked."""
    groups = [history_length_groups(asked.histories)]
    groups += [attribute_groups(train, asked.users, column) for column in attribute_columns(train)]
    if finished.rows is None:
        return groups
    return [Groups(one.by, one.names, one.labels[finished.rows]) for one in groups]


def _slices(evaluation: Evaluation, asked: Asked, groups: Sequence[Groups]) -> list[SliceEntry]:
    # An item is as popular as a fold's users say: it counts as another one in each fold.
    of_folds = [item_popularity_groups(train) for train in asked.folds]
    by_item = replace(of_folds[0], labels=np.concatenate([one.labels for one in of_folds]))
    shift = asked.fold * asked.folds[0].num_items
    rankings = np.where(evaluation.rankings >= 0, evaluation.rankings + shift[:, None], -1)
    targets = [wanted + by for wanted, by in zip(asked.questions.targets, shift, strict=True)]
    found: list[Slice] = []
    for metric in (ndcg, recall):
        name = f"{metric.__name__}@{SLICE_K}"
        found += slice_by_target(rankings, targets, by_item, metric, SLICE_K)
        for one in groups:
            found += slice_by_user(evaluation.per_user[name], one, name)
    entries: dict[tuple[str, str], SliceEntry] = {}
    for piece in found:
        key = (piece.by, piece.group)
        entry = entries.setdefault(key, SliceEntry(group=piece.by, name=piece.group, users=piece.questions, metrics={}))
        if piece.interval:
            entry.metrics[piece.metric] = Interval.of(piece.interval)
    return list(entries.values())


def _gaps(evaluation: Evaluation, groups: Sequence[Groups]) -> list[GapEntry]:
    gaps = [gap for one in groups if (gap := fairness_gap(evaluation.per_user[METRIC], one, METRIC))]
    return [
        GapEntry(
            group=gap.by,
            metric=gap.metric,
            best=gap.best,
            worst=gap.worst,
            difference=Interval(mean=gap.difference, low=gap.low, high=gap.high),
            p_value=gap.p_value,
            p_holm=float(p_holm),
            left_out=list(gap.left_out),
        )
        for gap, p_holm in zip(gaps, holm([gap.p_value for gap in gaps]), strict=True)
    ]


def _short_histories(
    probes: dict[str, Probe], evaluation: Evaluation, asked: EvalSet, rows: NDArray[np.int64] | None
) -> list[ShortEntry]:
    """Accuracy by the number of items that are seen, and that of whole histories of the same users and first fit."""
    found = [(items, probes[short_name(items)]) for items in SHORT if short_name(items) in probes]
    entries = [
        ShortEntry(items=items, users=len(one.rows), metrics=_intervals({n: one.per_user[n] for n in SHORT_METRICS}))
        for items, one in found
    ]
    if found:
        mine = found[0][1].rows if rows is None else np.searchsorted(rows, found[0][1].rows)
        targets = [asked.targets[row] for row in mine]
        whole = {f"{metric.__name__}@{K}": metric(evaluation.items[mine], targets, K) for metric in (ndcg, recall)}
        entries.append(ShortEntry(items=None, users=len(mine), metrics=_intervals(whole)))
    return entries


def _intervals(per_user: dict[str, NDArray[np.float64]]) -> dict[str, Interval]:
    return {name: Interval.of(interval) for name, interval in bootstrap_intervals(per_user).items()}
