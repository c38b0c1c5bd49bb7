"""Area under the ROC curve: how high the targets stand in the whole catalog."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError
from genrec.evaluation.sample import sample_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.baselines.base import Scorer
    from genrec.data.split import EvalSet

CELLS = 1 << 22
"""Scores compared at once."""


def auc(
    scores: NDArray[np.float32],
    targets: Sequence[NDArray[np.int32]],
    exclude: Sequence[NDArray[np.int32]] | None = None,
) -> NDArray[np.float64]:
    r"""Probability that a target has a higher score than an item that is none, a tie counting one half.

    :math:`\frac{1}{|T| |O|} \sum_{t \in T} \sum_{o \in O} [s_t > s_o] + \frac{1}{2} [s_t = s_o]` with the eligible
    items O that are no target [1]_. A ranking needs a rule for ties and takes the lower index first; here one half is
    the rule, because item indices are often in order of age or popularity and would lend a score that says nothing
    an area above one half. Items of score -inf, which cannot be recommended, tie below all others.

    Parameters
    ----------
    scores
        float32 (B, N).
    targets
        B arrays, at least one item each.
    exclude
        B arrays of items that are not eligible, such as seen ones. A target among them is below every item.

    Returns
    -------
    NDArray
        float64 (B,), 0 to 1; NaN where every eligible item is a target.

    References
    ----------
    .. [1] Hanley, McNeil, "The meaning and use of the area under a ROC curve", Radiology 1982.

    Examples
    --------
    >>> scores = np.array([[0.1, 0.5, 0.5, 0.9]], dtype=np.float32)
    >>> auc(scores, [np.array([2])]).tolist()  # above one, equal to one, below one
    [0.5]
    >>> auc(scores, [np.array([2])], exclude=[np.array([3])]).tolist()
    [0.75]
    """
    row, target = _flat(targets)
    others = scores.astype(np.float32)
    others[row, target] = np.nan  # compares as neither above nor below
    reachable = np.ones(len(row), dtype=np.bool_)
    if exclude is not None:
        excluded = _flat(exclude)
        others[excluded] = np.nan
        reachable = ~np.isin(row * scores.shape[1] + target, excluded[0] * scores.shape[1] + excluded[1])
    won = np.zeros(len(row))
    step = max(1, CELLS // max(1, scores.shape[1]))
    for first in range(0, len(row), step):
        part = slice(first, first + step)
        mine, theirs = scores[row[part], target[part], None], others[row[part]]
        won[part] = (mine > theirs).sum(axis=1) + (mine == theirs).sum(axis=1) / 2
    pairs = np.bincount(row, minlength=len(scores)) * (~np.isnan(others)).sum(axis=1)
    total = np.bincount(row, weights=won * reachable, minlength=len(scores))
    areas = np.full(len(scores), np.nan)
    np.divide(total, pairs, out=areas, where=pairs > 0)
    return areas


@dataclass(frozen=True, eq=False)
class AucSample:
    """The AUC of one model on all questions, or on some that were drawn for every model alike.

    Parameters
    ----------
    model
        Name of the scorer.
    of_questions
        How many questions there are (M); a report states it beside ``len(rows)``.
    rows
        The questions that were asked, int64 (S,), ascending.
    values
        Their AUC, float64 (S,).
    """

    model: str
    of_questions: int
    rows: NDArray[np.int64] = field(repr=False)
    values: NDArray[np.float64] = field(repr=False)

    @property
    def mean(self) -> float:
        """Mean over the questions asked."""
        return float(np.nanmean(self.values))

    def __str__(self) -> str:
        of = "all" if len(self.rows) == self.of_questions else f"{len(self.rows)} of"
        return f"AUC {self.mean:.4f} on {of} {self.of_questions} questions"


def evaluate_auc(
    scorer: Scorer,
    eval_set: EvalSet,
    questions: int | None = 1000,
    filter_seen: bool = True,
    seed: int = 0,
    batch_size: int = 128,
) -> AucSample:
    """Ask for the scores of the whole catalog, which :func:`~genrec.evaluation.protocol.evaluate` never does.

    Nothing is cut off or estimated: each AUC is exact, over all items. What may be drawn is the users: 1,000 give
    a mean AUC to about .01, and a generator, which takes far longer to score all items than to find the best,
    can be asked for fewer. The same ``seed`` and ``questions`` give the same users for every model.

    Parameters
    ----------
    scorer
        Fitted.
    eval_set
        Histories and targets (M).
    questions
        How many to draw without replacement, default 1000; None asks all.
    filter_seen
        Leave the items of the history out, default True.
    seed
        Of the draw, default 0.
    batch_size
        Questions asked at once, default 128.

    Returns
    -------
    AucSample
        It says how many questions of how many were asked.

    Raises
    ------
    ConfigError
        There is no question to ask.

    Examples
    --------
    >>> from genrec.baselines import ItemKNN
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset())
    >>> print(evaluate_auc(ItemKNN().fit(split.train), split.test, questions=20))
    AUC 0.9536 on 20 of 60 questions
    """
    total = len(eval_set)
    if total == 0 or (questions is not None and questions < 1):
        raise ConfigError(f"no question to ask: {questions} of {total}", hint="leave the AUC out instead")
    rows = sample_rows(total, questions, seed)
    values = []
    for first in range(0, len(rows), batch_size):
        batch = rows[first : first + batch_size]
        histories = [eval_set.histories[row] for row in batch]
        targets = [eval_set.targets[row] for row in batch]
        exclude = [eval_set.seen[row] for row in batch] if filter_seen else None
        values.append(auc(scorer.score_eligible(histories, exclude), targets, exclude))
    return AucSample(scorer.name, total, rows, np.concatenate(values))


def _flat(groups: Sequence[NDArray[np.int32]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Row and item of each entry."""
    rows = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    return rows, np.concatenate([*groups, np.empty(0, dtype=np.int64)]).astype(np.int64)
