"""Further items in a generator: what is shared, what is new, and what the new starts from."""

import numpy as np
import pytest
import torch

from genrec.decoding import score_items
from genrec.errors import DataError
from genrec.items.atomic import AtomicTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.code_head import CodeHead
from genrec.model.generator import Generator
from genrec.model.grow import grown
from genrec.testing import FixedTokenizer, tiny_generator, tiny_prompt
from genrec.trie import CatalogTrie

OLD = np.array([[0, 3, 6], [0, 3, 8], [0, 5, 7], [2, 4, 6], [2, 4, 8]], dtype=np.int32)
NEW = np.array([[0, 3, 7], [2, 5, 6], [1, 3, 6], [2, 4, 7]], dtype=np.int32)


def extended(*rows):
    return FixedTokenizer(np.concatenate([OLD, *rows]))


@pytest.mark.parametrize("residual", [False, True])
def test_old_items_keep_their_vectors_under_new_node_numbers(residual):
    old = tiny_generator(codes=OLD, node_residual=residual)
    new = grown(old, extended(NEW))
    assert new.backbone is old.backbone
    assert new.head.code_vectors is old.head.code_vectors
    assert not new.training
    if residual:
        before, after = old.vocabulary.trie.paths, new.vocabulary.trie.paths[: len(OLD)]
        assert torch.equal(new.head.node_vectors[after], old.head.node_vectors[before])
        assert torch.equal(new.head.item_vectors[: len(OLD)], old.head.item_vectors)


def test_without_residuals_a_grown_generator_is_one_built_with_all_items():
    old = tiny_generator(codes=OLD)
    new = grown(old, extended(NEW))
    whole = tiny_generator(codes=np.concatenate([OLD, NEW]))
    whole.load_state_dict(old.state_dict(), strict=True)
    prompts = [tiny_prompt(new, [0, 6, 2]), tiny_prompt(new, [8])]
    assert score_items(new, prompts) == pytest.approx(score_items(whole, prompts), abs=1e-5)
    trie = CatalogTrie.from_codes(np.concatenate([OLD, NEW]))
    assert all((new.vocabulary.trie.paths == trie.paths).ravel())


def test_ids_of_one_position_may_get_longer():
    few = FixedTokenizer(np.array([[0], [1]], dtype=np.int32))
    vocabulary = ItemVocabulary(few, CatalogTrie.from_codes(few.codes), 2, one_position=True)
    old = Generator(tiny_generator(codes=few.codes).lm, CodeHead(vocabulary, 32), vocabulary).eval()
    more = FixedTokenizer(np.array([[0, -1], [1, -1], [2, 3], [2, 4]], dtype=np.int32))
    new = grown(old, more)
    assert np.exp(score_items(new, [tiny_prompt(new, [3, 0])])).sum() == pytest.approx(1, abs=1e-5)


def test_new_nodes_start_as_the_mean_of_their_siblings():
    old = tiny_generator(codes=OLD, node_residual=True)
    new = grown(old, extended(NEW))
    was, is_now = old.head.node_vectors, new.head.node_vectors
    path = {tuple(row): nodes for row, nodes in zip(OLD.tolist(), old.vocabulary.trie.paths, strict=True)}
    found = new.vocabulary.trie.paths[len(OLD) :]
    # (0, 3, 7): beside the leaves of (0, 3, 6) and (0, 3, 8)
    expected = was[[path[0, 3, 6][2], path[0, 3, 8][2]]].mean(0)
    assert torch.allclose(is_now[found[0][2]], expected)
    # (2, 5, 6): its inner node is beside that of (2, 4), its leaf has nothing beside it
    assert torch.allclose(is_now[found[1][1]], was[path[2, 4, 6][1]])
    assert torch.equal(is_now[found[1][2]], torch.zeros(old.head.width))
    # (1, ...): beside the root's children
    assert torch.allclose(is_now[found[2][0]], was[[path[0, 3, 6][0], path[2, 4, 6][0]]].mean(0))
    # At the input, items start as those beside them.
    assert torch.allclose(new.head.item_vectors[8], old.head.item_vectors[[3, 4]].mean(0))
    assert torch.equal(new.head.item_vectors[6], torch.zeros(old.head.width))


def test_a_new_item_starts_as_those_it_is_most_like():
    old = tiny_generator(codes=OLD, node_residual=True)
    new = grown(old, extended(NEW[:1]), [np.array([4, 1], dtype=np.int32)])
    # Of the two, item 1 alone is beside it.
    leaf, beside = new.vocabulary.trie.leaf_of[5], old.vocabulary.trie.leaf_of[1]
    assert torch.allclose(new.head.node_vectors[leaf], old.head.node_vectors[beside])
    assert torch.allclose(new.head.item_vectors[5], old.head.item_vectors[1])


def atomic(num_items):
    generator = tiny_generator(codes=np.arange(num_items)[:, None])
    tokenizer = AtomicTokenizer.fit(num_items)
    generator.vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), 2)
    return generator


def test_a_code_of_its_own_starts_as_those_of_the_items_most_like_it():
    old = atomic(6)
    near = [np.array([1, 4], dtype=np.int32), np.array([], dtype=np.int32)]
    new = grown(old, old.vocabulary.tokenizer.extend(2), near)
    assert torch.equal(new.head.code_vectors[:6], old.head.code_vectors)
    assert torch.allclose(new.head.code_vectors[6], old.head.code_vectors[[1, 4]].mean(0))
    assert torch.allclose(new.head.code_vectors[7], old.head.code_vectors.mean(0))
    # So it ranks between them, whatever the history.
    scores = score_items(new, [tiny_prompt(new, [item]) for item in range(8)])
    assert (scores[:, 6] <= scores[:, [1, 4]].max(axis=1) + 1e-5).all()
    assert (scores[:, 6] >= scores[:, [1, 4]].min(axis=1) - 1e-5).all()


def test_an_id_that_begins_another_is_refused():
    old = tiny_generator(codes=OLD)
    with pytest.raises(DataError):
        grown(old, extended(np.array([[0, 3, -1]], dtype=np.int32)))
