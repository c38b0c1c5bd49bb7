"""Training examples: windows of histories, and requests with their answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from genrec.data.streaming import stream_histories
from genrec.training.sampling import HistorySampler, expected_windows, windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.baselines.position_targets import PositionTargets
    from genrec.data.dataset import Dataset
    from genrec.prompt.builder import PromptBuilder
    from genrec.prompt.requests import RequestExamples
    from genrec.training.config import ExamplesConfig


@dataclass(frozen=True, eq=False)
class TrainingExample:
    """One sequence and which of its tokens are targets.

    Parameters
    ----------
    tokens
        int64 (T,).
    nodes
        int32 (T,): trie node after each item token, -1 for text.
    supervised
        bool (T,): tokens whose prediction is trained.
    weights
        float32 (T,): what the prediction of each token counts for. None: 1.
    interactions
        int64 (T,): which of the training interactions, all histories laid end to end, a token's item comes from;
        -1 where there is none. None: -1 everywhere.
    answers
        int32 (T,): trie node that is to be predicted at each token. None: the token's own, ``nodes``.
    """

    tokens: NDArray[np.int64]
    nodes: NDArray[np.int32]
    supervised: NDArray[np.bool_]
    weights: NDArray[np.float32] | None = None
    interactions: NDArray[np.int64] | None = None
    answers: NDArray[np.int32] | None = None

    def __len__(self) -> int:
        return len(self.tokens)


class ExampleSource(Protocol):
    """Gives the examples of an epoch; the same ones for the same seed and epoch."""

    @property
    def next_basket(self) -> bool:
        """Whether items of next baskets are predicted, rather than next items."""

    @property
    def examples_per_epoch(self) -> int:
        """About how many examples an epoch has; the learning-rate schedule is laid out over them."""

    def epoch(self, seed: int, epoch: int) -> Iterator[TrainingExample]:
        """Yield the examples of an epoch in training order."""


class InMemoryExamples:
    """All histories of a data set, cut into windows anew each epoch, and fresh requests.

    Parameters
    ----------
    train
        Training part of a split.
    builder
        Writes the token sequences.
    max_items
        Longest window, in items.
    requests
        Source of requests in plain words; None: no requests.
    requests_per_user
        How many of them an epoch, for each user with a history.
    config
        How histories are sampled and changed. Default: each once an epoch, as it is.
    targets
        Draws what each position is to predict. Default: the item that stands there.
    """

    def __init__(
        self,
        train: Dataset,
        builder: PromptBuilder,
        max_items: int,
        requests: RequestExamples | None = None,
        requests_per_user: float = 0.0,
        config: ExamplesConfig | None = None,
        targets: PositionTargets | None = None,
    ) -> None:
        self._targets = targets
        self._items = train.histories.items
        self._builder = builder
        self._requests = requests
        self._sampler = HistorySampler(train.histories, train.num_items, max_items, config)
        num_users = int((train.histories.lengths > 0).sum())
        self._num_requests = round(requests_per_user * num_users) if requests else 0
        self._num_windows = round(self._sampler.windows_per_epoch * self._share_with_targets(np.random.default_rng(0)))

    @property
    def next_basket(self) -> bool:
        """Whether items of next baskets are predicted."""
        return self._targets is not None and self._targets.next_basket

    @property
    def examples_per_epoch(self) -> int:
        """Windows, on average, and requests of one epoch."""
        return self._num_windows + self._num_requests

    def _share_with_targets(self, rng: np.random.Generator) -> float:
        """Share of the windows in which anything is to be predicted; the others are not read."""
        if self._targets is None:
            return 1.0
        drawn, target = self._sampler.draw(rng), self._targets.draw(rng)
        there = [bool((target[window.start : window.end] >= 0).any()) for window in drawn]
        return float(np.mean(there)) if there else 1.0

    def epoch(self, seed: int, epoch: int) -> Iterator[TrainingExample]:
        """Yield the epoch's examples in random order."""
        rng = np.random.default_rng([seed, epoch])
        drawn = self._sampler.draw(rng)
        target = None if self._targets is None else self._targets.draw(rng)
        for index in rng.permutation(len(drawn) + self._num_requests):
            if index < len(drawn):
                interactions, weights = self._sampler.targets(drawn[index], rng, target)
                if target is not None and (target[interactions] < 0).all():
                    continue
                answers = self._items[target[interactions]] if target is not None and self.next_basket else None
                yield history_example(self._builder, self._items[interactions], weights, interactions, answers)
            else:
                yield self._request(rng)

    def _request(self, rng: np.random.Generator) -> TrainingExample:
        assert self._requests is not None  # there are requests only if there is a source
        example = self._requests.sample(rng)
        sequence, supervised = self._builder.build_training(example.history, example.targets, example.text)
        return TrainingExample(sequence.tokens, sequence.nodes, supervised)


