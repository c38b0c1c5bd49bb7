"""The figures of one model: means with their intervals, by seen-mode, by slice, of samples of the users."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.benchmark.probes import AUC, SHORT, SHORT_METRICS, short_name
from genrec.benchmark.report.schema import GapEntry, Interval, ModeEntry, ShortEntry, SliceEntry
from genrec.benchmark.store import MODES
from genrec.benchmark.tuning import METRIC
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
    from genrec.data.split import EvalSet
    from genrec.evaluation.protocol import Evaluation

SLICE_K = 10


def mode_entries(finished: Finished, asked: EvalSet, train: Dataset, main_mode: bool) -> list[ModeEntry]:
    """Compute a model's figures; slices, short histories and gaps of the main seen-mode only.

    Parameters
    ----------
    finished
        The model.
    asked
        All test questions.
    train
        Training part, whose users say what is popular.
    main_mode
        Seen items filtered, or kept.
    """
    mine = asked if finished.rows is None else questions_at(asked, finished.rows)
    groups = _user_groups(asked, finished, train)
    entries = []
    for evaluation in finished.evaluations:
        intervals = bootstrap_intervals(evaluation.per_user)
        is_main = evaluation.filter_seen == main_mode
        entry = ModeEntry(
            filter_seen=evaluation.filter_seen,
            users=evaluation.num_users,
            metrics={name: Interval.of(interval) for name, interval in intervals.items()},
            seeds=finished.seeds.get(MODES[evaluation.filter_seen], {}),
            beyond=beyond_accuracy(evaluation.items, mine.histories, train, SLICE_K).metrics,
            slices=_slices(evaluation, mine, train, groups) if is_main else [],
            gaps=_gaps(evaluation, groups) if is_main else [],
        )
        probes = {one.name: one for one in finished.probes if one.filter_seen == evaluation.filter_seen}
        if AUC in probes:
            values = probes[AUC].per_user[AUC]
            values = values[~np.isnan(values)]  # of a question whose targets are all that is eligible
            entry.auc = Interval.of(bootstrap_interval(values)) if len(values) else None
            entry.auc_users = len(values)
        entry.short_histories = _short_histories(probes, evaluation, finished)
        entries.append(entry)
    return entries


def _user_groups(asked: EvalSet, finished: Finished, train: Dataset) -> list[Groups]:
    """Groups of all who are asked, so that they are the same for every model, of those that this one was asked."""
    groups = [history_length_groups(asked.histories)]
    groups += [attribute_groups(train, asked.users, column) for column in attribute_columns(train)]
    if finished.rows is None:
        return groups
    return [Groups(one.by, one.names, one.labels[finished.rows]) for one in groups]


def _slices(evaluation: Evaluation, asked: EvalSet, train: Dataset, groups: Sequence[Groups]) -> list[SliceEntry]:
    by_item = item_popularity_groups(train)
    found: list[Slice] = []
    for metric in (ndcg, recall):
        name = f"{metric.__name__}@{SLICE_K}"
        found += slice_by_target(evaluation.items, asked.targets, by_item, metric, SLICE_K)
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


def _short_histories(probes: dict[str, Probe], evaluation: Evaluation, finished: Finished) -> list[ShortEntry]:
    """Accuracy by the number of items that are seen, and that of whole histories of the same users."""
    found = [(items, probes[short_name(items)]) for items in SHORT if short_name(items) in probes]
    entries = [
        ShortEntry(items=items, users=len(one.rows), metrics=_intervals({n: one.per_user[n] for n in SHORT_METRICS}))
        for items, one in found
    ]
    if found:
        rows = found[0][1].rows
        if finished.rows is not None:
            rows = np.searchsorted(finished.rows, rows)
        whole = {name: evaluation.per_user[name][rows] for name in SHORT_METRICS}
        entries.append(ShortEntry(items=None, users=len(rows), metrics=_intervals(whole)))
    return entries


def _intervals(per_user: dict[str, NDArray[np.float64]]) -> dict[str, Interval]:
    return {name: Interval.of(interval) for name, interval in bootstrap_intervals(per_user).items()}
