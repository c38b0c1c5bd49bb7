"""The content, generative and hybrid models that the benchmark knows by name."""

import itertools

import pytest

from genrec.benchmark.models.content import CONTENT
from genrec.benchmark.models.generative import CEILING, FUSION, GENERATIVE, HYBRID
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.testing import toy_dataset

ALL = {**CONTENT, **FUSION, **GENERATIVE, **HYBRID, **CEILING}


@pytest.mark.parametrize("name", ALL)
def test_every_model_builds_with_every_value_of_its_grid(name):
    model = ALL[name]
    for values in itertools.product(*model.grid.values()):
        scorer = model.build(**dict(zip(model.grid, values, strict=True)))
        assert scorer.name
    assert model.source


@pytest.mark.parametrize("name", ["tfidf-knn", "bert-knn", "ease+text", "oracle"])
def test_models_that_are_quick_run(name):
    split = leave_last_out(toy_dataset())
    scorer = ALL[name].build()
    scorer.use_validation(split.validation)
    evaluation = evaluate(scorer.fit(split.train), split.validation, ks=(10,))
    assert 0 <= evaluation.metrics["recall@10"] <= 1
    if name == "oracle":
        assert evaluation.metrics["recall@10"] == 1
