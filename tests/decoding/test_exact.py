from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.decoding.beam import beam_search
from genrec.decoding.exact import rerank, score_candidates, score_items
from genrec.decoding.tree_attention import TreeReader
from genrec.decoding.weights import ItemWeights
from genrec.testing import tiny_codes, tiny_generator, tiny_prompt
from genrec.trie import CatalogTrie

HISTORIES = ([], [0], [1, 2, 0, 1])


@pytest.mark.parametrize("backbone", ["gpt2", "llama"])
@pytest.mark.parametrize("levels", [1, 2, 4])
@pytest.mark.parametrize("max_queries", [1, 7, 2048])
def test_scores_are_those_of_teacher_forcing(backbone, levels, max_queries, teacher_forced):
    generator = tiny_generator(codes=tiny_codes(30, levels=levels), backbone=backbone, node_residual=True)
    prompts = [tiny_prompt(generator, history) for history in HISTORIES]
    scores = score_items(generator, prompts, max_queries=max_queries)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [teacher_forced(generator, prompt) for prompt in prompts], atol=1e-4)
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_ids_of_any_lengths_in_any_runs(ids, teacher_forced, data):
    generator = tiny_generator(codes=data.draw(ids), titles=True)
    prompts = [tiny_prompt(generator, [0] * length) for length in (1, 0)]
    scores = score_items(generator, prompts, max_queries=data.draw(st.integers(1, 20)))
    np.testing.assert_allclose(scores, [teacher_forced(generator, prompt) for prompt in prompts], atol=1e-4)

    num_items = scores.shape[1]
    candidates = np.array(data.draw(st.lists(st.integers(0, num_items - 1), max_size=num_items)), dtype=np.int32)
    some = score_candidates(generator, prompts[0], candidates, max_queries=data.draw(st.integers(1, 20)))
    np.testing.assert_allclose(some, scores[0, candidates], atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_nothing_is_read_where_one_item_is_left(ids, data):
    generator = tiny_generator(codes=data.draw(ids), titles=True)
    prompts = [tiny_prompt(generator, [0] * length) for length in (1, 0)]
    read: list[int] = []

    def reading(self, nodes, *rest, _read=TreeReader.read):
        read.extend(nodes[nodes >= 0].tolist())
        return _read(self, nodes, *rest)

    trie = generator.vocabulary.trie
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TreeReader, "read", reading)
        score_items(generator, prompts)
        below = [len(set(trie.leaf_of[(trie.paths == node).any(axis=1)])) for node in range(trie.num_nodes)]
        several = [node for node in range(1, trie.num_nodes) if below[node] > 1]
        assert sorted(read) == sorted(2 * several)
        read.clear()
        beam_search(generator, prompts, k=len(trie.paths), beams=len(trie.paths))
        assert sorted(read) == sorted(2 * several)


def test_beam_search_as_wide_as_the_catalog_is_exact():
    generator = tiny_generator(codes=tiny_codes(300, levels=3), std=0.5)
    prompts = [tiny_prompt(generator, history) for history in HISTORIES]
    decoded, scores = beam_search(generator, prompts, k=300, beams=300), score_items(generator, prompts)
    np.testing.assert_allclose(decoded.logprobs, np.take_along_axis(scores, decoded.items, axis=1), atol=1e-4)
    np.testing.assert_allclose(decoded.logprobs, -np.sort(-scores, axis=1), atol=1e-4)


@pytest.mark.parametrize("max_queries", [1, 5, 2048])
def test_reranking_is_the_exact_ranking_of_the_candidates(max_queries, ranked):
    generator = tiny_generator(codes=tiny_codes(40, levels=3))
    prompts = [tiny_prompt(generator, history) for history in HISTORIES]
    candidates = np.array([[5, 1, 9, 33, 2], [7, 39, -1, -1, -1], [-1] * 5], dtype=np.int32)
    weights = ItemWeights.from_seen([[9], [], []], 40) + ItemWeights.from_priors(np.linspace(-1, 1, 40))
    reranked = rerank(generator, prompts, candidates, k=4, weights=weights, alpha=0.5, max_queries=max_queries)
    scores = score_items(generator, prompts)
    for user, row in enumerate(candidates):
        best = [item for item in ranked(scores[user], 0.5 * weights.dense[user]) if item in row][:4]
        assert reranked.items[user].tolist() == best + [-1] * (4 - len(best))
        np.testing.assert_allclose(reranked.logprobs[user, : len(best)], scores[user, best], atol=1e-4)


def test_a_memory_mapped_trie_serves_as_well(tmp_path):
    generator = tiny_generator(codes=tiny_codes(40, levels=3))
    prompts = [tiny_prompt(generator, history) for history in HISTORIES]
    expected = (
        score_items(generator, prompts),
        beam_search(generator, prompts, weights=ItemWeights.from_seen([[0]], 40)),
    )
    trie = generator.vocabulary.trie
    trie.save(tmp_path)
    generator.vocabulary = replace(generator.vocabulary, trie=CatalogTrie.load(tmp_path))
    np.testing.assert_array_equal(score_items(generator, prompts), expected[0])
    decoded = beam_search(generator, prompts, weights=ItemWeights.from_seen([[0]], 40))
    np.testing.assert_array_equal(decoded.items, expected[1].items)


def test_each_node_is_read_once(monkeypatch):
    generator = tiny_generator(codes=tiny_codes(50, levels=3))
    passes, hidden = [], type(generator).hidden
    monkeypatch.setattr(
        type(generator),
        "hidden",
        lambda self, embeddings, *rest: passes.append(embeddings.shape[1]) or hidden(self, embeddings, *rest),
    )
    several = int((~generator.vocabulary.trie.is_decided).sum()) - 1
    score_items(generator, [tiny_prompt(generator, [0])])
    assert passes == [4, several]  # one pass for the prompt, one for all nodes that lead to several items
    passes.clear()
    score_items(generator, [tiny_prompt(generator, [0])], max_queries=8)
    assert max(passes) <= 8 + 2
    assert torch.is_inference_mode_enabled() is False