class StreamedExamples:
    """Histories read from a data set folder as they are needed, shuffled within a buffer.

    Parameters
    ----------
    folder
        Data set folder that :func:`~genrec.data.streaming.sort_by_user` wrote.
    builder
        Writes the token sequences.
    max_items
        Longest window, in items.
    lengths
        Length of each user's whole history, int64 (U,).
    held_out
        Interactions at the end of each longer history that are not trained on. Default 2 (leave-last-out).
    buffer
        Histories held in memory for shuffling. Default 10,000.

    Raises
    ------
    DataError
        If the folder is not sorted by user.
    """

    def __init__(
        self,
        folder: Path,
        builder: PromptBuilder,
        max_items: int,
        lengths: NDArray[np.int64],
        *,
        held_out: int = 2,
        buffer: int = 10_000,
    ) -> None:
        self._stream = stream_histories(folder)
        self._builder = builder
        self._max_items = max_items
        self._held_out = held_out
        self._buffer = buffer
        trained = np.where(lengths > held_out, lengths - held_out, lengths)
        self._num_windows = round(expected_windows(trained, max_items))

    @property
    def next_basket(self) -> bool:
        """No: which items make a basket takes the whole history."""
        return False

    @property
    def examples_per_epoch(self) -> int:
        """Windows of one epoch, on average."""
        return self._num_windows

    def epoch(self, seed: int, epoch: int) -> Iterator[TrainingExample]:
        """Yield the epoch's examples, shuffled within the buffer."""
        rng = np.random.default_rng([seed, epoch])
        for row in self._stream.shuffle(seed=int(rng.integers(2**31)), buffer_size=self._buffer):
            items = np.asarray(row["items"], dtype=np.int32)
            items = items[: len(items) - self._held_out] if len(items) > self._held_out else items
            offset = int(rng.integers(1, self._max_items + 1))
            for start, end in windows(len(items), self._max_items, offset):
                yield history_example(self._builder, items[start:end])


def history_example(
    builder: PromptBuilder,
    items: NDArray[np.int32],
    weights: NDArray[np.float32] | None = None,
    interactions: NDArray[np.int64] | None = None,
    answers: NDArray[np.int32] | None = None,
) -> TrainingExample:
    """A window of a history, every item of which is a target.

    Parameters
    ----------
    builder
        Writes the tokens; of a window that is too long, it leaves out the oldest items.
    items
        int32 (n,).
    weights
        float32 (n,): what each item counts for; those of weight 0 are no targets. Default: all count 1.
    interactions
        int64 (n,): which training interaction each item comes from. Default: unknown.
    answers
        int32 (n,): items that are to be predicted in the places of these, where all items take one token. Default:
        these.
    """
    sequence, is_item = builder.build_history(items)
    token_of = np.repeat(np.arange(len(items)), builder.vocabulary.lengths[items])[-int(is_item.sum()) :]
    of_token: NDArray[np.int64] | None = None
    if interactions is not None:
        of_token = np.full(len(sequence), -1, dtype=np.int64)
        of_token[is_item] = interactions[token_of]
    nodes: NDArray[np.int32] | None = None
    if answers is not None:
        nodes = np.full(len(sequence), -1, dtype=np.int32)
        nodes[is_item] = builder.vocabulary.nodes[answers[token_of], 0]
    if weights is None:
        return TrainingExample(sequence.tokens, sequence.nodes, is_item, None, of_token, nodes)
    counts_for = np.zeros(len(sequence), dtype=np.float32)
    counts_for[is_item] = weights[token_of]
    return TrainingExample(sequence.tokens, sequence.nodes, is_item & (counts_for > 0), counts_for, of_token, nodes)
