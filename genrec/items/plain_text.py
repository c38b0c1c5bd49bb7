"""Tokenizing text that must stay text, whatever it says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase


class PlainText:
    """A base model's tokenizer, with no way for text to become one of its special tokens.

    Parameters
    ----------
    tokenizer
        A fast tokenizer. Not changed.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.get_added_vocab()
        self._added_ids = frozenset(added.values())
        longest_first = sorted((token for token in added if len(token) > 1), key=len, reverse=True)
        self._added = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        bos = tokenizer.bos_token_id
        self.start: list[int] = [bos] if bos is not None and bos in tokenizer("")["input_ids"] else []

    def tokens(self, text: str) -> NDArray[np.int64]:
        """Token ids of ``text``, (T,), none of them an added or special token."""
        return np.array(self._encode(text), dtype=np.int64)

    def cut(self, text: str, excess: int) -> str:
        """``text`` without about ``excess`` tokens of its end, and always shorter than before."""
        encoded = self._tokenizer(
            text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True
        )
        # The tokenizer may drop all of the text, such as zero-width characters: then nothing of it is kept.
        starts = [start for start, _ in encoded["offset_mapping"]] or [0]
        return text[: min(starts[max(len(starts) - excess, 0)], len(text) - 1)].rstrip()

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
        if self._added_ids.isdisjoint(ids):
            return ids
        if not self._added.search(text):
            return ids  # an added token of one character is that character
        # split_special_tokens does not cover added tokens that are not marked special: break them after a character.
        broken = self._added.sub(lambda match: match[0][0] + "\0" + match[0][1:], text.replace("\0", ""))
        return [token for piece in broken.split("\0") if piece for token in self._encode(piece)]
