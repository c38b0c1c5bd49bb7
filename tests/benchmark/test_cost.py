"""Cost: memory that is the model's own, latency, size."""

import subprocess
import sys

import numpy as np
import torch
from scipy import sparse

from genrec.baselines import EASE, Popularity
from genrec.benchmark.cost import PeakMemory, latency, model_bytes
from genrec.data.split import leave_last_out
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


def test_size_is_that_of_the_arrays_each_counted_once():
    scorer = EASE().fit(toy_dataset(items=24))
    assert model_bytes(scorer) == 24 * 24 * 4
    scorer.view, scorer.again = scorer._weights[:3], [scorer._weights]
    assert model_bytes(scorer) == 24 * 24 * 4


def test_size_counts_tensors_matrices_and_what_lies_in_containers():
    scorer = Popularity().fit(toy_dataset(items=24))
    counts = 24 * 4
    assert model_bytes(scorer) == counts
    network = torch.nn.Linear(8, 8)
    scorer.parts = {"network": network, "tied": (network.weight, network.weight[:2])}
    assert model_bytes(scorer) == counts + (64 + 8) * 4
    scorer.matrix = sparse.csr_matrix(np.eye(10, dtype=np.float32))
    matrix = scorer.matrix
    assert model_bytes(scorer) == counts + 288 + matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes


def test_questions_it_validates_on_are_not_the_model():
    split = leave_last_out(toy_dataset())
    scorer = Popularity().fit(split.train)
    before = model_bytes(scorer)
    scorer.questions = split.validation
    assert model_bytes(scorer) == before


def test_a_worker_waits_for_no_library_that_its_model_does_not_need():
    heavy = {"transformers", "sklearn", "peft", "datasets", "sentence_transformers"}
    code = f"import sys, genrec.benchmark.worker; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
