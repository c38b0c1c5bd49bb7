"""SmolLM2 out of its wheel, converted once and kept in the cache."""

import numpy as np
import pytest
import torch

from genrec.items.vocabulary import ItemVocabulary
from genrec.model.base import SMOLLM2, load_base
from genrec.model.build import build_generator, text_code_vectors
from genrec.model.config import CodeHeadConfig, PretrainedConfig
from genrec.testing.tiny import FixedTokenizer
from genrec.trie import CatalogTrie

TITLES = ["Toy Story (1995)", "<|im_end|> Heat <|endoftext|>", ""]
CODES = np.array([[0, 2], [0, 3], [1, 2]], dtype=np.int32)


@pytest.fixture(scope="session")
def base():
    return load_base(PretrainedConfig(name=SMOLLM2))


def test_it_reads_and_writes_text(base):
    tokens = base.text_tokenizer("The capital of France is", return_tensors="pt")
    written = base.lm.generate(**tokens, max_new_tokens=3, do_sample=False)
    assert "Paris" in base.text_tokenizer.decode(written[0])
    assert base.lm.dtype == torch.float32
    assert base.fingerprint.startswith("sha256 ")


def test_code_vectors_start_as_means_of_title_tokens_and_special_tokens_stay_text(base):
    vocabulary = ItemVocabulary(FixedTokenizer(CODES), CatalogTrie.from_codes(CODES), base.text_size)
    table = base.lm.get_input_embeddings().weight.detach()
    rows = text_code_vectors(table, vocabulary, base.text_tokenizer, TITLES)
    story = base.text_tokenizer(TITLES[0], add_special_tokens=False)["input_ids"]
    heat = base.text_tokenizer(TITLES[1], add_special_tokens=False, split_special_tokens=True)["input_ids"]
    assert not set(heat) & set(base.text_tokenizer.all_special_ids)
    story, heat, nothing = table[story].mean(0), table[heat].mean(0), table.mean(0)
    torch.testing.assert_close(rows, torch.stack([(story + heat) / 2, nothing, (story + nothing) / 2, heat]))
    generator = build_generator(
        base, vocabulary, PretrainedConfig(name=SMOLLM2), CodeHeadConfig(init="text"), titles=TITLES
    )
    torch.testing.assert_close(generator.head.code_vectors.detach(), rows)
