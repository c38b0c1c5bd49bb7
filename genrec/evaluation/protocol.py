"""How every model is measured: the same questions, the whole catalog, item by item."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakSet

import numpy as np

from genrec.errors import ConfigError, UnsupportedError
from genrec.evaluation.answers import check_answers
from genrec.evaluation.metrics import average_precision, f1, hit_rate, mrr, ndcg, precision, recall
from genrec.progress import in_batches

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.baselines.base import Scorer
    from genrec.data.split import EvalSet

logger = logging.getLogger(__name__)

METRICS = {
    "recall": recall,
    "precision": precision,
    "f1": f1,
    "hit_rate": hit_rate,
    "ndcg": ndcg,
    "mrr": mrr,
    "map": average_precision,
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What came out of one model on one set of questions.

    Parameters
    ----------
    model
        Name of the scorer.
    filter_seen
        Whether items of the history were kept out of the ranking.
    num_users
        Number of questions (M).
    metrics
        Mean over users, by name and cut-off: ``"ndcg@10"``.
    per_user
        The values that were averaged, float64 (M,), by the same names.
    items
        The rankings, int32 (M, largest cut-off), -1 padded.
    seconds
        Time that the rankings took.
    more_items
        Rankings of further fits, where the values are means over several. Default none.
    """

    model: str
    filter_seen: bool
    num_users: int
    metrics: dict[str, float]
    per_user: dict[str, NDArray[np.float64]] = field(repr=False)
    items: NDArray[np.int32] = field(repr=False)
    seconds: float
    more_items: tuple[NDArray[np.int32], ...] = field(default=(), repr=False)

    @property
    def rankings(self) -> NDArray[np.int32]:
        """Of all fits, int32 (S, M, largest cut-off)."""
        return np.stack([self.items, *self.more_items])

    def as_dict(self) -> dict[str, object]:
        """Give what a report holds, ready for JSON.

        Returns
        -------
        dict
            All but the per-user values and the rankings.
        """
        return {
            "model": self.model,
            "filter_seen": self.filter_seen,
            "num_users": self.num_users,
            "seconds": round(self.seconds, 3),
            "metrics": self.metrics,
        }


def evaluate(
    scorer: Scorer,
    eval_set: EvalSet,
    ks: Sequence[int] = (5, 10, 20),
    filter_seen: bool = True,
    batch_size: int = 128,
    negatives: int | None = None,
    num_items: int | None = None,
) -> Evaluation:
    """Rank the whole catalog for every question and compare with the targets.

    The scorer is asked for its best items only, so a generative model never needs a full score matrix. A progress
    bar shows on a terminal.

    Parameters
    ----------
    scorer
        Fitted on the training part of the split.
    eval_set
        Histories and targets, of the validation or test part.
    ks
        Cut-offs of the metrics.
    filter_seen
        Keep what the user has met (:attr:`~genrec.data.split.EvalSet.seen`) out of the ranking, default True. A target
        among it can then not be found; how many there are is logged.
    batch_size
        Questions asked at once, default 128.
    negatives
        Only None: the target is ranked among all items, never among some that were drawn [1]_.
    num_items
        Items of the catalog (N), to tell an answer that is none of them. Default: that is not looked at.

    Returns
    -------
    Evaluation
        Means and per-user values of recall, precision, F1, hit rate, NDCG, MRR and MAP at each cut-off.

    Raises
    ------
    ConfigError
        No question, no cut-off, or a cut-off below 1.
    ModelError
        The scorer returned an item twice for one user, one that was excluded or is not in the catalog, or not as many
        as it was asked for.
    UnsupportedError
        Sampled negatives were asked for.

    References
    ----------
    .. [1] Krichene, Rendle, "On sampled metrics for item recommendation", KDD 2020.

    Examples
    --------
    >>> from genrec.baselines import ItemKNN
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset())
    >>> evaluation = evaluate(ItemKNN().fit(split.train), split.test, ks=(1, 5))
    >>> evaluation.metrics["recall@5"]
    1.0
    """
    if negatives is not None:
        refuse_sampling(negatives)
    if not ks or min(ks) < 1 or len(eval_set.histories) == 0:
        msg = f"nothing to evaluate: {len(eval_set.histories)} questions at cut-offs {list(ks)}"
        raise ConfigError(msg, hint="cut-offs are 1 or more; leave-last-out needs users with 3 interactions")
    if filter_seen:
        _log_unreachable(eval_set)
    k = max(ks)
    start = time.perf_counter()
    batches = []
    for batch in in_batches(f"evaluate {scorer.name}", len(eval_set.histories), batch_size):
        exclude = eval_set.seen[batch] if filter_seen else None
        batches.append(scorer.recommend(eval_set.histories[batch], k, exclude=exclude).items)
    seconds = time.perf_counter() - start
    items = np.concatenate(batches)
    exclude = eval_set.seen if filter_seen else None
    check_answers(scorer.name, items, (len(eval_set), k), num_items=num_items, exclude=exclude)
    per_user = {f"{name}@{cut}": metric(items, eval_set.targets, cut) for name, metric in METRICS.items() for cut in ks}
    metrics = {name: float(values.mean()) for name, values in per_user.items()}
    return Evaluation(scorer.name, filter_seen, len(items), metrics, per_user, items, seconds)


