"""Windows and batches keep every token once; the losses are the softmax they say."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from genrec.baselines.sequential.batching import Streams, Windows, bucketed, padded
from genrec.baselines.sequential.losses import full_softmax, sampled_softmax

LENGTHS = st.lists(st.integers(0, 30), min_size=1, max_size=8)


def streams_of(lengths):
    """Streams of the tokens 0, 1, 2 ... after a begin token, -1."""
    ends = np.cumsum(lengths)
    return Streams.of([np.arange(end - length, end) for length, end in zip(lengths, ends, strict=True)], begin=[-1])


def covered(windows):
    return sorted(np.concatenate([np.arange(s, s + n) for s, n in zip(windows.start, windows.length, strict=True)]))


def test_streams_hold_what_stands_before_and_after():
    streams = Streams.of([np.array([4, 5]), np.array([], dtype=np.int32)], begin=[8], end=[9])
    assert streams.tokens.tolist() == [8, 4, 5, 9, 8, 9]
    assert streams.lengths.tolist() == [4, 2]


@given(LENGTHS, st.integers(2, 9), st.integers(0, 3))
def test_tiling_covers_every_token_once(lengths, max_length, seed):
    streams = streams_of(lengths)
    windows = Windows.tiling(streams, max_length, np.random.default_rng(seed))
    assert covered(windows) == list(range(len(streams.tokens)))
    assert windows.length.min() >= 1
    assert windows.length.max() <= max_length
    stream = np.searchsorted(streams.indptr, windows.start, side="right") - 1
    assert (windows.start + windows.length <= streams.indptr[stream + 1]).all()  # none reaches into the next
    assert np.isin(streams.indptr[:-1][streams.lengths <= max_length], windows.start).all()  # short ones stay whole


def test_tiling_cuts_elsewhere_each_time():
    rng = np.random.default_rng(0)
    cuts = {tuple(Windows.tiling(streams_of([20]), 5, rng).start) for _ in range(40)}
    assert len(cuts) == 5


@given(LENGTHS, st.integers(2, 9))
def test_overlapping_answers_every_token_once(lengths, max_length):
    streams = streams_of(lengths)
    windows, new = Windows.overlapping(streams, max_length)
    answered = Windows(windows.start + new, windows.length - new)
    assert covered(answered) == list(range(len(streams.tokens)))
    assert windows.length.max() <= max_length
    stream = np.searchsorted(streams.indptr, windows.start, side="right") - 1
    assert (windows.start + windows.length <= streams.indptr[stream + 1]).all()
    assert ((new >= max_length // 2) | (windows.start == streams.indptr[stream])).all()


def test_padding_stands_on_the_right():
    streams = streams_of([3, 1])
    tokens, real = padded(streams, Windows.last(streams, 3), padding=99)
    assert tokens.tolist() == [[0, 1, 2], [-1, 3, 99]]
    assert real.tolist() == [[True] * 3, [True, True, False]]


@given(LENGTHS, st.integers(1, 80))
def test_batches_hold_every_window_once_and_no_more_than_their_share(lengths, positions):
    windows = Windows.tiling(streams_of(lengths), 9, np.random.default_rng(0))
    batches = list(bucketed(windows, positions, np.random.default_rng(0)))
    assert sorted(np.concatenate([batch.start for batch in batches])) == sorted(windows.start)
    for batch in batches:
        assert len(batch) == 1 or len(batch) * batch.length.max() <= positions


def test_batches_are_of_like_length():
    """200 windows of 2 to 9 tokens in batches of 64: no batch is padded by more than a token a row."""
    lengths = np.random.default_rng(0).integers(1, 9, 200).tolist()
    windows = Windows.tiling(streams_of(lengths), 9, np.random.default_rng(0))
    batches = list(bucketed(windows, 64, np.random.default_rng(0)))
    assert sum(len(batch) * int(batch.length.max()) for batch in batches) < 1.05 * windows.length.sum()


@pytest.fixture
def case():
    """300 states, which are three chunks, of width 5, and 40 items."""
    torch.manual_seed(0)
    states, vectors, bias = torch.randn(300, 5), torch.randn(40, 5), torch.randn(40)
    targets = torch.randint(0, 40, (300,))
    return [tensor.double().requires_grad_() for tensor in (states, vectors, bias)], targets


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_full_softmax_is_the_cross_entropy_of_the_logits(case, smoothing):
    parameters, targets = case
    states, vectors, bias = parameters
    wanted = functional.cross_entropy(states @ vectors.T + bias, targets, label_smoothing=smoothing)
    loss = full_softmax(states, vectors, bias, targets, smoothing)
    torch.testing.assert_close(loss, wanted)
    gradients = zip(torch.autograd.grad(loss, parameters), torch.autograd.grad(wanted, parameters), strict=True)
    for ours, theirs in gradients:
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_all_items_as_negatives_are_the_full_softmax(case, smoothing):
    (states, vectors, bias), targets = case
    loss = sampled_softmax(states, vectors, bias, targets, torch.randperm(40), smoothing)
    torch.testing.assert_close(loss, full_softmax(states, vectors, bias, targets, smoothing))


def test_sampled_softmax_by_hand():
    """Five items, logits 0 to 4; target 1, negatives 1, 3 and 4: of the four others, two stand for all."""
    states, vectors, bias = torch.ones(1, 1), torch.arange(5.0)[:, None], torch.zeros(5)
    loss = sampled_softmax(states, vectors, bias, torch.tensor([1]), torch.tensor([1, 3, 4]))
    e = np.exp
    assert loss.item() == pytest.approx(np.log(e(1) + (4 / 2) * (e(3) + e(4))) - 1, rel=1e-6)


def test_the_normaliser_of_samples_is_right_on_average(case):
    """exp(loss + right logit) is the estimate of the normaliser; its mean over samples is the true one."""
    (states, vectors, bias), targets = case
    states, targets = states[:1], targets[:1]
    right = (states @ vectors.T + bias)[0, targets[0]]
    full = full_softmax(states, vectors, bias, targets).add(right).exp()
    torch.manual_seed(0)
    sampled = [sampled_softmax(states, vectors, bias, targets, torch.randperm(40)[:10]) for _ in range(2000)]
    assert torch.stack(sampled).add(right).exp().mean().item() == pytest.approx(full.item(), rel=0.05)
