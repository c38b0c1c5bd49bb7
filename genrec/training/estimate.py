"""What a run will take, before it starts: tokens, memory, time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import psutil
import torch

from genrec.errors import ResourceError
from genrec.model.base import text_table
from genrec.training.batches import bucket

if TYPE_CHECKING:
    from genrec.model.generator import Generator
    from genrec.training.config import TrainingConfig
    from genrec.training.examples import ExampleSource

SAMPLE = 2000
"""Examples looked at to estimate lengths."""
ACTIVATIONS_PER_LAYER = 40
"""Floats a layer keeps for the backward pass, in widths of the hidden state, a token."""
EFFICIENCY = 0.6
"""Share of a large matrix product's speed that training reaches."""


@dataclass(frozen=True)
class Estimate:
    """An estimate of a run.

    Parameters
    ----------
    tokens
        Real tokens over all epochs.
    padding
        Share of padding in the batches.
    parameters, trainable
        Numbers of the model, and those that train.
    memory_bytes
        Peak of weights, gradients, optimizer state and activations.
    available_bytes
        Memory that is free on the device.
    seconds
        Time of the training steps, without validation.
    """

    tokens: int
    padding: float
    parameters: int
    trainable: int
    memory_bytes: int
    available_bytes: int
    seconds: float

    def check(self) -> None:
        """Refuse a run that cannot fit.

        Raises
        ------
        ResourceError
            If the memory estimate exceeds what is free.
        """
        if self.memory_bytes > self.available_bytes:
            need, have = self.memory_bytes / 2**30, self.available_bytes / 2**30
            hint = "lower training.tokens_per_batch (and raise training.accumulate), or use a smaller base model"
            raise ResourceError(f"the run needs about {need:.1f} GiB of memory and {have:.1f} GiB are free", hint=hint)

    def __str__(self) -> str:
        return (
            f"{self.tokens:,} tokens ({self.padding:.0%} padding), {self.trainable:,} of {self.parameters:,} "
            f"parameters train, about {self.memory_bytes / 2**30:.1f} GiB of memory, about {duration(self.seconds)}"
        )


def duration(seconds: float) -> str:
    """A time as people say it.

    Parameters
    ----------
    seconds
        The time.

    Examples
    --------
    >>> duration(0.2), duration(42.0), duration(630.0), duration(9000.0)
    ('1 s', '42 s', '10.5 min', '2.5 h')
    """
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def estimate(generator: Generator, source: ExampleSource, config: TrainingConfig) -> Estimate:
    """Estimate a run from a sample of its examples and the speed of a matrix product.

    Parameters
    ----------
    generator
        The model to be trained.
    source
        Its examples.
    config
        The loop's settings.

    Returns
    -------
    Estimate
        Within a factor of two of the truth; ``tests/training`` holds it to that for time.
    """
    sample = list(islice(source.epoch(config.seed, 0), SAMPLE))
    lengths = np.array([len(example) for example in sample])
    computed = sum(b.mask.numel() for b in bucket(sample, config.tokens_per_batch, np.random.default_rng(0)))
    padding = 1 - lengths.sum() / computed
    tokens = int(lengths.mean() * source.examples_per_epoch * config.epochs)

    parameters = sum(p.numel() for p in generator.parameters())
    trainable = sum(p.numel() for p in generator.trainable().values())
    lm = generator.lm.config
    table = text_table(generator.lm).weight.numel()
    body = parameters - table - sum(p.numel() for p in generator.head.parameters())
    # Forward and gradients of activations take 2 operations each a weight and token, gradients of weights 2 more.
    operations = 4 * body + 2 * min(trainable, body)
    roots = int(generator.head.indptr[1])
    operations += 6 * generator.head.width * roots
    batch = max(config.tokens_per_batch, int(lengths.max()))
    weights = sum(p.numel() * p.element_size() for p in generator.parameters())
    activations = 4 * batch * (ACTIVATIONS_PER_LAYER * lm.hidden_size * lm.num_hidden_layers + 3 * roots)
    memory = weights + 12 * trainable + activations
    speed = _operations_per_second(generator.device)
    return Estimate(
        tokens=tokens,
        padding=float(padding),
        parameters=parameters,
        trainable=trainable,
        memory_bytes=int(memory),
        available_bytes=_available(generator.device),
        seconds=tokens / (1 - padding) * operations / (EFFICIENCY * speed),
    )


def _operations_per_second(device: torch.device) -> float:
    """Speed of a matrix product of the shape that training runs, a tenth of a second of it."""
    left, right = torch.randn(1024, 576, device=device), torch.randn(576, 1536, device=device)
    best = float("inf")
    for _ in range(8):
        began = time.perf_counter()
        float((left @ right)[0, 0])
        best = min(best, time.perf_counter() - began)
    return 2 * 1024 * 576 * 1536 / best


def _available(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
