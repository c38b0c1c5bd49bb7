"""A model of a data set without training it."""

import numpy as np
import pytest

from genrec.items.semantic import SemanticTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.config import CodeHeadConfig
from genrec.model.description import DatasetReference, ModelDescription
from genrec.model.folder import LoadedModel
from genrec.prompt.templates import Templates
from genrec.trie import CatalogTrie


@pytest.fixture(scope="session")
def toy_model():
    """Make a model with random weights, on semantic IDs of a data set's catalog."""

    def make(dataset, config):
        num_items = len(dataset.catalog)
        base = load_base(config, max_positions=128)
        vectors = np.random.default_rng(1).normal(size=(num_items, 8)).astype(np.float32)
        tokenizer = SemanticTokenizer.fit(vectors, levels=2, codes_per_level=6)
        vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), base.text_size)
        generator = build_generator(base, vocabulary, config, CodeHeadConfig(init="normal")).eval()
        generator.head.code_vectors.data *= 30.0  # so that scores lie apart
        description = ModelDescription(
            genrec_version="0",
            base=config,
            base_fingerprint="",
            head=CodeHeadConfig(),
            max_items=8,
            max_tokens=100,
            templates=Templates.load().sources,
            dataset=DatasetReference(name="toy", location="toy", num_items=num_items, split="none"),
        )
        return LoadedModel(generator, base.text_tokenizer, dataset.catalog.ids.ids, description)

    return make
