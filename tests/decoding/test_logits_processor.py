import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import GPT2Config, GPT2LMHeadModel, LogitsProcessorList

from genrec.decoding.logits_processor import CatalogLogitsProcessor
from genrec.testing import tiny_codes, tiny_generator


def language_model(size):
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=size, n_positions=64, n_embd=32, n_layer=2, n_head=2, initializer_range=0.3,
        bos_token_id=0, eos_token_id=1, pad_token_id=1,
    )  # fmt: skip
    return GPT2LMHeadModel(config).eval()


def generate(lm, vocabulary, prompts, beams, sample=False):
    allow = CatalogLogitsProcessor(vocabulary, prompts.shape[1], eos_token_id=1)
    return lm.generate(
        prompts, attention_mask=torch.ones_like(prompts), logits_processor=LogitsProcessorList([allow]),
        num_beams=beams, num_return_sequences=beams, do_sample=sample, max_new_tokens=6,
    )[:, prompts.shape[1] :]  # fmt: skip


def items_of(vocabulary, rows):
    ids = {tuple(row[row >= 0].tolist()): item for item, row in enumerate(vocabulary.tokens)}
    return [ids.get(tuple(row[: row.index(1)]) if 1 in row else tuple(row)) for row in rows.tolist()]


@pytest.mark.parametrize("sample", [False, True])
def test_generate_writes_existing_items_only(sample):
    codes = np.full((12, 4), -1)
    codes[:, :3] = tiny_codes(12, levels=3)
    codes[6:, 1:] = -1  # half of the items have an ID of one code
    codes[6:, 0] = np.arange(20, 26)
    vocabulary = tiny_generator(codes=codes[:, :3]).vocabulary
    lm = language_model(vocabulary.text_size + vocabulary.tokenizer.num_codes)
    prompts = torch.zeros(3, 2, dtype=torch.int64)
    for _ in range(3):
        items = items_of(vocabulary, generate(lm, vocabulary, prompts, beams=4, sample=sample))
        assert None not in items
        for user in range(3):
            assert len(set(items[4 * user : 4 * user + 4])) == 4


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_it_allows_what_the_ids_say(ids, data):
    codes = data.draw(ids)
    vocabulary = tiny_generator(codes=codes, titles=True).vocabulary
    length = data.draw(st.integers(0, codes.shape[1]))
    started = [row[:length] for row in vocabulary.tokens[: data.draw(st.integers(1, len(codes)))]]
    text = torch.tensor(np.array([np.concatenate([[0], np.where(row < 0, 1, row)]) for row in started]))
    scores = torch.arange(12.0).expand(len(text), -1)
    allowed = CatalogLogitsProcessor(vocabulary, 1, eos_token_id=1)(text, scores)
    for row, out in zip(started, allowed, strict=True):
        begin = row[row >= 0].tolist()
        matches = [tokens for tokens in vocabulary.tokens.tolist() if tokens[: len(begin)] == begin]
        follow = {(tokens[len(begin)] if len(begin) < len(tokens) else -1) for tokens in matches}
        expected = {1 if token < 0 else token for token in follow}
        assert set(out.isfinite().nonzero()[:, 0].tolist()) == expected
        assert all(out[token] == token for token in expected)
