"""What is measured of a sample of the users only: the area under the ROC curve, and how well short histories do."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from genrec.benchmark.tuning import OutOfTimeError, time_limit
from genrec.data.cold import shorten_histories
from genrec.evaluation.auc import evaluate_auc
from genrec.evaluation.metrics import ndcg, recall
from genrec.evaluation.sample import questions_at, sample_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from genrec.baselines.base import Scorer
    from genrec.data.split import EvalSet

logger = logging.getLogger(__name__)

AUC = "auc"
SHORT = (1, 3, 5)
"""Latest items of a history that a model sees: what is known of a new user."""
K, BATCH = 10, 128
SHORT_METRICS = (f"ndcg@{K}", f"recall@{K}")
AUC_USERS, SHORT_USERS = 1000, 500
"""Users asked at most."""
SLOW_USERS = 100
"""Users asked of a model that is slow enough to have a limit of its own."""


@dataclass(frozen=True, eq=False)
class Probe:
    """Values of some of the test questions.

    Parameters
    ----------
    name
        ``"auc"``, or of a history of n items ``"last n"``.
    filter_seen
        Whether items of the history were kept out of the ranking.
    rows
        The questions, int64 (S,) ascending, among all of the test part.
    per_user
        Their values, float64 (S,), by metric.
    """

    name: str
    filter_seen: bool
    rows: NDArray[np.int64] = field(repr=False)
    per_user: dict[str, NDArray[np.float64]] = field(repr=False)


@dataclass(frozen=True)
class Unmeasured:
    """What has no figure.

    Parameters
    ----------
    said
        What, and why.
    cut
        Whether time was short: a run that has more of it measures it. Default False.
    """

    said: str
    cut: bool = False


def short_name(items: int) -> str:
    """Name of the probe whose histories have their last few items only."""
    return f"last {items}"


def probe(
    scorer: Scorer,
    test: EvalSet,
    modes: Sequence[bool],
    *,
    among: NDArray[np.int64] | None = None,
    slow: bool = False,
    seconds: float = math.inf,
) -> tuple[list[Probe], list[Unmeasured]]:
    """Measure a fitted scorer on samples of the test questions.

    Short histories come first, in the first seen-mode, then the AUC, which needs a score of every item. What does not
    end in time, or fails, leaves no figure and a reason; the others are not touched by it.

    Parameters
    ----------
    scorer
        Fitted.
    test
        All test questions (M).
    modes
        Seen items filtered, or kept; the main one first.
    among
        The questions that the model is asked at all, int64 (S,) ascending. Default all.
    slow
        Ask few users, and the AUC in the main mode only. Default False.
    seconds
        Limit of all together, of which each has an equal share of what is left. Default none.

    Returns
    -------
    probes : list of Probe
        With rows of `test`.
    without : list of Unmeasured
        What has no figure, and why.

    Examples
    --------
    >>> from genrec.baselines import ItemKNN
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset())
    >>> probes, _ = probe(ItemKNN().fit(split.train), split.test, [True])
    >>> [(one.name, len(one.rows)) for one in probes]
    [('last 1', 60), ('last 3', 60), ('last 5', 60), ('auc', 60)]
    """
    auc_rows, short_rows = (
        _common_rows(len(test), among, users)
        for users in ((SLOW_USERS, SLOW_USERS) if slow else (AUC_USERS, SHORT_USERS))
    )
    tasks: list[tuple[str, bool, Callable[[], Probe]]] = [
        (short_name(items), modes[0], partial(_short, scorer, test, items, modes[0], short_rows)) for items in SHORT
    ]
    tasks += [(AUC, mode, partial(_auc, scorer, test, mode, auc_rows)) for mode in (modes[:1] if slow else modes)]
    found: list[Probe] = []
    without: list[Unmeasured] = []
    began = time.perf_counter()
    for number, (name, filter_seen, measure) in enumerate(tasks):
        limit = max((seconds - (time.perf_counter() - began)) / (len(tasks) - number), 1e-3)
        said = f"{name}, seen items {'filtered' if filter_seen else 'kept'}"
        try:
            with time_limit(limit):
                found.append(measure())
        except OutOfTimeError:
            without.append(Unmeasured(f"{said}: it took more than the {limit:.1f} s there were for it", cut=True))
        except Exception as error:
            logger.info("%s failed", said, exc_info=True)
            without.append(Unmeasured(f"{said}: {type(error).__name__}: {error}"))
    return found, without


def join_probes(folds: Sequence[Sequence[Probe]], offsets: Sequence[int]) -> list[Probe]:
    """Put the probes of several folds together; one that a fold lacks is left out.

    Parameters
    ----------
    folds
        Probes of each fold.
    offsets
        Number of test questions before each fold's.
    """
    joined = []
    by_kind = [{(one.name, one.filter_seen): one for one in fold} for fold in folds]
    for kind, first in by_kind[0].items():
        if not all(kind in fold for fold in by_kind):
            continue
        parts = [fold[kind] for fold in by_kind]
        rows = np.concatenate([part.rows + offset for part, offset in zip(parts, offsets, strict=True)])
        per_user = {name: np.concatenate([part.per_user[name] for part in parts]) for name in first.per_user}
        joined.append(Probe(first.name, first.filter_seen, rows, per_user))
    return joined


def _common_rows(total: int, among: NDArray[np.int64] | None, users: int) -> NDArray[np.int64]:
    """Questions that all models are asked, as far as they are asked as many."""
    rows = sample_rows(total, users)
    return rows if among is None else np.intersect1d(rows, among)


def _short(scorer: Scorer, test: EvalSet, items: int, filter_seen: bool, rows: NDArray[np.int64]) -> Probe:
    asked = questions_at(test, rows)
    short = shorten_histories(asked, items).histories
    found = []
    for first in range(0, len(rows), BATCH):
        part = slice(first, first + BATCH)
        # The whole history is excluded: what is measured is how much the model knows, not how many items compete.
        seen = asked.seen[part] if filter_seen else None
        found.append(scorer.recommend(short[part], K, exclude=seen).items)
    ranked = np.concatenate(found)
    values = {f"{metric.__name__}@{K}": metric(ranked, asked.targets, K) for metric in (ndcg, recall)}
    return Probe(short_name(items), filter_seen, rows, values)


def _auc(scorer: Scorer, test: EvalSet, filter_seen: bool, rows: NDArray[np.int64]) -> Probe:
    found = evaluate_auc(scorer, questions_at(test, rows), None, filter_seen)
    return Probe(AUC, filter_seen, rows, {AUC: found.values})
