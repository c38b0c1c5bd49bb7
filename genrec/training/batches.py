"""Batches of similar length, so that little of the work is padding."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from genrec.training.examples import TrainingExample

CHUNK_BATCHES = 64
"""Batches' worth of examples that are sorted by length together."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Right-padded sequences.

    Parameters
    ----------
    tokens, nodes
        int64 (B, T); node -1 at text and padding.
    supervised, mask
        bool (B, T): targets; real tokens.
    weights
        float32 (B, T): what each target counts for.
    interactions
        int64 (B, T): the training interaction that each token's item comes from, -1 where there is none.
    answers
        int64 (B, T): the node that is to be predicted at each token.
    """

    tokens: Tensor
    nodes: Tensor
    supervised: Tensor
    mask: Tensor
    weights: Tensor
    interactions: Tensor
    answers: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        return Batch(
            self.tokens.to(device),
            self.nodes.to(device),
            self.supervised.to(device),
            self.mask.to(device),
            self.weights.to(device),
            self.interactions.to(device),
            self.answers.to(device),
        )

    @property
    def num_examples(self) -> int:
        """Sequences (B)."""
        return len(self.tokens)

    @property
    def num_tokens(self) -> int:
        """Real tokens."""
        return int(self.mask.sum())

    @property
    def num_targets(self) -> int:
        """Supervised tokens; the first of a sequence has nothing it could be predicted from."""
        return int(self.supervised[:, 1:].sum())


def collate(examples: Sequence[TrainingExample]) -> Batch:
    """Pad examples on the right to the longest of them."""
    shape = (len(examples), max(len(example) for example in examples))
    tokens = np.zeros(shape, dtype=np.int64)
    nodes = np.full(shape, -1, dtype=np.int64)
    supervised, mask = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    weights, interactions = np.ones(shape, dtype=np.float32), np.full(shape, -1, dtype=np.int64)
    answers = np.full(shape, -1, dtype=np.int64)
    for row, example in enumerate(examples):
        length = len(example)
        tokens[row, :length] = example.tokens
        nodes[row, :length] = example.nodes
        supervised[row, :length] = example.supervised
        mask[row, :length] = True
        answers[row, :length] = example.nodes if example.answers is None else example.answers
        if example.weights is not None:
            weights[row, :length] = example.weights
        if example.interactions is not None:
            interactions[row, :length] = example.interactions
    arrays = (tokens, nodes, supervised, mask, weights, interactions, answers)
    return Batch(*(torch.from_numpy(array) for array in arrays))


def bucket(examples: Iterable[TrainingExample], tokens_per_batch: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Group examples of similar length into batches of at most ``tokens_per_batch`` padded tokens.

    A chunk of examples is read, sorted by length and cut; its batches are yielded in random order, so a
    stream of any length can be batched and nothing but the chunk is held in memory.

    Parameters
    ----------
    examples
        In training order.
    tokens_per_batch
        Budget of a batch, padding included; a single longer example makes a batch of its own.
    rng
        Orders the batches of a chunk.

    Yields
    ------
    Batch
    """
    stream = iter(examples)
    while chunk := list(_take(stream, tokens_per_batch * CHUNK_BATCHES)):
        chunk.sort(key=len)
        batches: list[list[TrainingExample]] = [[]]
        for example in chunk:
            if batches[-1] and (len(batches[-1]) + 1) * len(example) > tokens_per_batch:
                batches.append([])
            batches[-1].append(example)
        for index in rng.permutation(len(batches)):
            yield collate(batches[index])


def _take(stream: Iterator[TrainingExample], tokens: int) -> Iterator[TrainingExample]:
    """Examples off the stream until they hold ``tokens`` tokens."""
    taken = 0
    while taken < tokens:
        example = next(stream, None)
        if example is None:
            return
        taken += len(example)
        yield example


def grouped(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Consecutive batches that make one optimizer step together; the last group may be smaller."""
    stream = iter(batches)
    while group := list(islice(stream, size)):
        yield group
