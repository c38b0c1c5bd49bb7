"""A base model that reads text, and models of every kind on top of it and beside it."""

import numpy as np
import pytest

from genrec.items.atomic import AtomicTokenizer
from genrec.items.semantic import SemanticTokenizer
from genrec.items.title import TitleTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.config import CodeHeadConfig, PretrainedConfig, ScratchConfig
from genrec.model.description import DatasetReference, ModelDescription
from genrec.testing import toy_catalog
from genrec.testing.tiny_base import save_tiny_base
from genrec.trie import CatalogTrie

NUM_ITEMS = 24
TITLES = toy_catalog(NUM_ITEMS).titles


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory):
    return save_tiny_base(tmp_path_factory.mktemp("base"), TITLES)


@pytest.fixture(scope="session")
def make_model(base_folder):
    """A generator with random weights everywhere that training changes, and its description."""

    def make(kind, items="atomic", node_residual=False, quantization="none", one_position=False):
        config = (
            ScratchConfig(layers=1, width=32, heads=2)
            if kind == "scratch"
            else PretrainedConfig(name=str(base_folder), quantization=quantization)
        )
        base = load_base(config, max_positions=128)
        head = CodeHeadConfig(node_residual=node_residual, one_position=one_position)
        tokenizer = fit(items, base)
        vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), base.text_size, one_position)
        generator = build_generator(base, vocabulary, config, head, titles=TITLES).eval()
        for parameter in generator.trainable().values():
            parameter.data += 0.1 * parameter.data.new_tensor(np.random.default_rng(0).normal(size=parameter.shape))
        description = ModelDescription(
            genrec_version="0",
            base=config,
            base_fingerprint=base.fingerprint,
            head=head,
            max_items=8,
            max_tokens=100,
            templates={},
            dataset=DatasetReference(name="toy", location="toy", num_items=NUM_ITEMS, split="none"),
        )
        return generator, description

    return make


def fit(items, base):
    if items == "atomic":
        return AtomicTokenizer.fit(NUM_ITEMS)
    if items == "title":
        return TitleTokenizer.fit(TITLES, base.text_tokenizer)
    vectors = np.random.default_rng(1).normal(size=(NUM_ITEMS, 8)).astype(np.float32)
    return SemanticTokenizer.fit(vectors, levels=2, codes_per_level=6)