def join_evaluations(parts: Sequence[Evaluation]) -> Evaluation:
    """Put the folds of a cross-validation together: every user counts once, whatever fold asked them.

    Parameters
    ----------
    parts
        Of one model and seen-mode, with the same cut-offs, in the order of the folds.

    Returns
    -------
    Evaluation
        Its rows are those of :func:`genrec.data.folds.join_eval_sets` of the same folds.

    Raises
    ------
    ConfigError
        Models or seen-modes differ.

    Examples
    --------
    >>> from genrec.baselines import ItemKNN
    >>> from genrec.data.folds import user_folds
    >>> from genrec.testing import toy_dataset
    >>> folds = user_folds(toy_dataset(), folds=3)
    >>> joined = join_evaluations([evaluate(ItemKNN().fit(fold.train), fold.test, ks=(5,)) for fold in folds])
    >>> joined.num_users, joined.metrics["recall@5"]
    (60, 1.0)
    """
    kinds = {(part.model, part.filter_seen, tuple(part.per_user)) for part in parts}
    if len(kinds) != 1:
        raise ConfigError(f"cannot join {len(parts)} evaluations of {len(kinds)} kinds")
    per_user = {name: np.concatenate([part.per_user[name] for part in parts]) for name in parts[0].per_user}
    return Evaluation(
        model=parts[0].model,
        filter_seen=parts[0].filter_seen,
        num_users=sum(part.num_users for part in parts),
        metrics={name: float(values.mean()) for name, values in per_user.items()},
        per_user=per_user,
        items=np.concatenate([part.items for part in parts]),
        seconds=sum(part.seconds for part in parts),
        more_items=tuple(np.concatenate(fits) for fits in zip(*(part.more_items for part in parts), strict=True)),
    )


def refuse_sampling(negatives: object) -> None:
    """Say why targets are not ranked among sampled negatives.

    Parameters
    ----------
    negatives
        How many were asked for.

    Raises
    ------
    UnsupportedError
        Always.
    """
    msg = (
        f"the target is not ranked among {negatives} sampled negatives: sampled metrics do not estimate those of the "
        "whole catalog and can turn the order of two models around (Krichene and Rendle, On sampled metrics for item "
        "recommendation, KDD 2020)"
    )
    raise UnsupportedError(msg, hint="leave negatives out; to save time ask fewer users, which costs precision only")


# Of which that was said: it is the same for every model, and after every epoch.
_REPORTED: WeakSet[EvalSet] = WeakSet()


def _log_unreachable(eval_set: EvalSet) -> None:
    if eval_set in _REPORTED:
        return
    _REPORTED.add(eval_set)
    seen = sum(int(np.isin(targets, met).sum()) for met, targets in zip(eval_set.seen, eval_set.targets, strict=True))
    if seen:
        logger.info("%d targets are in the user's history, so they cannot be found with seen items filtered", seen)
