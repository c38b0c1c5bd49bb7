"""Training examples: windows of histories, and requests with their answers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

import numpy as np

from genrec.data.streaming import stream_histories

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.prompt.builder import PromptBuilder
    from genrec.prompt.requests import RequestExamples


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
    """

    tokens: NDArray[np.int64]
    nodes: NDArray[np.int32]
    supervised: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.tokens)


class ExampleSource(Protocol):
    """Gives the examples of an epoch; the same ones for the same seed and epoch."""

    @property
    def examples_per_epoch(self) -> int:
        """About how many examples an epoch has; the learning-rate schedule is laid out over them."""

    def epoch(self, seed: int, epoch: int) -> Iterator[TrainingExample]:
        """Yield the examples of an epoch in training order."""


def windows(length: int, size: int, offset: int) -> list[tuple[int, int]]:
    """Cut ``length`` positions into windows of at most ``size``, the first of which ends at ``offset``.

    Parameters
    ----------
    length
        Length of a history.
    size
        Longest window.
    offset
        1 .. size; a random one makes the cuts fall elsewhere in every epoch.

    Returns
    -------
    list of (start, end)
        They cover every position once. A window of a single item trains too: the first item of a sequence is
        a target like the others.

    Examples
    --------
    >>> windows(7, 3, 2)
    [(0, 2), (2, 5), (5, 7)]
    """
    if length <= size:
        return [(0, length)]
    cuts = [0, *range(offset, length, size), length]
    return list(pairwise(cuts))


def expected_windows(lengths: NDArray[np.int64], size: int) -> float:
    """Windows of histories of these lengths, (U,), on average over ``offset`` from 1 to ``size``.

    Examples
    --------
    >>> float(expected_windows(np.array([7]), size=3)), float(np.mean([len(windows(7, 3, o)) for o in (1, 2, 3)]))
    (3.0, 3.0)
    """
    # The mean over o of ceil((length - o) / size) is (length - 1) / size.
    many = 1 + (lengths - 1) / size
    return float(np.where(lengths > size, many, lengths > 0).sum())


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
    """

    def __init__(
        self,
        train: Dataset,
        builder: PromptBuilder,
        max_items: int,
        requests: RequestExamples | None = None,
        requests_per_user: float = 0.0,
    ) -> None:
        self._histories = train.histories
        self._builder = builder
        self._max_items = max_items
        self._requests = requests
        lengths = train.histories.lengths
        self._users = np.flatnonzero(lengths > 0)
        self._num_requests = round(requests_per_user * len(self._users)) if requests else 0
        self._num_windows = round(expected_windows(lengths, max_items))

    @property
    def examples_per_epoch(self) -> int:
        """Windows, on average, and requests of one epoch."""
        return self._num_windows + self._num_requests

    def epoch(self, seed: int, epoch: int) -> Iterator[TrainingExample]:
        """Yield the epoch's examples in random order."""
        rng = np.random.default_rng([seed, epoch])
        spans: list[tuple[int, int, int]] = []
        for user in self._users:
            length = int(self._histories.lengths[user])
            offset = int(rng.integers(1, self._max_items + 1))
            spans += [(int(user), start, end) for start, end in windows(length, self._max_items, offset)]
        for index in rng.permutation(len(spans) + self._num_requests):
            if index < len(spans):
                user, start, end = spans[index]
                yield history_example(self._builder, self._histories[user][start:end])
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


def history_example(builder: PromptBuilder, items: NDArray[np.int32]) -> TrainingExample:
    """A window of a history, every item of which is a target."""
    sequence, supervised = builder.build_history(items)
    return TrainingExample(sequence.tokens, sequence.nodes, supervised)
