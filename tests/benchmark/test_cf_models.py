"""Floors and collaborative models of the benchmark: what tuning may try can be built, and is named as it is known."""

import itertools

import pytest

from genrec.benchmark.models.cf import CF, FEATURES, FLOOR

MODELS = FLOOR | CF | FEATURES


@pytest.mark.parametrize("name", MODELS)
def test_every_setting_can_be_built(name):
    model = MODELS[name]
    settings = [dict(zip(model.grid, values, strict=True)) for values in itertools.product(*model.grid.values())]
    assert len(settings) <= 8  # six trials see most of them
    assert {model.build(**setting).name for setting in settings} == {name}


@pytest.mark.parametrize("name", MODELS)
def test_the_first_setting_is_the_default(name):
    model = MODELS[name]
    first = model.build(**{option: values[0] for option, values in model.grid.items()})
    assert vars_of(model.build()) == vars_of(first)


@pytest.mark.parametrize("name", CF | FEATURES)
def test_a_source_is_cited(name):
    assert MODELS[name].source


def vars_of(scorer):
    """Options of a scorer, those of its parts too."""
    parts = (int, float, str, type(None))
    options = {name: value for name, value in vars(scorer).items() if isinstance(value, parts)}
    nested = {name: vars_of(part) for name, part in vars(scorer).items() if name.endswith("_knn")}
    return options | nested
