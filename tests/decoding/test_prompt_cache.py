"""Remembered prompts never change what is read after them."""

import sys
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.beam import search
from genrec.decoding.engines import TorchEngine
from genrec.decoding.prompt_cache import PromptCache
from genrec.decoding.reader import GeneratorReader
from genrec.prompt.sequence import TokenSequence
from genrec.testing import tiny_generator, tiny_prompt

N = 20
GENERATORS = {
    "gpt2": tiny_generator(N),
    "llama": tiny_generator(N, backbone="llama"),
    "residual": tiny_generator(N, node_residual=True),
    "titles": tiny_generator(N, titles=True),
}
HISTORIES = st.lists(st.integers(0, N - 1), max_size=12)


def prompt(*tokens):
    return TokenSequence(np.array(tokens, dtype=np.int64), np.full(len(tokens), -1, dtype=np.int32))


def states(length, value=0.0):
    return torch.full((2, 2, 1, length, 4), float(value))


def nbytes(length):
    return 2 * 2 * length * 4 * 4 + sys.getsizeof(b"\0" * 8 * length)


@pytest.mark.parametrize("name", GENERATORS)
@settings(max_examples=15)
@given(st.lists(st.lists(HISTORIES, min_size=1, max_size=4), min_size=1, max_size=4), st.integers(0, 20_000))
def test_decoding_with_a_cache_equals_decoding_without(name, batches, max_bytes):
    generator, cache = GENERATORS[name], PromptCache(max_bytes)
    for histories in batches:
        prompts = [tiny_prompt(generator, history) for history in histories]
        fresh, remembering = GeneratorReader(generator, prompts), GeneratorReader(generator, prompts, cache)
        torch.testing.assert_close(remembering.first(), fresh.first(), atol=1e-4, rtol=1e-4)
        ours, theirs = search(remembering, k=N, beams=N), search(fresh, k=N, beams=N)
        np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-3)
        assert cache.counts.nbytes <= max_bytes


@pytest.mark.parametrize("name", GENERATORS)
def test_only_what_is_new_is_read(name):
    engine = TorchEngine(GENERATORS[name])
    engine.remember_prompts(2**20)
    reads = []
    for history in ([3, 4, 5], [3, 4, 5, 6], [3, 4, 5, 6], [3, 4, 9], [8]):
        before = engine.remembered.counts.positions_read
        engine.beam_search([tiny_prompt(engine.generator, history)], k=3)
        reads.append(engine.remembered.counts.positions_read - before)
    # Two codes an item behind one begin token; the last token is always read.
    assert reads == [7, 2, 1, 2, 2]
    engine.forget_prompts()
    assert engine.remembered.counts.prompts == 0


@pytest.mark.parametrize("name", GENERATORS)
def test_a_stranger_among_returning_users_is_read_first(name, monkeypatch):
    generator, cache = GENERATORS[name], PromptCache(2**20)
    random, widths = np.random.default_rng(0), []
    histories = [random.integers(0, N, 20).tolist() for _ in range(6)]
    GeneratorReader(generator, [tiny_prompt(generator, history[:19]) for history in histories[:5]], cache)
    hidden = generator.hidden

    def watched(embeddings, *rest):
        widths.append(tuple(embeddings.shape[:2]))
        return hidden(embeddings, *rest)

    monkeypatch.setattr(generator, "hidden", watched)
    prompts = [tiny_prompt(generator, history) for history in histories]
    known = cache.find(prompts[5]).length
    ours = search(GeneratorReader(generator, prompts, cache), k=N, beams=N)
    # The stranger's prompt but for its last token, and then what is new in each.
    assert widths[:2] == [(1, 40 - known), (6, 2)]
    theirs = search(GeneratorReader(generator, prompts), k=N, beams=N)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-3)
    assert cache.find(prompts[5]).length == len(prompts[5]) - 1


def longest_common(wanted, held):
    common = 0
    for tokens in held:
        length = 0
        while length < min(len(wanted) - 1, len(tokens)) and wanted[length] == tokens[length]:
            length += 1
        common = max(common, length)
    return common


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=6), min_size=1, max_size=30))
def test_the_longest_beginning_is_found(prompts):
    cache, held = PromptCache(2**20), []
    for number, tokens in enumerate(prompts):
        found = cache.find(prompt(*tokens))
        assert (0 if found is None else found.length) == longest_common(tokens, held)
        if found is not None:
            assert found.states.shape[3] == found.length
        cache.store(prompt(*tokens), states(len(tokens), number))
        held.append(tokens)


def test_the_least_recently_used_goes_first():
    cache = PromptCache(3 * nbytes(4))
    for first in (1, 2, 3):
        cache.store(prompt(first, 0, 0, 0), states(4, first))
    assert cache.counts.nbytes == 3 * nbytes(4)
    assert cache.find(prompt(1, 0, 0, 7)).length == 3
    cache.store(prompt(4, 0, 0, 0), states(4, 4))
    assert [cache.find(prompt(first, 0, 0, 7)) is not None for first in (1, 2, 3, 4)] == [True, False, True, True]
    assert cache.find(prompt(4, 0, 0, 7)).states.unique().tolist() == [4.0]
    assert cache.counts.prompts == 3
    cache.clear()
    assert (cache.counts.prompts, cache.counts.nbytes) == (0, 0)


def test_a_prompt_that_goes_on_takes_the_place_of_its_beginning():
    cache = PromptCache(2**20)
    cache.store(prompt(1, 2), states(2))
    cache.store(prompt(1, 2, 3), states(3))
    cache.store(prompt(1), states(1))
    assert (cache.counts.prompts, cache.counts.nbytes) == (1, nbytes(3))


def test_what_does_not_fit_is_not_kept():
    cache = PromptCache(nbytes(2))
    cache.store(prompt(1, 2, 3), states(3))
    assert cache.counts.prompts == 0


def test_same_tokens_at_other_nodes_are_another_prompt():
    cache = PromptCache(2**20)
    cache.store(TokenSequence(np.array([0, 5, 6]), np.array([-1, 3, 4], dtype=np.int32)), states(3))
    assert cache.find(TokenSequence(np.array([0, 5, 6]), np.array([-1, 7, 4], dtype=np.int32))).length == 1


def test_threads_share_a_cache():
    generator, cache = GENERATORS["gpt2"], PromptCache(60_000)
    random = np.random.default_rng(0)
    prompts = [tiny_prompt(generator, random.integers(0, N, 8).tolist()) for _ in range(40)]
    wanted = [GeneratorReader(generator, [one]).first() for one in prompts]
    wrong = []

    def read():
        with torch.inference_mode():
            for one, right in zip(prompts, wanted, strict=True):
                if not torch.allclose(GeneratorReader(generator, [one], cache).first(), right, atol=1e-4):
                    wrong.append(one)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert cache.counts.nbytes <= 60_000
