"""SASRec: a causal Transformer that predicts each next item of a history."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch

from genrec.baselines.position_targets import PositionTargets, TargetKind, targets_for
from genrec.baselines.sequential.base import SCORING_BATCH, SequentialScorer
from genrec.baselines.sequential.batching import Streams, Windows, bucketed, padded
from genrec.baselines.sequential.losses import full_softmax, sampled_softmax
from genrec.baselines.sequential.network import Architecture
from genrec.baselines.sequential.returning import add_return_odds
from genrec.baselines.sequential.trainer import TrainingSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from genrec.data.dataset import Dataset

# From so many items on, the full softmax takes half an hour an epoch on a million interactions and one core.
LARGE = 200_000


class SASRec(SequentialScorer):
    r"""Scores items by a causal Transformer over the history: what comes next?

    The model of [1]_ with the training that later work found to matter: every position is supervised, by a softmax
    over the whole catalog [2]_ or, for catalogs too large for that, over shared uniform negatives. Vectors of items
    are the same at input and output. A begin token stands before each history, so that the first item is predicted,
    too, and a user without history is served.

    Parameters
    ----------
    width
        Width of vectors and states (D). Default 64.
    layers, heads
        Of the Transformer. Default 1 and 2.
    max_length
        Positions that the model sees, from the end of the history. Default 50.
    dropout
        Default 0.3.
    label_smoothing
        Share of each target spread evenly over all items. Default 0.1.
    negatives
        Items to sample as negatives for each batch. Default None: the full softmax.
    learning_rate, weight_decay
        Of AdamW. Default 5e-3 and 0.01.
    batch_positions
        Positions in a batch. Default 1024.
    epochs
        Passes over the data; with :meth:`use_validation` at most so many. Default 30.
    patience
        Epochs without a better validation figure after which to stop. Default 5.
    seed
        Of weights, dropout, batches, targets and negatives. Default 0.
    targets
        What positions are trained to predict: the ``"next-item"``, or, drawn anew each epoch, any item of the
        ``"next-basket"``. Default ``"auto"``: what the questions of :meth:`use_validation` ask for.
    half_life
        Age at which an interaction is a target half as often, as a share of the time that the data span. Default None:
        0.1 where the questions of :meth:`use_validation` come after all that is trained on, else age does not matter.

    References
    ----------
    .. [1] Kang, McAuley, "Self-attentive sequential recommendation", ICDM 2018.
    .. [2] Klenitskiy, Vasilev, "Turning dross into gold loss: is BERT4Rec really better than SASRec?", RecSys 2023.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = SASRec(width=16, dropout=0.0, epochs=30, learning_rate=0.01).fit(toy_dataset(items=8, length=4))
    >>> scorer.recommend([np.array([3, 4], dtype=np.int32)], k=1).items.tolist()
    [[5]]
    """

    name = "sasrec"
    causal: ClassVar[bool] = True

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 1,
        heads: int = 2,
        max_length: int = 50,
        dropout: float = 0.3,
        label_smoothing: float = 0.1,
        negatives: int | None = None,
        learning_rate: float = 5e-3,
        weight_decay: float = 0.01,
        batch_positions: int = 1024,
        epochs: int = 30,
        patience: int = 5,
        seed: int = 0,
        targets: TargetKind = "auto",
        half_life: float | None = None,
    ) -> None:
        super().__init__(
            Architecture(width, layers, heads, max_length, dropout),
            TrainingSettings(epochs, patience, learning_rate, weight_decay, label_smoothing, batch_positions, seed),
        )
        self.negatives = negatives
        self.targets: TargetKind = targets
        self.half_life = half_life
        self._targets: PositionTargets | None = None
        self.name = type(self).name if negatives is None else f"{type(self).name}-sampled"

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
        if self.negatives is None and dataset.num_items > LARGE:
            warnings.warn(
                f"the full softmax over {dataset.num_items} items is slow: SASRec(negatives=4096) samples it",
                stacklevel=2,
            )
        asked = self._validation
        self._targets = targets_for(
            dataset,
            self.targets,
            self.half_life,
            whole_baskets=asked is not None and asked.whole_baskets,
            in_future=asked is not None and asked.in_future,
        )
        super().fit(dataset)
        self._targets = None
        return self

    @torch.inference_mode()
    def position_scores(
        self, histories: Sequence[NDArray[np.int32]], *, returns: bool = True
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Give, for every item of every history, what was to be expected there, given the items before it.

        Row r belongs to item r of the histories end to end, so ``np.concatenate(histories)`` are the right answers.
        Takes 4 N bytes an item: ask for a batch at a time.

        Parameters
        ----------
        histories
            B arrays int32 (T,), R items in all. Beyond `max_length`, each position sees at least half of that.
        returns
            Add the log-odds of returns, as :meth:`score` does. Default True.

        Returns
        -------
        NDArray
            int64 (R,), which history each row belongs to.
        NDArray
            float32 (R, N), log-probabilities.

        Examples
        --------
        >>> from genrec.testing import toy_dataset
        >>> scorer = SASRec(width=8, epochs=1).fit(toy_dataset(items=8, length=4))
        >>> rows, scores = scorer.position_scores([np.array([3, 4, 5]), np.array([2])])
        >>> rows.tolist(), scores.shape
        ([0, 0, 0, 1], (4, 8))
        """
        streams = self._inputs([items for items in histories if len(items)])
        windows, skip = Windows.overlapping(streams, self.size.max_length)
        states = torch.empty(len(streams.tokens), self.size.width)
        for first in range(0, len(windows), SCORING_BATCH):
            part = windows[first : first + SCORING_BATCH]
            tokens, real = padded(streams, part, self._network.num_items)
            wanted = real & (
                torch.arange(tokens.shape[1]) >= torch.from_numpy(skip[first : first + SCORING_BATCH, None])
            )
            row, column = wanted.nonzero(as_tuple=True)
            states[torch.from_numpy(part.start)[row] + column] = self._network(tokens, real)[wanted]
        rows = np.repeat(np.arange(len(histories)), [len(items) for items in histories])
        scores = torch.log_softmax(self._network.scores(states), 1).numpy()
        if not returns:
            return rows, scores
        before = [items[:end] for items in histories for end in range(len(items))]
        return rows, add_return_odds(scores, before, self._network.return_log_odds.item())

    def _settings(self) -> dict[str, object]:
        return {"negatives": self.negatives, "targets": self.targets, "half_life": self.half_life}

    def _inputs(self, histories: Sequence[NDArray[np.int32]]) -> Streams:
        """Streams as long as the histories: begin, and all items but the last."""
        return Streams.of([items[:-1] for items in histories], begin=[self._network.num_items])

    def _losses(self, histories: list[NDArray[np.int32]], rng: np.random.Generator) -> Iterator[Tensor]:
        assert self._targets is not None  # says fit
        network, smoothing = self._network, self.training.label_smoothing
        streams = self._inputs(histories)
        drawn = self._targets.draw(rng)
        answers = torch.from_numpy(np.where(drawn < 0, -1, np.concatenate(histories)[drawn])).long()
        windows = Windows.tiling(streams, self.size.max_length, rng)
        so_far = np.append(0, np.cumsum(drawn >= 0))
        windows = windows[so_far[windows.start + windows.length] > so_far[windows.start]]  # something to predict
        for batch in bucketed(windows, self.training.batch_positions, rng):
            tokens, real = padded(streams, batch, network.num_items)
            row, column = real.nonzero(as_tuple=True)
            targets = answers[torch.from_numpy(batch.start)[row] + column]
            row, column, targets = row[targets >= 0], column[targets >= 0], targets[targets >= 0]
            states = network(tokens, real)[row, column]
            if self.negatives is None or self.negatives >= network.num_items:
                yield full_softmax(states, network.item_vectors, network.bias, targets, smoothing)
            else:
                sample = torch.randperm(network.num_items)[: self.negatives]
                yield sampled_softmax(states, network.item_vectors, network.bias, targets, sample, smoothing)

    def _next_states(self, histories: Sequence[NDArray[np.int32]]) -> Tensor:
        streams = Streams.of(histories, begin=[self._network.num_items])
        windows = Windows.last(streams, self.size.max_length)
        tokens, real = padded(streams, windows, self._network.num_items)
        states: Tensor = self._network(tokens, real)[torch.arange(len(tokens)), torch.from_numpy(windows.length) - 1]
        return states
