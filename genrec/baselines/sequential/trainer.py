"""One training loop for all sequential models: AdamW, early stopping, a bar on a terminal."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import nn

from genrec.baselines.sequential.averaging import WeightAverage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

logger = logging.getLogger(__name__)

# Over the last 100 steps or so. Chosen on validation together with the learning rate.
AVERAGE_DECAY = 0.99


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast to train.

    Parameters
    ----------
    epochs
        Passes over the data, at most.
    patience
        Epochs without a better validation figure after which to stop.
    learning_rate
        Constant: what is kept is a moving average of the weights, which takes the place of a decay.
    weight_decay
        Of AdamW, on matrices.
    label_smoothing
        Share of each target spread evenly over all items.
    batch_positions
        Most positions in a batch.
    seed
        Of the weights, the dropout and the order of batches.
    """

    epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    label_smoothing: float
    batch_positions: int
    seed: int


def train(
    name: str,
    network: nn.Module,
    epoch: Callable[[np.random.Generator], Iterator[Tensor]],
    settings: TrainingSettings,
    validate: Callable[[], float] | None,
) -> None:
    """Train a network in place; it ends with the averaged weights of its last epoch, or the best by validation.

    Parameters
    ----------
    name
        For the bar and the log.
    network
        Left in evaluation mode.
    epoch
        Gives the loss of one batch after the other, for one pass over the data.
    settings
        How long and how fast.
    validate
        A figure of the network as it is, higher is better; None to train all epochs.
    """
    groups = _parameter_groups(network, settings.weight_decay)
    optimizer = torch.optim.AdamW(groups, lr=settings.learning_rate, fused=True)
    average = WeightAverage(network, AVERAGE_DECAY)
    rng = np.random.default_rng(settings.seed)
    best, best_epoch = -np.inf, 0
    best_state = network.state_dict()
    with _bar() as bar:
        task = bar.add_task(f"train {name}", total=settings.epochs, words="")
        for number in range(1, settings.epochs + 1):
            network.train()
            words = f"loss {_train_epoch(network, epoch(rng), optimizer, average):.3f}"
            network.eval()
            with average.applied():
                figure = float(number) if validate is None else validate()
                if figure > best:
                    best, best_epoch = figure, number
                    best_state = {key: value.clone() for key, value in network.state_dict().items()}
            if validate is not None:
                words += f" validation {figure:.4f}"
            logger.info("%s epoch %d: %s", name, number, words)
            bar.update(task, advance=1, words=words)
            if number - best_epoch >= settings.patience:
                break
    network.load_state_dict(best_state)
    if validate is not None:
        logger.info("%s keeps epoch %d of %d, validation %.4f", name, best_epoch, number, best)


def _train_epoch(
    network: nn.Module, losses: Iterator[Tensor], optimizer: torch.optim.Optimizer, average: WeightAverage
) -> float:
    """One pass over the data; the mean loss."""
    taken = []
    for loss in losses:
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        average.update()
        taken.append(loss.detach())
    return torch.stack(taken).mean().item()


def _parameter_groups(network: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Decay matrices, not biases and norms."""
    parameters = list(network.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _bar() -> Progress:
    """A bar on stderr, if that is a terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
