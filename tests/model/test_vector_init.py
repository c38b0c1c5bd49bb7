"""A head that starts from vectors: scores of items follow their similarity before any training."""

import numpy as np
import pytest
import torch

from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.config import CodeHeadConfig, ScratchConfig
from genrec.model.vector_init import SCALE, principal
from genrec.testing.tiny import FixedTokenizer
from genrec.trie import CatalogTrie

CODES = np.array([[0, 3], [0, 4], [1, 3], [1, 5], [2, 4]], dtype=np.int32)


@pytest.mark.parametrize("one_position", [False, True])
@pytest.mark.parametrize("width", [8, 40])
def test_the_vectors_of_an_item_add_up_to_its_own(one_position, width):
    vectors = np.random.default_rng(0).normal(size=(5, 24)).astype(np.float32)
    vocabulary = ItemVocabulary(FixedTokenizer(CODES, None), CatalogTrie.from_codes(CODES), 2, one_position)
    config = ScratchConfig(layers=1, width=width, heads=2)
    settings = CodeHeadConfig(node_residual=True, init="vectors", one_position=one_position)
    head = build_generator(load_base(config), vocabulary, config, settings, item_vectors=vectors).head
    whole = principal(vectors, width)
    leaf = torch.from_numpy(vocabulary.trie.leaf_of).long()
    torch.testing.assert_close(head.path_vectors(leaf) + head.node_vectors[leaf], whole, atol=1e-5, rtol=1e-4)
    tokens = torch.from_numpy(vocabulary.tokens[:, -1])
    torch.testing.assert_close(head.input_vectors(tokens, leaf), whole, atol=1e-5, rtol=1e-4)
    assert whole.square().mean().sqrt().item() == pytest.approx(SCALE, rel=1e-4)


def test_principal_components_keep_distances():
    vectors = np.random.default_rng(1).normal(size=(9, 6)).astype(np.float32)
    found, scale = principal(vectors, 7), None
    for left, right in ((0, 1), (2, 5), (3, 8)):
        ratio = (found[left] - found[right]).norm().item() / np.linalg.norm(vectors[left] - vectors[right])
        scale = scale or ratio
        assert ratio == pytest.approx(scale, rel=1e-4)
