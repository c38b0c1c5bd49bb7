"""The fuzz of the decoder finds nothing wrong in a short run, and would find what is wrong."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "eval" / "decoding_fuzz.py"


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("decoding_fuzz", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_a_short_run_finds_nothing(fuzz, tmp_path):
    fuzz.main(requests=600, users=8, every=4, seed=1, out=tmp_path / "fuzz.json", as_json=False)
    report = json.loads((tmp_path / "fuzz.json").read_text())
    assert report["counts"]["requests"] == 600
    assert report["counts"]["scores beside teacher forcing"] > 20
    assert set(report["faults"].values()) == {0}
    assert 0 < report["largest_difference_from_teacher_forcing"] < 1e-4


@pytest.fixture(scope="module")
def answered(fuzz):
    """A batch without a cap or priors whose first user has several items."""
    for seed in range(100):
        generator = fuzz.random_generator(np.random.default_rng(seed))
        batch = fuzz.random_batch(np.random.default_rng([seed, 1]), generator, users=2)
        if batch.cap is not None or batch.exact or batch.renormalise:
            continue
        decoded = fuzz.answer(generator, batch)
        if (decoded.items[0] >= 0).sum() >= 3 and batch.weights.eligible.mean() < 1:
            return generator, batch, decoded
    raise AssertionError("no such batch")


@pytest.mark.parametrize("fault", ["invalid", "duplicate", "fewer than k", "padding", "order", "score"])
def test_what_is_wrong_is_found(fuzz, answered, fault):
    generator, batch, right = answered
    assert not fuzz.check(generator, batch, right)
    items, scores, logprobs = right.items.copy(), right.scores.copy(), right.logprobs.copy()
    count = int((items[0] >= 0).sum())
    if fault == "invalid":
        user, item = np.argwhere(~np.broadcast_to(batch.weights.eligible, (2, generator.vocabulary.num_items)))[0]
        items[user, 0] = item
    elif fault == "duplicate":
        items[0, 1] = items[0, 0]
    elif fault == "fewer than k":
        items[0, count - 1], scores[0, count - 1] = -1, -np.inf
    elif fault == "padding":
        items[0, count - 1] = -1
    elif fault == "order":
        scores[0, :2] = scores[0, 1] - 1, scores[0, 1]
    else:
        logprobs[0, 0] += 0.01
    found = fuzz.check(generator, batch, replace(right, items=items, scores=scores, logprobs=logprobs))
    assert found[fault] == 1


def test_wrong_probabilities_are_found(fuzz, answered):
    generator, batch, right = answered
    assert fuzz.difference(generator, batch, right) < 1e-4
    assert fuzz.difference(generator, batch, replace(right, logprobs=right.logprobs + 0.5)) > 1e-3
