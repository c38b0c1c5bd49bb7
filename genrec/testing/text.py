"""Text tokenizers small enough to read: one token a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import PreTrainedTokenizerFast

if TYPE_CHECKING:
    from collections.abc import Sequence

UNKNOWN, END = "<unk>", "<end>"


def word_tokenizer(words: Sequence[str]) -> PreTrainedTokenizerFast:
    """Make a fast tokenizer that splits at spaces.

    Parameters
    ----------
    words
        The words it knows, in order of token id, which start at 2: 0 is ``<unk>``, 1 ``<end>``.

    Returns
    -------
    PreTrainedTokenizerFast
        With ``<end>`` as end-of-text token and no begin token.

    Examples
    --------
    >>> word_tokenizer(["red", "tea"])("tea red blue")["input_ids"]
    [3, 2, 0]
    """
    vocabulary = {word: token for token, word in enumerate([UNKNOWN, END, *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token=UNKNOWN, eos_token=END)
