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

    Parameters
    ----------
    network
        The network in training.
    decay
        How much of the average each step keeps, 0 for the weights as they are.

    Examples
    --------
    >>> layer = torch.nn.Linear(1, 1, bias=False)
    >>> _ = layer.weight.data.fill_(1.0)
    >>> average = WeightAverage(layer, decay=0.75)
    >>> _ = layer.weight.data.fill_(5.0)
    >>> average.update()
    >>> with average.applied():
    ...     print(layer.weight.item())
    2.0
    >>> layer.weight.item()
    5.0
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._parameters = [parameter.detach() for parameter in network.parameters()]
        self._averages = [parameter.clone() for parameter in self._parameters]
        self._step = get_ema_multi_avg_fn(decay)

    @torch.no_grad()
    def update(self) -> None:
        """Take a step of the training into account."""
        self._step(self._averages, self._parameters, 0)

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
