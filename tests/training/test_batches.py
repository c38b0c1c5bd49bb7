"""Batches: every example once, within the budget, little padding."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from genrec.training.batches import bucket, collate, grouped
from genrec.training.examples import TrainingExample


def example(length, token=7):
    tokens = np.full(length, token, dtype=np.int64)
    return TrainingExample(tokens, np.arange(length, dtype=np.int32), np.ones(length, dtype=bool))


@given(st.lists(st.integers(1, 60), min_size=1, max_size=80), st.integers(1, 200), st.integers(0, 9))
def test_every_example_is_in_one_batch_within_the_budget(lengths, budget, seed):
    examples = [example(length, token) for token, length in enumerate(lengths)]
    batches = list(bucket(examples, budget, np.random.default_rng(seed)))
    assert sorted(int(row[0]) for batch in batches for row in batch.tokens) == list(range(len(lengths)))
    assert sum(batch.num_tokens for batch in batches) == sum(lengths)
    for batch in batches:
        assert batch.mask.numel() <= budget or batch.num_examples == 1


def test_padding_of_real_lengths_is_small():
    """Lengths as in a data set, heavy-tailed: under 6 %, where batches in order of arrival pad over 40 %."""
    rng = np.random.default_rng(0)
    examples = [example(length) for length in rng.lognormal(3, 0.8, size=5000).clip(2, 200).astype(int)]
    padding = share(bucket(examples, 4096, rng))
    arrival = share(collate(examples[start : start + 64]) for start in range(0, len(examples), 64))
    assert padding < 0.06
    assert arrival > 0.4


def share(batches):
    real = computed = 0
    for batch in batches:
        real, computed = real + batch.num_tokens, computed + batch.mask.numel()
    return 1 - real / computed


def test_a_stream_is_read_as_it_is_needed():
    read = []

    def endless():
        while True:
            read.append(1)
            yield example(10)

    next(bucket(endless(), 100, np.random.default_rng(0)))
    assert len(read) == 64 * 10


def test_the_same_seed_gives_the_same_batches():
    examples = [example(length, length) for length in np.random.default_rng(1).integers(1, 50, size=200)]
    first, second, other = (list(bucket(examples, 256, np.random.default_rng(seed))) for seed in (3, 3, 4))
    assert all(torch.equal(a.tokens, b.tokens) for a, b in zip(first, second, strict=True))
    assert any(a.tokens.shape != b.tokens.shape for a, b in zip(first, other, strict=True))


def test_groups_are_consecutive_and_the_last_is_what_is_left():
    assert [len(group) for group in grouped([collate([example(2)])] * 7, 3)] == [3, 3, 1]


def test_the_first_token_of_a_sequence_is_no_target():
    """Nothing comes before it that it could be predicted from."""
    assert collate([example(5), example(2)]).num_targets == 4 + 1
