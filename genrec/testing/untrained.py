"""A loaded model of a data set that was not trained: the real classes around random weights, made in a moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.items.semantic import SemanticTokenizer
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import load_base
from genrec.model.build import build_generator
from genrec.model.config import CodeHeadConfig, ScratchConfig
from genrec.model.description import DatasetReference, ModelDescription
from genrec.model.folder import LoadedModel
from genrec.prompt.templates import Templates
from genrec.trie import CatalogTrie

if TYPE_CHECKING:
    from genrec.data.dataset import Dataset
    from genrec.model.config import BaseModelConfig

MAX_ITEMS, MAX_TOKENS = 8, 100


def untrained_model(dataset: Dataset, base: BaseModelConfig | None = None) -> LoadedModel:
    """Make a model with random weights, on random semantic IDs of two levels, that reads 8 items.

    Parameters
    ----------
    dataset
        N items, about 36 at most.
    base
        The base model. Default: a small one from scratch, which does not read text.

    Examples
    --------
    >>> from genrec import Recommender
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> len(Recommender(untrained_model(dataset), dataset).recommend(history=["i3"], k=4).items)
    4
    """
    config = ScratchConfig(layers=1, width=32, heads=2) if base is None else base
    loaded = load_base(config, max_positions=128)
    vectors = np.random.default_rng(1).normal(size=(len(dataset.catalog), 8)).astype(np.float32)
    tokenizer = SemanticTokenizer.fit(vectors, levels=2, codes_per_level=6)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(tokenizer.codes), loaded.text_size)
    generator = build_generator(loaded, vocabulary, config, CodeHeadConfig(init="normal")).eval()
    generator.head.code_vectors.data *= 30.0  # so that scores lie apart
    description = ModelDescription(
        genrec_version="0",
        base=config,
        base_fingerprint="",
        head=CodeHeadConfig(),
        max_items=MAX_ITEMS,
        max_tokens=MAX_TOKENS,
        templates=Templates.load().sources,
        dataset=DatasetReference(name="toy", location="toy", num_items=len(dataset.catalog), split="none"),
    )
    return LoadedModel(generator, loaded.text_tokenizer, dataset.catalog.ids.ids, description)
