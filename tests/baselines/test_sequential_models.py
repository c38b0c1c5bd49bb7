"""Transformers of the benchmark: what tuning may try can be built, and is named as it is known."""

import itertools
from dataclasses import asdict

import pytest

from genrec.benchmark.models import NAMED_MODELS
from genrec.benchmark.models.sequential import SEQUENTIAL


@pytest.mark.parametrize("model", SEQUENTIAL.values(), ids=SEQUENTIAL)
def test_every_setting_can_be_built_and_the_first_is_the_default(model):
    settings = [dict(zip(model.grid, values, strict=True)) for values in itertools.product(*model.grid.values())]
    assert len(settings) <= 8  # six trials see most of them
    built = [model.build(**setting, seed=3) for setting in settings]
    assert {scorer.name for scorer in built} == {model.name}
    assert {scorer.training.seed for scorer in built} == {3}
    first, default = model.build(**settings[0]), model.build()
    assert asdict(first.size) | asdict(first.training) == asdict(default.size) | asdict(default.training)
    assert first._settings() == default._settings()


def test_the_benchmark_knows_them():
    assert {"sasrec", "sasrec-sampled", "bert4rec"} <= set(NAMED_MODELS)
    assert all(model.family == "sequential" and model.source for model in SEQUENTIAL.values())
