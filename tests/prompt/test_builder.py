"""Prompts: item tokens where the template says, text that stays text, a budget that never cuts an item."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from genrec.errors import ConfigError
from genrec.items.plain_text import PlainText
from genrec.items.vocabulary import ItemVocabulary
from genrec.prompt.builder import PromptBuilder, clean
from genrec.prompt.sequence import TokenSequence
from genrec.prompt.templates import HISTORY, Templates
from genrec.testing.text import word_tokenizer


@pytest.fixture(scope="session")
def builder(templates: Templates, vocabulary: ItemVocabulary, smollm2: PreTrainedTokenizerBase) -> PromptBuilder:
    return PromptBuilder(templates, vocabulary, smollm2, max_tokens=60)


def items(*indices: int) -> np.ndarray:
    return np.array(indices, dtype=np.int32)


def items_of(sequence: TokenSequence, vocabulary: ItemVocabulary) -> list[int]:
    """The items a sequence spells, checking that each stands there whole and without a break."""
    found, run = [], []
    for token, node in zip(sequence.tokens, sequence.nodes, strict=True):
        assert (node >= 0) == (token >= vocabulary.text_size)
        if node < 0:
            assert not run, "an item in half"
            continue
        run.append(token)
        leaf = np.flatnonzero(vocabulary.trie.leaf_of == node)
        if len(leaf):
            expected = vocabulary.tokens[leaf[0]]
            assert run == expected[expected >= 0].tolist()
            found.append(int(leaf[0]))
            run = []
    assert not run, "an item in half"
    return found


def text_of(sequence: TokenSequence, tokenizer: PreTrainedTokenizerBase) -> str:
    return tokenizer.decode(sequence.tokens[sequence.nodes < 0])


def test_history_prompt(builder: PromptBuilder, vocabulary: ItemVocabulary, smollm2: PreTrainedTokenizerBase) -> None:
    sequence = builder.build(items(3, 50, 3))
    assert items_of(sequence, vocabulary) == [3, 50, 3]
    assert text_of(sequence, smollm2) == "History:"
    head = smollm2("History:")["input_ids"]
    expected = [*head, *vocabulary.tokens[3], *vocabulary.tokens[50][:2], *vocabulary.tokens[3]]
    assert sequence.tokens.tolist() == expected
    assert sequence.tokens.dtype == np.int64
    assert sequence.nodes.dtype == np.int32


def test_request_prompt(builder: PromptBuilder, vocabulary: ItemVocabulary, smollm2: PreTrainedTokenizerBase) -> None:
    sequence = builder.build(items(7), " a  comedy\n please ")
    assert items_of(sequence, vocabulary) == [7]
    assert text_of(sequence, smollm2) == "History:\nRequest: a comedy please\nItems:"
    assert text_of(builder.build(items(), "a comedy"), smollm2) == "Request: a comedy\nItems:"
    assert text_of(builder.build(items(7), " \n "), smollm2) == "History:"


def test_special_tokens_and_marks_stay_text(
    builder: PromptBuilder, vocabulary: ItemVocabulary, smollm2: PreTrainedTokenizerBase
) -> None:
    request = f"<|im_start|>x<|endoftext|> <repo_name>{chr(0xF0000)}{chr(0xF0001)}"
    sequence = builder.build(items(1, 2), request)
    assert not set(sequence.tokens) & set(smollm2.all_special_ids)
    assert items_of(sequence, vocabulary) == [1, 2]
    assert "Request: <|im_start|>x<|endoftext|> <repo_name>\n" in text_of(sequence, smollm2)


def test_added_tokens_that_are_not_special_stay_text() -> None:
    tokenizer = word_tokenizer(["say", "<", "sid_7>", "<sid_7"])
    tokenizer.add_tokens(["<sid_7>", "ab", "a"])
    added = set(tokenizer.get_added_vocab().values())
    assert added & set(tokenizer("say <sid_7>", split_special_tokens=True)["input_ids"])
    plain = PlainText(tokenizer)
    multi_character = {tokenizer.get_added_vocab()[token] for token in ("<sid_7>", "ab")}
    assert not multi_character & set(plain.tokens("say <sid_7> ab aab <end><sid_7><sid_7>").tolist())


def test_begin_token_only_where_the_tokenizer_writes_one(smollm2: PreTrainedTokenizerBase) -> None:
    assert PlainText(smollm2).start == []
    from tokenizers.processors import TemplateProcessing

    tokenizer = word_tokenizer(["tea"])
    tokenizer.add_special_tokens({"bos_token": "<s>"})
    bos = tokenizer.bos_token_id
    assert PlainText(tokenizer).start == []
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single="<s> $A", special_tokens=[("<s>", bos)])
    assert PlainText(tokenizer).start == [bos]


def test_oldest_items_go_first_and_whole(builder: PromptBuilder, vocabulary: ItemVocabulary) -> None:
    history = items(*range(40, 60), *range(20))
    kept = items_of(builder.build(history), vocabulary)
    assert kept == history[-len(kept) :].tolist()
    room = builder.max_tokens - len(builder.build(items()))
    used = int(vocabulary.lengths[kept].sum())
    assert used <= room < used + vocabulary.lengths[history[-len(kept) - 1]]


def test_request_is_cut_only_after_all_items_went(
    builder: PromptBuilder,
    vocabulary: ItemVocabulary,
    smollm2: PreTrainedTokenizerBase,
    caplog: pytest.LogCaptureFixture,
) -> None:
    words = " ".join(f"word{number}" for number in range(12))
    sequence = builder.build(items(*range(30)), words)
    assert words in text_of(sequence, smollm2)
    assert 0 < len(items_of(sequence, vocabulary)) < 30
    assert not caplog.records
    with caplog.at_level(logging.INFO, logger="genrec"):
        sequence = builder.build(items(1), words * 20)
    assert "request cut" in caplog.text
    assert items_of(sequence, vocabulary) == []
    assert builder.max_tokens - 5 <= len(sequence) <= builder.max_tokens
    assert text_of(sequence, smollm2).startswith("Request: word0 word1 ")
    assert text_of(sequence, smollm2).endswith("\nItems:")


def test_template_that_does_not_fit(
    templates: Templates, vocabulary: ItemVocabulary, smollm2: PreTrainedTokenizerBase
) -> None:
    with pytest.raises(ConfigError, match="a prompt without items takes"):
        PromptBuilder(templates, vocabulary, smollm2, max_tokens=1)


def test_training_prompt_supervises_the_targets(builder: PromptBuilder, vocabulary: ItemVocabulary) -> None:
    sequence, supervised = builder.build_training(items(1, 2), items(55, 4), "a comedy")
    prompt = builder.build(items(1, 2), "a comedy")
    assert sequence.tokens[: len(prompt)].tolist() == prompt.tokens.tolist()
    assert items_of(sequence, vocabulary) == [1, 2, 55, 4]
    assert supervised.tolist() == [False] * len(prompt) + [True] * 5
    long, supervised = builder.build_training(items(*range(59)), items(55, 4), "a comedy")
    assert len(long) <= builder.max_tokens
    assert supervised.sum() == 5
    many, supervised = builder.build_training(items(1), items(*range(40)), "a comedy")
    assert items_of(many, vocabulary) == [1, *range(10)]
    assert supervised.sum() == builder.max_tokens // 2


def test_history_training_supervises_every_item(
    builder: PromptBuilder, templates: Templates, vocabulary: ItemVocabulary, smollm2: PreTrainedTokenizerBase
) -> None:
    sequence, supervised = builder.build_history(items(5, 50, 6))
    assert sequence.tokens.tolist() == builder.build(items(5, 50, 6)).tokens.tolist()
    assert (supervised == (sequence.nodes >= 0)).all()
    assert items_of(builder.build_history(items(9))[0], vocabulary) == [9]
    # A template with words behind the history: the last item stands behind them, as when it is generated.
    tail = Templates(templates.sources | {HISTORY: "{% for item in history %}{{ item }};{% endfor %} Next:"})
    sequence, _ = PromptBuilder(tail, vocabulary, smollm2, max_tokens=60).build_history(items(5, 50, 6))
    assert items_of(sequence, vocabulary) == [5, 50, 6]
    assert text_of(sequence, smollm2) == ";; Next:"


def test_from_scratch_prompt_is_begin_and_items(templates: Templates, vocabulary: ItemVocabulary) -> None:
    builder = PromptBuilder(templates, vocabulary, None, max_tokens=10)
    sequence = builder.build(items(1, 50, 2, 3), "ignored")
    assert sequence.tokens.tolist() == [0, *vocabulary.tokens[50][:2], *vocabulary.tokens[2], *vocabulary.tokens[3]]
    assert builder.build(items()).tokens.tolist() == [0]
    _, supervised = builder.build_history(items(1, 2))
    assert supervised.tolist() == [False] + [True] * 6


@given(
    history=st.lists(st.integers(0, 59), max_size=60),
    request=st.none() | st.text(max_size=300),
    max_tokens=st.integers(12, 80),
)
def test_budget_always_holds(
    templates: Templates,
    vocabulary: ItemVocabulary,
    smollm2: PreTrainedTokenizerBase,
    history: list[int],
    request: str | None,
    max_tokens: int,
) -> None:
    builder = PromptBuilder(templates, vocabulary, smollm2, max_tokens)
    sequence = builder.build(items(*history), request)
    assert len(sequence) <= max_tokens
    kept = items_of(sequence, vocabulary)
    assert kept == history[len(history) - len(kept) :]
    if len(kept) < len(history):
        longer = PromptBuilder(templates, vocabulary, smollm2, 2000).build(
            items(*history[len(history) - len(kept) - 1 :]), request
        )
        assert len(longer) > max_tokens


def test_clean_is_idempotent_and_encodable() -> None:
    for text in ("a\ud800b", "\U000f0000x", " \t", "e\u0301", "\0"):
        assert clean(clean(text)) == clean(text)
        clean(text).encode()


def test_a_thousand_prompts_take_a_fraction_of_a_second(builder: PromptBuilder, faster_than) -> None:
    rng = np.random.default_rng(0)
    histories = rng.integers(0, 60, (1000, 15)).astype(np.int32)
    # .05 s where it was written; the limit is wide for machines that are slow or shared.
    assert faster_than(1.0, lambda: [builder.build(history) for history in histories])
