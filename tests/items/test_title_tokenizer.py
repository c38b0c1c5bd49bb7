"""Titles as IDs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import PreTrainedTokenizerFast

from genrec.errors import ConfigError
from genrec.items import TitleTokenizer
from genrec.items.loading import load_item_tokenizer
from genrec.testing.text import word_tokenizer
from genrec.trie import CatalogTrie

WORDS = word_tokenizer(["red", "blue", "tea", "pot", "(2)", "(3)", "green"])


def byte_tokenizer():
    """Make a tokenizer of bytes, as GPT-2's without merges, with two special tokens and an added word."""
    vocabulary = {byte: token for token, byte in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(BPE(vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|end|>", bos_token="<|start|>")
    fast.add_tokens([AddedToken("<item_1>", special=False)])
    return fast


BYTES = byte_tokenizer()


def token_ids(tokenizer):
    """Token ids of each item's ID, without the end."""
    return [tokenizer.text_tokens[row[row > 0]].tolist() for row in tokenizer.codes]


def test_codes_are_the_titles_tokens_and_an_end():
    tokenizer = TitleTokenizer.fit(["red tea", "blue"], WORDS)
    assert tokenizer.text_tokens.tolist() == [1, 2, 3, 4]  # end, red, blue, tea
    assert tokenizer.codes.tolist() == [[1, 3, 0], [2, 0, -1]]


def test_titles_with_the_same_tokens_get_numbers():
    titles = ["red tea", "red tea (2)", "red tea", "red tea", "blue", "blue"]
    tokenizer = TitleTokenizer.fit(titles, WORDS)
    named = [" ".join(WORDS.convert_ids_to_tokens(ids)) for ids in token_ids(tokenizer)]
    assert named[:3] == ["red tea", "red tea (2)", "red tea (3)"]
    assert named[3] == "red tea <unk>"  # " (4)", which this tokenizer does not know, is one more distinct ID
    assert named[4:] == ["blue", "blue (2)"]
    assert tokenizer.report().collisions == 3


def test_titles_that_are_prefixes_of_one_another_are_no_prefix_ids():
    trie = CatalogTrie.from_codes(TitleTokenizer.fit(["red", "red tea", "red tea pot"], WORDS).codes)
    assert trie.num_items == 3


@pytest.mark.parametrize("title", ["<|end|>", "Heat<|end|>", "<|start|><item_1>", "a<item_1>b"])
def test_special_tokens_in_a_title_stay_plain_text(title):
    tokenizer = TitleTokenizer.fit([title, "other"], BYTES)
    ids = token_ids(tokenizer)[0]
    assert not set(ids) & set(BYTES.get_added_vocab().values())
    assert BYTES.decode(ids) == title
    assert (tokenizer.codes[0] == 0).sum() == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet=st.characters(codec="utf-8"), max_size=12), min_size=1, max_size=8))
def test_any_titles_make_a_bijection_that_a_trie_takes(titles):
    tokenizer = TitleTokenizer.fit(titles, BYTES)
    assert len(np.unique(tokenizer.codes, axis=0)) == len(titles)
    assert CatalogTrie.from_codes(tokenizer.codes).num_items == len(titles)


def test_long_titles_are_cut_and_stay_distinct():
    tokenizer = TitleTokenizer.fit(["abcdef", "abcxyz", "abc"], BYTES, max_tokens=3)
    assert [BYTES.decode(ids) for ids in token_ids(tokenizer)] == ["abc", "abc (2)", "abc (3)"]


def test_new_titles_keep_clear_of_fitted_ones():
    tokenizer = TitleTokenizer.fit(["red tea", "blue"], WORDS)
    titles = ["red tea", "green pot", "tea"]
    codes = tokenizer.encode_new(titles, WORDS)
    extended = tokenizer.extend(titles, WORDS)
    np.testing.assert_array_equal(extended.codes[:2, :3], tokenizer.codes)
    np.testing.assert_array_equal(extended.codes[2:, : codes.shape[1]], codes)
    np.testing.assert_array_equal(extended.text_tokens[:4], tokenizer.text_tokens)
    named = [" ".join(WORDS.convert_ids_to_tokens(ids)) for ids in token_ids(extended)]
    assert named == ["red tea", "blue", "red tea (2)", "green pot", "tea"]
    assert extended.num_codes == 7


def test_a_tokenizer_without_an_end_token_is_refused():
    fast = word_tokenizer(["red"])
    fast.eos_token = None
    with pytest.raises(ConfigError, match="no end-of-text token"):
        TitleTokenizer.fit(["red"], fast)


def test_max_tokens_below_one_is_refused():
    with pytest.raises(ConfigError, match="max_tokens must be at least 1"):
        TitleTokenizer.fit(["red"], WORDS, max_tokens=0)


def test_the_report_counts_positions_that_items_reach():
    report = TitleTokenizer.fit(["red tea", "blue"], WORDS).report()
    assert report.levels == 3
    assert report.utilisation == (2 / 4, 2 / 4, 1 / 4)
    assert report.entropy == (1.0, 1.0, 0.0)


def test_learned_titles_have_the_same_codes_but_no_text(tmp_path):
    titles = ["red tea", "blue tea", "red tea"]
    text, learned = TitleTokenizer.fit(titles, WORDS), TitleTokenizer.fit(titles, WORDS, learned=True)
    np.testing.assert_array_equal(text.codes, learned.codes)
    assert learned.text_tokens is None
    learned.save(tmp_path)
    again = load_item_tokenizer(tmp_path)
    assert again.text_tokens is None
    grown = again.extend(["green pot"], WORDS)
    assert grown.text_tokens is None
    assert grown.codes[3][grown.codes[3] >= 0].tolist() == [learned.num_codes + 1, learned.num_codes, 0]  # by token id
