"""Moving average of weights: steadier than the weights of any one step, so a high learning rate is no harm."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import nn


class WeightAverage:
    """Exponential moving average of a network's parameters.

    Step n keeps ``min(decay, (1 + n) / (10 + n))`` of the average, so that a short training is not held back by the
    weights it began with.

    Parameters
    ----------
    network
        The network in training.
    decay
        How much of the average a late step keeps.

    Examples
    --------
    >>> layer = torch.nn.Linear(1, 1, bias=False)
    >>> _ = layer.weight.data.fill_(1.0)
    >>> average = WeightAverage(layer, decay=0.99)
    >>> _ = layer.weight.data.fill_(5.0)
    >>> average.update()
    >>> with average.applied():
    ...     print(layer.weight.item())  # (2 * 1 + 9 * 5) / 11
    4.2727...
    >>> layer.weight.item()
    5.0
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._parameters = [parameter.detach() for parameter in network.parameters()]
        self._averages = [parameter.clone() for parameter in self._parameters]
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def update(self) -> None:
        """Take a step of the training into account."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        get_ema_multi_avg_fn(decay)(self._averages, self._parameters, self._steps)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages into the network for a while."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for parameter, average in zip(self._parameters, self._averages, strict=True):
            trained = parameter.clone()
            parameter.copy_(average)
            average.copy_(trained)
