"""The training loop: averages of weights, the epoch that is kept."""

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
    """Step n keeps (1 + n) / (10 + n) of it, but no more than .3: 2/11, 3/12, then .3."""
    average = WeightAverage(layer, 0.3)
    wanted = layer.weight.detach().clone()
    for step, kept in enumerate([2 / 11, 3 / 12, 0.3, 0.3]):
        with torch.no_grad():
            layer.weight.copy_(torch.full((2, 3), float(step)))
        average.update()
        wanted = kept * wanted + (1 - kept) * step
    with average.applied():
        torch.testing.assert_close(layer.weight.detach(), wanted)
    assert (layer.weight == 3).all()


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
    """Adam moves every weight by the learning rate a step, and the average follows."""
    start = layer.weight.detach().clone()
    train("layer", layer, descend(layer), SETTINGS, None)
    moved = 0.0
    for step in range(1, 7):
        moved += 9 / (10 + step) * (0.1 * step - moved)
    torch.testing.assert_close(layer.weight.detach(), start - moved, atol=1e-5, rtol=0)
