"""The training loop: averages of weights, the epoch that is kept."""

import numpy as np
import pytest
import torch

from genrec.baselines.sequential.averaging import WeightAverage
from genrec.baselines.sequential.trainer import TrainingSettings, train

SETTINGS = TrainingSettings(
    epochs=6, patience=2, learning_rate=0.1, weight_decay=0.0, label_smoothing=0.0, batch_positions=1, seed=0
)


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return torch.nn.Linear(3, 2)


def descend(layer):
    """One batch an epoch, whose loss pulls all weights down for ever."""

    def epoch(_rng):
        yield layer.weight.sum() + layer.bias.sum()

    return epoch


def test_the_average_is_exponential(layer):
    average = WeightAverage(layer, 0.8)
    wanted = layer.weight.detach().clone()
    for step in range(5):
        with torch.no_grad():
            layer.weight.copy_(torch.full((2, 3), float(step)))
        average.update()
        wanted = 0.8 * wanted + 0.2 * step
    with average.applied():
        torch.testing.assert_close(layer.weight.detach(), wanted)
    assert (layer.weight == 4).all()


def test_weights_come_back_where_validation_fails(layer):
    average = WeightAverage(layer, 0.5)
    with torch.no_grad():
        layer.weight.fill_(7)

    def interrupted():
        with average.applied():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (layer.weight == 7).all()


@pytest.mark.parametrize(
    ("figures", "kept"), [([1, 3, 2, 2, 9, 9], 2), ([1, 2, 3, 4, 5, 6], 6), ([2, 2, 2, 0, 0, 0], 1)]
)
def test_the_best_epoch_is_kept_and_patience_ends_the_run(layer, figures, kept):
    asked, seen = iter(figures), []

    def validate():
        seen.append(layer.weight.detach().clone())
        return next(asked)

    train("layer", layer, descend(layer), SETTINGS, validate)
    assert len(seen) == min(6, kept + 2)
    torch.testing.assert_close(layer.weight.detach(), seen[kept - 1])
    assert not layer.training


def test_without_validation_the_last_epoch_is_kept(layer):
    """Adam moves every weight by the learning rate a step, and the average follows at a hundredth."""
    start = layer.weight.detach().clone()
    train("layer", layer, descend(layer), SETTINGS, None)
    steps = 0.1 * np.arange(1, 7)
    behind = sum(0.01 * 0.99 ** (6 - n) * step for n, step in enumerate(steps, start=1))
    torch.testing.assert_close(layer.weight.detach(), start - float(behind), atol=1e-5, rtol=0)
