"""The content, generative and hybrid models that the benchmark knows by name."""

import itertools

import numpy as np
import pytest

from genrec.benchmark.generators import TrainedGenerator
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


@pytest.mark.parametrize("name", ["gpt-title", "gpt-distilled"])
def test_recipes_train_from_scratch_and_rank(name):
    split = leave_last_out(toy_dataset())
    quick = ["training.epochs=1", "base.width=16", "base.heads=2", "base.layers=1"]
    scorer = TrainedGenerator(f"finetune/configs/{name}.yaml", quick, beams=5)
    scorer.use_validation(split.validation)
    scorer.fit(split.train)
    evaluation = evaluate(scorer, split.validation, ks=(5,))
    assert (evaluation.items >= 0).all()
    histories = split.validation.histories[:4]
    assert np.isfinite(scorer.score(histories)).all()
