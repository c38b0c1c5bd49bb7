"""The exchange object between prompts, training and decoding: text and item codes in one sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TokenSequence:
    """Token ids of a prompt, with the catalog-trie node each item token leads to.

    Parameters
    ----------
    tokens
        Token ids, int64 (T,): text tokens below ``vocabulary.text_size``, item codes as
        :class:`~genrec.items.vocabulary.ItemVocabulary` numbers them.
    nodes
        int32 (T,): the trie node reached after a token that is part of an item, -1 for text.
        A leaf node marks the last token of an item.

    Examples
    --------
    >>> len(TokenSequence(np.array([0, 7]), np.array([-1, 3], dtype=np.int32)))
    2
    """

    tokens: NDArray[np.int64]
    nodes: NDArray[np.int32]

    def __post_init__(self) -> None:
        if self.tokens.shape != self.nodes.shape or self.tokens.ndim != 1:
            msg = f"tokens {self.tokens.shape} and nodes {self.nodes.shape} must both be (T,)"
            raise ValueError(msg)

    def __len__(self) -> int:
        return len(self.tokens)
