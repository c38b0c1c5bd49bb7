"""Several scorers as one: their scores brought to one scale and added, with weights that validation chose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, get_args

import numpy as np

from genrec.baselines.base import Scorer
from genrec.baselines.sequential.returning import fit_return_log_odds
from genrec.errors import ConfigError
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.progress import in_batches
from genrec.recommend.fusion_weights import Pool, choose_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet

How = Literal["z-score", "log-probability", "reciprocal-rank"]
RANK_OFFSET = 60  # of Cormack et al.
RETURN_USERS = 200
"""Questions that tell whether users come back to an item: one number is learned from them."""


def on_one_scale(scores: NDArray[np.float32], how: How) -> NDArray[np.float32]:
    """Bring the scores of a batch to a scale that scorers can be added on.

    Parameters
    ----------
    scores
        float32 (B, N); -inf excludes an item and stays.
    how
        ``"z-score"``: each row less its mean, by its standard deviation; a row of equals becomes zeros.
        ``"log-probability"``: log-softmax of each row, for scorers whose scores are log-probabilities or logits.
        ``"reciprocal-rank"``: 1 / (60 + rank) [1]_; equal scores rank by item index.

    Returns
    -------
    NDArray
        float32 (B, N).

    References
    ----------
    .. [1] Cormack, Clarke, Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning
       methods", SIGIR 2009.

    Examples
    --------
    >>> on_one_scale(np.array([[4, 2, 0, -np.inf]], dtype=np.float32), "z-score").round(2)
    array([[ 1.22,  0.  , -1.22,  -inf]], dtype=float32)
    """
    live = np.isfinite(scores)
    match how:
        case "z-score":
            count = np.maximum(live.sum(axis=1, keepdims=True), 1)
            known = np.where(live, scores, 0)
            centred = np.where(live, scores - known.sum(axis=1, keepdims=True) / count, 0)
            spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / count)
            scaled = centred / np.where(spread > 0, spread, 1)
        case "log-probability":
            best = scores.max(axis=1, keepdims=True, initial=np.finfo(np.float32).min)
            scaled = scores - best
            scaled = scaled - np.log(np.maximum(np.exp(scaled).sum(axis=1, keepdims=True), 1))
        case "reciprocal-rank":
            order = np.argsort(-scores, axis=1, kind="stable")
            rank = np.empty_like(order)
            np.put_along_axis(rank, order, np.arange(1, scores.shape[1] + 1)[None], axis=1)
            scaled = 1 / (RANK_OFFSET + rank)
    return np.where(live, scaled, -np.inf).astype(np.float32)


class Fusion(Scorer):
    """Adds up the scores of several scorers.

    Models that err on different users and items are better together: a model of item IDs remembers, one of texts
    generalises, and one of neighbours needs little data. Of an item without training interactions a part that does not
    serve cold items says nothing: it counts with the mean of what the part says, so that the others decide. Neighbours
    and texts like best what the user has met; whether users come back to it is chosen with the weights.

    Parameters
    ----------
    scorers
        The parts (S).
    weights
        S weights of at least 0; a part of weight 0 is not asked. Default None: :meth:`fit` chooses them on the
        validation questions it was told to use, and ``return_log_odds`` with them; without any all weigh 1.
    how
        The common scale, see :func:`on_one_scale`. Default ``"z-score"``.
    name
        Name in reports. Default: the names of the parts, joined by ``+``.
    max_users
        Validation questions that choose the weights at most, a fixed sample. Default 20,000.

    Attributes
    ----------
    return_log_odds
        Added to the scores of items of the history. 0 where the weights were given.

    Raises
    ------
    ConfigError
        There are no parts, not as many weights as parts, a weight is negative or none is positive.

    Examples
    --------
    >>> from genrec.baselines import EASE, Popularity
    >>> from genrec.testing import toy_dataset
    >>> fusion = Fusion([EASE(), Popularity()], weights=[1.0, 0.1]).fit(toy_dataset(users=24, items=8, length=3))
    >>> fusion.name, fusion.score([np.array([3, 4], dtype=np.int32)]).shape
    ('ease+popularity', (1, 8))
    """

    def __init__(
        self,
        scorers: Sequence[Scorer],
        weights: Sequence[float] | None = None,
        how: How = "z-score",
        *,
        name: str | None = None,
        max_users: int = 20_000,
    ) -> None:
        given = None if weights is None else np.asarray(weights, dtype=np.float64)
        if not scorers:
            raise ConfigError("nothing to fuse", hint="give one scorer at least")
        if given is not None and (given.shape != (len(scorers),) or given.min() < 0 or not given.any()):
            msg = f"{len(scorers)} scorers need as many weights of at least 0, one of them positive, not {weights}"
            raise ConfigError(msg)
        if how not in get_args(How):
            raise ConfigError(f"unknown scale {how!r}", hint=f"one of {', '.join(get_args(How))}")
        self.scorers = list(scorers)
        self.how: How = how
        self.name = name or "+".join(scorer.name for scorer in scorers)
        self.weights = np.ones(len(scorers)) if given is None else given
        self.max_users = max_users
        self.return_log_odds = 0.0
        self._chooses = given is None
        self._validation: EvalSet | None = None
        self._cold: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    # What a fusion serves is known only from its parts, so these are no class variables.
    @property
    def serves_cold_users(self) -> bool:  # type: ignore[override]
        """Whether a part does that has a weight."""
        return any(scorer.serves_cold_users for scorer in self._heard())

    @property
    def serves_cold_items(self) -> bool:  # type: ignore[override]
        """Whether a part does that has a weight."""
        return any(scorer.serves_cold_items for scorer in self._heard())

    def use_validation(self, validation: EvalSet) -> None:
        """Let the next :meth:`fit` choose the weights by these questions, and the parts use them too.

        Parameters
        ----------
        validation
            Of the same split as the training data.
        """
        self._validation = validation
        for scorer in self.scorers:
            scorer.use_validation(validation)

    def fit(self, dataset: Dataset) -> Self:
        """Fit the parts, then choose the weights, and how much likelier items met are, if they were not given.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        for scorer in self.scorers:
            scorer.fit(dataset)
        self.know_items_of(dataset)
        if self._chooses and self._validation is not None:
            self.weights = fit_fusion(self.scorers, self._validation, self.how, max_users=self.max_users).weights
            self.return_log_odds = 0.0  # asked without it
            self.return_log_odds = fit_returns(self, self._validation)
        return self

    def know_items_of(self, dataset: Dataset) -> None:
        """Learn which items nobody met; :meth:`fit` does, for parts that were fitted before there is this."""
        self._cold = np.flatnonzero(np.bincount(dataset.item_indices, minlength=dataset.num_items) == 0)

    def part(self, number: int, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """What one of the parts says, on the common scale.

        Parameters
        ----------
        number
            Which one.
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N).
        """
        scorer = self.scorers[number]
        scaled = on_one_scale(scorer.score(histories), self.how)
        if len(self._cold) and not scorer.serves_cold_items:
            met = np.isfinite(scaled)
            met[:, self._cold] = False
            total = np.where(met, scaled, 0).sum(axis=1, keepdims=True)
            scaled[:, self._cold] = total / np.maximum(met.sum(axis=1, keepdims=True), 1)
        return scaled

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Add up the parts' scores.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N), -inf where a part has -inf.
        """
        first, *rest = np.flatnonzero(self.weights > 0)
        total: NDArray[np.float32] = np.float32(self.weights[first]) * self.part(first, histories)
        for number in rest:
            total += np.float32(self.weights[number]) * self.part(number, histories)
        if self.return_log_odds:
            for row, items in zip(total, histories, strict=True):
                row[np.unique(items)] += np.float32(self.return_log_odds)
        return total

    def _heard(self) -> list[Scorer]:
        return [scorer for scorer, weight in zip(self.scorers, self.weights, strict=True) if weight > 0]


def fit_returns(scorer: Scorer, validation: EvalSet) -> float:
    """Log-odds of the items of the history beside what a scorer says that has not learned whether users come back.

    Parameters
    ----------
    scorer
        Its scores count as logits.
    validation
        Questions that it was not trained on; 200 of them are asked.

    Returns
    -------
    float
        As :func:`~genrec.baselines.sequential.returning.fit_return_log_odds`.

    Examples
    --------
    >>> from genrec.baselines import ItemKNN
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset())  # nobody comes back
    >>> fit_returns(ItemKNN().fit(split.train), split.validation) < 0
    True
    """
    asked = questions_at(validation, sample_rows(len(validation), RETURN_USERS))
    return fit_return_log_odds(on_one_scale(scorer.score(asked.histories), "log-probability"), asked)


def fit_fusion(
    scorers: Sequence[Scorer],
    validation: EvalSet,
    how: How = "z-score",
    *,
    filter_seen: bool = True,
    depth: int = 100,
    max_users: int = 20_000,
    batch_size: int = 128,
    name: str | None = None,
) -> Fusion:
    """Choose the weights of fitted scorers by NDCG@10 on validation questions.

    A coordinate search over a small grid, averaged over resampled questions; each scorer is asked once. What is
    compared are the union of everybody's ``depth`` best items, so that all users of a large catalog fit into memory; a
    target that none of the scorers has there counts as missed.

    Parameters
    ----------
    scorers
        The parts (S), fitted.
    validation
        M questions that the scorers did not learn from.
    how
        The common scale, see :func:`on_one_scale`.
    filter_seen
        Keep the items of the history out, as in the evaluation that is to follow. Default True.
    depth
        Best items of each scorer that are compared. Default 100.
    max_users
        Questions used at most, a fixed sample. Default 20,000.
    batch_size
        Questions asked at once. Default 128.
    name
        Name in reports.

    Returns
    -------
    Fusion
        Ready to score.

    Examples
    --------
    >>> from genrec.baselines import EASE, Popularity
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset())
    >>> fit_fusion([EASE().fit(split.train), Popularity().fit(split.train)], split.validation).weights.tolist()
    [1.0, 0.0]
    """
    rows = sample_rows(len(validation), max_users)
    pools = []
    for some in in_batches("weigh what is fused", len(rows), batch_size):
        batch = rows[some]
        histories = [validation.histories[row] for row in batch]
        parts = [on_one_scale(scorer.score(histories), how) for scorer in scorers]
        targets = [validation.targets[row] for row in batch]
        exclude = [validation.seen[row] for row in batch] if filter_seen else None
        pools.append(Pool.of(parts, targets, depth, exclude=exclude))
    return Fusion(scorers, choose_weights(Pool.concatenated(pools)).tolist(), how, name=name)
