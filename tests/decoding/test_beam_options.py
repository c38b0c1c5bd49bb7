"""Renormalising, widths that differ by level, giving up early: against searches written as loops."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding import beam
from genrec.decoding.beam import beam_search
from genrec.decoding.tree_attention import TreeReader
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError
from genrec.testing import tiny_codes, tiny_generator, tiny_prompt

CLOSE = {"atol": 2e-3, "rtol": 1e-3}


@st.composite
def requests(draw, ids):
    codes = draw(ids)
    n = len(codes)
    priors = draw(st.sampled_from([None, "few", "all"]))
    prior = np.zeros(n)
    if priors is not None:
        prior = np.array(draw(st.lists(st.integers(-40, 40), min_size=n, max_size=n))) / 4
    if priors == "few":
        prior[draw(st.integers(0, n)) :] = 0.0
    excluded = sorted(draw(st.sets(st.integers(0, n - 1), max_size=n)))
    weights = ItemWeights.from_seen([excluded], n)
    if priors is not None:
        touched = np.flatnonzero(prior)
        weights += (
            ItemWeights.from_priors(prior)
            if priors == "all"
            else ItemWeights.from_sparse([touched], [prior[touched]], n)
        )
    return SimpleNamespace(
        codes=codes,
        weights=weights if draw(st.booleans()) or excluded or priors else None,
        dense=np.where(np.isin(np.arange(n), excluded), -np.inf, prior),
        k=draw(st.integers(1, n)),
        beams=draw(st.lists(st.integers(1, n), min_size=1, max_size=4)),
        alpha=draw(st.sampled_from([0.5, 1.0, -1.0])),
        renormalise=draw(st.booleans()),
    )


def loop_search(trie, logprobs, request):
    """Beam search by dictionaries, from the log-probability of each item alone."""
    below = {node: np.flatnonzero((trie.paths == node).any(axis=1)) for node in range(1, trie.num_nodes)}
    below[0] = np.arange(trie.num_items)

    def prior(node):
        live = request.dense[below[node]]
        live = live[live > -np.inf]
        return request.alpha * (np.logaddexp.reduce(live) - np.log(len(live)))

    def children(node):
        """Live children and their log-probabilities given the node."""
        mass = {child: np.logaddexp.reduce(logprobs[below[child]]) for child in trie.children(node).tolist()}
        alive = {child: m for child, m in mass.items() if (request.dense[below[child]] > -np.inf).any()}
        whole = np.logaddexp.reduce(list((alive if request.renormalise else mass).values()) or [0.0])
        return {child: m - whole for child, m in alive.items()}

    live = {0: 0.0}
    for level in range(trie.num_levels):
        width = max(request.beams[min(level, len(request.beams) - 1)], request.k)
        grown = {}
        for node, logprob in live.items():
            if len(trie.children(node)) == 0:
                grown[node] = logprob
            for child, given_node in children(node).items():
                grown[child] = logprob + given_node
        best = sorted(grown, key=lambda node: -(grown[node] + prior(node)))[:width]
        live = {node: grown[node] for node in best}
    found = [
        (logprob + request.alpha * request.dense[trie.items_at(node)[0]], logprob) for node, logprob in live.items()
    ]
    return sorted(found, reverse=True)[: request.k]


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_every_option_together_equals_a_loop(ids, teacher_forced, data):
    request = data.draw(requests(ids))
    generator = tiny_generator(codes=request.codes, std=0.4, titles=True, seed=data.draw(st.integers(0, 5)))
    prompt = tiny_prompt(generator, [0])
    expected = loop_search(generator.vocabulary.trie, teacher_forced(generator, prompt), request)
    decoded = beam_search(
        generator,
        [prompt],
        request.k,
        request.beams,
        request.weights,
        request.alpha,
        renormalise=request.renormalise,
    )
    count = len(expected)
    assert (decoded.items[0] >= 0).sum() == count
    np.testing.assert_allclose(decoded.scores[0, :count], [score for score, _ in expected], **CLOSE)
    np.testing.assert_allclose(
        decoded.logprobs[0, :count] + request.alpha * request.dense[decoded.items[0, :count]],
        decoded.scores[0, :count],
        **CLOSE,
    )


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_giving_up_early_changes_nothing(ids, data):
    request = data.draw(requests(ids))
    generator = tiny_generator(codes=request.codes, std=data.draw(st.sampled_from([0.2, 0.5, 2.0])), titles=True)
    prompts = [tiny_prompt(generator, [0] * length) for length in range(3)]
    arguments = (generator, prompts, request.k, request.beams, request.weights, request.alpha)
    early = beam_search(*arguments, renormalise=request.renormalise)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(beam, "_can_win", lambda growing, *rest: torch.ones(len(growing.user), dtype=torch.bool))
        late = beam_search(*arguments, renormalise=request.renormalise)
    np.testing.assert_array_equal(early.items, late.items)
    np.testing.assert_allclose(early.scores, late.scores, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("priors", [False, True])
def test_users_who_are_done_are_read_no_further(priors, monkeypatch):
    codes = np.array(
        [[0, -1, -1, -1], [1, -1, -1, -1], [2, 0, 0, 0], [2, 0, 0, 1], [2, 1, 0, 0], [2, 1, 0, 1]], dtype=np.int32
    )
    generator = tiny_generator(codes=codes)
    generator.head.code_vectors.data.zero_()
    log = [[9.0, 9.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 9.0, 9.0, 9.0, 9.0]]
    weights = ItemWeights.from_priors(np.array(log)) if priors else None
    reads, read = [], TreeReader.read
    monkeypatch.setattr(
        TreeReader,
        "read",
        lambda self, nodes, *rest: reads.append((nodes >= 0).sum(1).tolist()) or read(self, nodes, *rest),
    )
    prompts = [tiny_prompt(generator, [])] * 2
    decoded = beam_search(generator, prompts, k=2, weights=weights)
    assert decoded.items[0].tolist() == [0, 1]
    if priors:
        # The first user's largest weight is that of what is found; the second user's is still ahead.
        assert decoded.items[1].tolist() == [2, 3]
        assert reads == [[1, 1], [0, 2], [0, 2]]
    else:
        assert decoded.items[1].tolist() == [0, 1]
        assert reads == [[1, 1]]


def test_excluded_items_take_no_part_in_a_renormalised_softmax():
    generator = tiny_generator(codes=tiny_codes(40, levels=3))
    prompt, seen = tiny_prompt(generator, [1]), ItemWeights.from_seen([range(0, 40, 2)], 40)
    plain = beam_search(generator, [prompt], k=20, beams=40, weights=seen)
    decoded = beam_search(generator, [prompt], k=20, beams=40, weights=seen, renormalise=True)
    assert np.exp(plain.logprobs).sum() < 0.9
    assert np.exp(decoded.logprobs).sum() == pytest.approx(1.0, abs=1e-4)
    all_items = [beam_search(generator, [prompt], k=40, beams=40, renormalise=on).logprobs for on in (False, True)]
    np.testing.assert_allclose(*all_items, atol=1e-5)


@pytest.mark.parametrize("beams", [0, [], [3, 0], [5, -1]])
def test_widths_below_one_are_refused(beams):
    generator = tiny_generator(num_items=6)
    with pytest.raises(ConfigError, match="beams must"):
        beam_search(generator, [tiny_prompt(generator, [])], beams=beams)


def test_weights_for_all_users_exclude_for_each_of_them():
    generator = tiny_generator(codes=np.array([[4, -1], [0, 4]], dtype=np.int32), std=0.2, titles=True)
    prompts = [tiny_prompt(generator, [0] * length) for length in range(3)]
    weights = ItemWeights.from_seen([[0]], num_items=2)
    assert beam_search(generator, prompts, k=1, beams=2, weights=weights).items.tolist() == [[1], [1], [1]]
