"""A teacher: the items that CF and text scorers expect at every position of the training histories."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import torch

from genrec.baselines.sequential.returning import add_return_odds, fit_return_log_odds
from genrec.baselines.sequential.sasrec import SASRec
from genrec.baselines.trained import fit_allowed
from genrec.errors import ConfigError
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.progress import in_batches
from genrec.training.pooling import QUESTIONS, pool_weights

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from genrec.baselines.base import Scorer
    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet
    from genrec.training.config import TeacherConfig

logger = logging.getLogger(__name__)

POSITIONS = 1024
"""Positions scored at once: 4 N bytes each."""


@dataclass(frozen=True, eq=False)
class TeacherTargets:
    """The likeliest items at each training interaction, given what came before it.

    Parameters
    ----------
    items
        int32 (R, top), R interactions of all histories laid end to end.
    probabilities
        float16 (R, top); the rest of the catalog shares what is missing from 1.
    """

    items: NDArray[np.int32]
    probabilities: NDArray[np.float16]

    def at(self, interactions: Tensor) -> tuple[Tensor, Tensor]:
        """Items int64 (M, top) and their probabilities float32 (M, top), 0 for the interaction -1."""
        rows = interactions.cpu().numpy()
        probabilities = self.probabilities[rows].astype(np.float32)
        probabilities[rows < 0] = 0
        items = torch.from_numpy(self.items[rows].astype(np.int64))
        return items.to(interactions.device), torch.from_numpy(probabilities).to(interactions.device)

    def save(self, folder: Path) -> None:
        """Write two .npy files."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "items.npy", self.items)
        np.save(folder / "probabilities.npy", self.probabilities)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Map what :meth:`save` wrote into memory.

        Raises
        ------
        ConfigError
            If there are no targets in the folder.
        """
        if not (folder / "probabilities.npy").exists():
            raise ConfigError(f"{folder} has no targets of a teacher", hint="name scorers instead of targets")
        items = np.load(folder / "items.npy", mmap_mode="r", allow_pickle=False)
        return cls(items, np.load(folder / "probabilities.npy", mmap_mode="r", allow_pickle=False))


def make_targets(
    config: TeacherConfig, train: Dataset, validation: EvalSet | None, seed: int, folder: Path, *, max_items: int = 50
) -> TeacherTargets:
    """Fit the teacher's scorers and ask them for every position.

    Parameters
    ----------
    config
        Which scorers, and how many items to keep a position.
    train
        Training part of a split.
    validation
        Decides when scorers stop and what each weighs.
    seed
        Of the scorers.
    folder
        Gets the targets, ``weights.json``, and scorers that were trained.
    max_items
        Longest history that the student reads, for ``met: auto``. Default 50.

    Raises
    ------
    ConfigError
        If there is no validation, a folder of targets is named that are of other interactions, or what users met
        cannot be kept.
    """
    if config.targets is not None:
        targets = TeacherTargets.load(config.targets)
        if len(targets.items) != len(train.histories.items):
            message = (
                f"{config.targets}: targets of {len(targets.items)} interactions, not {len(train.histories.items)}"
            )
            raise ConfigError(message, hint="make them from the training part of the same split")
        return targets
    if validation is None:
        raise ConfigError("a teacher needs validation users", hint="set training.validation_users, or another split")
    keep_met = _keeps_met(config, train.histories.lengths, max_items)
    fitted = fit_allowed(config.scorers, train, validation, seed, folder)
    if not fitted:
        raise ConfigError("these data allow none of the teacher's scorers", hint="set training.teacher=null")
    scorers = list(fitted.values())
    weights, return_log_odds = pool(scorers, questions_at(validation, sample_rows(len(validation), QUESTIONS)))
    logger.info("teacher: %s", ", ".join(f"{s.name} weighs {w:.3f}" for s, w in zip(scorers, weights, strict=True)))
    logger.info("teacher: asked what it expects at %d positions", len(train.histories.items))
    targets = teach(scorers, weights, train, config.top, return_log_odds=return_log_odds, keep_met=keep_met)
    targets.save(folder)
    named = dict(zip(fitted, weights.tolist(), strict=True))
    (folder / "weights.json").write_text(json.dumps(named) + "\n", encoding="utf-8")
    return targets


def _keeps_met(config: TeacherConfig, lengths: NDArray[np.int64], max_items: int) -> bool:
    """Whether the targets keep what users met before.

    A student that reads a part of a history cannot tell whether it is the whole, so all users are treated alike.
    """
    longer = lengths[lengths > max_items].sum() / max(lengths.sum(), 1)
    keeps = config.met == "keep" or (config.met == "auto" and longer > 0.5)
    if config.met == "auto":
        message = "teacher: %.0f%% of the interactions are of users with more than %d, so items met before are %s"
        logger.info(message, 100 * longer, max_items, "kept" if keeps else "left out")
    if keeps and "sasrec" not in config.scorers:
        message = "a teacher keeps items met before as likely as sasrec has them, and sasrec is none of its scorers"
        raise ConfigError(
            message, hint="add sasrec to training.teacher.scorers, or --set training.teacher.met=leave-out"
        )
    return keeps


def pool(scorers: Sequence[Scorer], questions: EvalSet) -> tuple[NDArray[np.float64], float]:
    """Fit a log-linear pool of fitted scorers.

    Parameters
    ----------
    scorers
        S scorers.
    questions
        Whose targets the pool shall make as likely as can be.

    Returns
    -------
    NDArray
        float64 (S,), weights of the scores.
    float
        Log-odds of the items of a history, beside what the pooled scores say: how users come back to an item.
    """
    scores = [finite(scorer.score(questions.histories)) for scorer in scorers]
    weights = pool_weights(scores, questions.targets)
    pooled = torch.as_tensor(sum(np.float32(w) * part for w, part in zip(weights, scores, strict=True)))
    return weights, fit_return_log_odds(torch.log_softmax(pooled, dim=1).numpy(), questions)


def teach(
    scorers: Sequence[Scorer],
    weights: NDArray[np.float64],
    train: Dataset,
    top: int = 64,
    *,
    return_log_odds: float = 0.0,
    keep_met: bool = False,
) -> TeacherTargets:
    """Ask fitted scorers for the likeliest items at every position of the training histories.

    Parameters
    ----------
    scorers
        S fitted scorers.
    weights
        float64 (S,), of their scores in a log-linear pool.
    train
        The histories, R interactions in all.
    top
        Items to keep a position. Default 64.
    return_log_odds
        Added to the pooled log-probabilities of items that came before in the history. Default 0.
    keep_met
        Instead, let items that came before keep the probability that SASRec's network gives them, and the pool divide
        the rest. Default False.

    Raises
    ------
    ValueError
        If ``keep_met`` and SASRec is none of the scorers.
    """
    histories = train.histories
    top = min(top, train.num_items)
    reader = next((scorer for scorer in scorers if isinstance(scorer, SASRec)), None) if keep_met else None
    if keep_met and reader is None:
        raise ValueError("keep_met: sasrec is none of the scorers")
    items = np.empty((len(histories.items), top), dtype=np.int32)
    probabilities = np.empty((len(histories.items), top), dtype=np.float16)
    batches = _batches(histories.lengths)
    for step in in_batches("teacher", len(batches), 1):
        users = batches[step.start]
        batch = [histories[user] for user in users]
        before = [items[:end] for items in batch for end in range(len(items))]
        pooled = np.zeros((len(before), train.num_items), dtype=np.float32)
        for scorer, weight in zip(scorers, weights, strict=True):
            if weight > 0:
                pooled += np.float32(weight) * _position_scores(scorer, batch)
        if reader is None:
            logprobs = torch.log_softmax(torch.from_numpy(pooled), dim=1).numpy()
            expected = torch.from_numpy(add_return_odds(logprobs, before, return_log_odds))
        else:
            expected = _keeping_met(reader.position_scores(batch, returns=False)[1], pooled, before)
        likely = expected.topk(top, dim=1)
        rows = np.concatenate([np.arange(histories.indptr[user], histories.indptr[user + 1]) for user in users])
        items[rows] = likely.indices.numpy()
        probabilities[rows] = likely.values.exp().numpy()
    return TeacherTargets(items, probabilities)


def _keeping_met(
    reader: NDArray[np.float32], pooled: NDArray[np.float32], before: Sequence[NDArray[np.int32]]
) -> Tensor:
    """Log-probabilities (R, N): those of a reader for items that came before, and of the pool's scores for others."""
    met = np.zeros(pooled.shape, dtype=np.bool_)
    for row, items in zip(met, before, strict=True):
        row[items] = True
    seen, own = torch.from_numpy(met), torch.from_numpy(reader)
    left = torch.log1p(-(own.exp() * seen).sum(1, keepdim=True).clamp(max=1 - 1e-6))
    others = torch.log_softmax(torch.from_numpy(pooled).masked_fill(seen, -torch.inf), dim=1)
    return torch.where(seen, own, others + left)


def _position_scores(scorer: Scorer, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
    """Scores (R, N) at each item of the histories, given the items before it."""
    if isinstance(scorer, SASRec):
        return scorer.position_scores(histories)[1]
    return finite(scorer.score([items[:end] for items in histories for end in range(len(items))]))


def finite(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores (R, N) without -inf: what cannot be recommended scores as the worst that can."""
    lowest = np.where(np.isfinite(scores), scores, np.inf).min(axis=1, keepdims=True)
    return np.where(np.isfinite(scores), scores, np.where(np.isfinite(lowest), lowest, 0)).astype(np.float32)


def _batches(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Users in batches of about as many positions as are scored at once."""
    users = np.flatnonzero(lengths > 0)
    return np.split(users, np.flatnonzero(np.diff(np.cumsum(lengths[users]) // POSITIONS)) + 1)
