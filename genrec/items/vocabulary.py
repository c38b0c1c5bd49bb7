"""Where item codes meet the token ids of a language model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.items.base import ItemTokenizer
    from genrec.trie import CatalogTrie


@dataclass(frozen=True, eq=False)
class ItemVocabulary:
    """Token ids and trie nodes of every catalog item.

    A model's token ids are its text tokens, ``0 .. text_size - 1``, followed by one new token a code.
    A title tokenizer's codes *are* text tokens, so it adds none.

    Parameters
    ----------
    tokenizer
        The item tokenizer: ``codes`` (N, L), ``num_codes`` C.
    trie
        The trie over the tokenizer's codes.
    text_size
        Number of text tokens of the base model (V).
    one_position
        Items are one token in sequences, that of their last code, and its node says which item it is. Default
        False: a token for each code.
    """

    tokenizer: ItemTokenizer
    trie: CatalogTrie
    text_size: int
    one_position: bool = False

    @property
    def num_items(self) -> int:
        """Number of items (N)."""
        return len(self.tokenizer.codes)

    @property
    def num_new_tokens(self) -> int:
        """Rows that the item codes add to the base model's vocabulary: C, or 0 for titles."""
        return 0 if self.tokenizer.text_tokens is not None else self.tokenizer.num_codes

    @property
    def tokens_per_item(self) -> int:
        """Most tokens that an item takes in a sequence."""
        return 1 if self.one_position else self.trie.num_levels

    @cached_property
    def code_tokens(self) -> NDArray[np.int64]:
        """Token id of each code, (C,)."""
        if self.tokenizer.text_tokens is not None:
            return self.tokenizer.text_tokens
        return np.arange(self.tokenizer.num_codes, dtype=np.int64) + self.text_size

    @cached_property
    def tokens(self) -> NDArray[np.int64]:
        """Token ids of each item, (N, L), -1 after the end of a shorter ID; (N, 1) with one position an item."""
        codes = self.tokenizer.codes
        if self.one_position:
            last = (codes >= 0).sum(axis=1, keepdims=True) - 1
            return self.code_tokens[np.take_along_axis(codes, last, axis=1)]
        return np.where(codes >= 0, self.code_tokens[codes], -1)

    @property
    def nodes(self) -> NDArray[np.int32]:
        """Trie node reached after each token of an item, (N, L), -1 after its end; (N, 1) with one position an item."""
        return self.trie.leaf_of[:, None] if self.one_position else self.trie.paths

    @cached_property
    def lengths(self) -> NDArray[np.int32]:
        """Number of tokens of each item, (N,)."""
        lengths: NDArray[np.int32] = (self.tokens >= 0).sum(axis=1, dtype=np.int32)
        return lengths
