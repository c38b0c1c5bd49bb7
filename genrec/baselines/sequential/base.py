"""What the sequential scorers share: training with early stopping, scoring in batches, saving."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch

from genrec.baselines.base import Scorer
from genrec.baselines.sequential.network import Architecture, ItemTransformer
from genrec.baselines.sequential.returning import add_return_odds, fit_return_log_odds
from genrec.baselines.sequential.saving import read_saved, save_network
from genrec.baselines.sequential.trainer import TrainingSettings, train
from genrec.evaluation.metrics import ndcg
from genrec.evaluation.sample import questions_at, sample_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet

# Histories scored at once: few enough for their logits to stay in the cache.
SCORING_BATCH = 256
VALIDATION_CUT = 10
VALIDATION_USERS = 5000
"""Questions that are asked after each epoch, at most: the standard error of their NDCG is a few thousandths."""


def some_of(validation: EvalSet) -> EvalSet:
    """A fixed sample of the questions."""
    return questions_at(validation, sample_rows(len(validation), VALIDATION_USERS))


class SequentialScorer(Scorer):
    """A Transformer over item IDs, trained on histories.

    Parameters
    ----------
    size
        Of the Transformer.
    training
        How to train it.
    """

    serves_cold_users: ClassVar[bool] = True
    serves_cold_items: ClassVar[bool] = False
    causal: ClassVar[bool]

    def __init__(self, size: Architecture, training: TrainingSettings) -> None:
        self.size = size
        self.training = training
        self._validation: EvalSet | None = None
        self._network = self._new_network(0)

    @property
    def num_items(self) -> int:
        """Items that it was trained on (N)."""
        return self._network.num_items

    def use_validation(self, validation: EvalSet) -> None:
        """Let the next :meth:`fit` stop where NDCG@10 of these questions, seen items filtered, is best.

        They also tell how often users come back to an item of their history, which training on single positions
        hardly learns.

        Parameters
        ----------
        validation
            Of the same split as the training data.
        """
        self._validation = validation

    def fit(self, dataset: Dataset) -> Self:
        """Train on the histories of a data set.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        histories = [dataset.histories[user] for user in np.flatnonzero(dataset.histories.lengths)]
        self._network = self._new_network(dataset.num_items)
        # The caller's random numbers go on as if nothing had been drawn.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            validate = None if self._validation is None else partial(self._ndcg, some_of(self._validation))
            train(self.name, self._network, partial(self._losses, histories), self.training, validate)
        if self._validation is not None:
            asked = some_of(self._validation)
            log_odds = fit_return_log_odds(self.score(asked.histories), asked)
            self._network.return_log_odds.fill_(log_odds)
        return self

    @torch.inference_mode()
    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Give the log-probability of each item to come next.

        Parameters
        ----------
        histories
            B arrays int32 (T,), of which the last items count, up to `max_length` positions.

        Returns
        -------
        NDArray
            float32 (B, N).
        """
        scores = np.empty((len(histories), self._network.num_items), dtype=np.float32)
        for first in range(0, len(histories), SCORING_BATCH):
            batch = slice(first, first + SCORING_BATCH)
            logits = self._network.scores(self._next_states(histories[batch]))
            scores[batch] = torch.log_softmax(logits, 1).numpy()
        return add_return_odds(scores, histories, self._network.return_log_odds.item())

    def save(self, folder: Path) -> None:
        """Write settings and weights.

        Parameters
        ----------
        folder
            Made if it is not there; holds ``sequential.json`` and ``sequential.safetensors`` afterwards.
        """
        settings = asdict(self.size) | asdict(self.training) | self._settings()
        save_network(folder, self._network, kind=type(self).name, settings=settings)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Parameters
        ----------
        folder
            Of a model of this class.

        Returns
        -------
        Self
            Fitted, with the same settings.

        Raises
        ------
        ModelError
            No such model there, or one written by a newer genrec.
        """
        saved = read_saved(folder, kind=cls.name)
        scorer = cls(**saved.settings)
        scorer._network = scorer._new_network(saved.num_items)
        scorer._network.load_state_dict(saved.weights)
        return scorer

    @abstractmethod
    def _settings(self) -> dict[str, object]:
        """Keywords of the constructor beyond those of :class:`Architecture` and :class:`TrainingSettings`."""

    @abstractmethod
    def _losses(self, histories: list[NDArray[np.int32]], rng: np.random.Generator) -> Iterator[Tensor]:
        """Losses of the batches of one epoch; no history is empty."""

    @abstractmethod
    def _next_states(self, histories: Sequence[NDArray[np.int32]]) -> Tensor:
        """States (B, D) that predict the item after each history."""

    def _new_network(self, num_items: int) -> ItemTransformer:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            return ItemTransformer(num_items, self.size, causal=self.causal).eval()

    @torch.inference_mode()
    def _ndcg(self, questions: EvalSet) -> float:
        """Mean NDCG@10 with seen items filtered, as the benchmark measures it but for ties."""
        best = []
        for first in range(0, len(questions), SCORING_BATCH):
            histories = questions.histories[first : first + SCORING_BATCH]
            logits = self._network.scores(self._next_states(histories))
            rows = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
            logits[torch.from_numpy(rows), torch.from_numpy(np.concatenate(histories)).long()] = -torch.inf
            best.append(logits.topk(min(VALIDATION_CUT, logits.shape[1])).indices.numpy())
        return float(ndcg(np.concatenate(best).astype(np.int32), questions.targets, VALIDATION_CUT).mean())
