"""Cost: memory that is the model's own, latency, size."""

import pickle

import numpy as np
import pytest

from genrec.baselines import EASE, Popularity
from genrec.evaluation.cost import PeakMemory, latency, model_bytes
from genrec.testing import toy_dataset

MIB = 2**20


def test_the_peak_is_seen_though_the_memory_was_given_back():
    with PeakMemory() as memory:
        block = np.ones(80 * MIB // 8)
        del block
    assert 75 * MIB < memory.peak_bytes - memory.start_bytes < 130 * MIB


def test_what_was_held_before_is_not_charged():
    held = np.ones(80 * MIB // 8)
    with PeakMemory() as memory:
        small = np.ones(5 * MIB // 8)
    assert memory.peak_bytes - memory.start_bytes < 40 * MIB
    assert held.sum() > small.sum()


def test_an_earlier_peak_is_forgotten():
    with PeakMemory():
        np.ones(120 * MIB // 8).sum()
    with PeakMemory() as second:
        np.ones(MIB // 8).sum()
    assert second.peak_bytes - second.start_bytes < 40 * MIB


def test_a_base_replaces_what_the_process_holds():
    with PeakMemory(base_bytes=1000) as memory:
        np.ones(60 * MIB // 8).sum()
    assert 55 * MIB < memory.peak_bytes < 110 * MIB


def test_latency_is_of_the_calls_it_counts():
    calls = []

    class Counting(Popularity):
        def recommend(self, histories, k, exclude=None):
            calls.append((len(histories), k, exclude is not None))
            return super().recommend(histories, k, exclude)

    dataset = toy_dataset()
    found = latency(Counting().fit(dataset), [dataset.histories[u] for u in range(5)], batch_size=3, seconds=60)
    assert found.calls == 200
    assert calls == [(3, 10, True)] * 201  # one to warm up
    assert 0 < found.p50_ms <= found.p99_ms


def test_size_is_that_of_the_pickle_which_is_never_made():
    scorer = EASE().fit(toy_dataset())
    assert model_bytes(scorer) == pytest.approx(len(pickle.dumps(scorer, protocol=5)), rel=0.01)


def test_what_cannot_be_serialised_has_no_size():
    scorer = Popularity().fit(toy_dataset())
    scorer.answer = lambda: 1
    assert model_bytes(scorer) is None
