"""The catalog as a constraint on ``generate()`` of transformers, for those who want nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import LogitsProcessor

if TYPE_CHECKING:
    from torch import FloatTensor, LongTensor, Tensor

    from genrec.items.vocabulary import ItemVocabulary


class CatalogLogitsProcessor(LogitsProcessor):
    """Allows only tokens that continue the ID of an existing item, and the end token after one.

    All rows descend the trie at once, by binary search over its edges. The model must have output rows for
    the item codes. :func:`~genrec.decoding.beam.beam_search` is faster and always finds k items; this is for
    models, sampling methods or tools that are built on ``generate``.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie.
    prompt_length
        Tokens of ``input_ids`` before the item; prompts of different lengths are padded on the left.
    eos_token_id
        Token that ends the text after an item.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.testing import tiny_generator
    >>> vocabulary = tiny_generator(codes=np.array([[0, 2], [0, 3], [1, 2]])).vocabulary
    >>> allow = CatalogLogitsProcessor(vocabulary, prompt_length=1, eos_token_id=1)
    >>> for text in ([0], [0, 2], [0, 2, 5]):
    ...     print(allow(torch.tensor([text]), torch.zeros(1, 6)).isfinite().nonzero()[:, 1].tolist())
    [2, 3]
    [4, 5]
    [1]
    """

    def __init__(self, vocabulary: ItemVocabulary, prompt_length: int, eos_token_id: int) -> None:
        trie = vocabulary.trie
        self.prompt_length = prompt_length
        self.eos_token_id = eos_token_id
        self._indptr = torch.from_numpy(trie.indptr.astype("int64"))
        self._token = torch.tensor(vocabulary.code_tokens)[torch.from_numpy(trie.code[1:].astype("int64"))]
        self._stride = int(self._token.max()) + 1
        # Edges ordered by parent, then token: a node's child is found by one search for (parent, token).
        key = torch.from_numpy(trie.parent[1:].astype("int64")) * self._stride + self._token
        self._key, self._edge = key.sort()

    def __call__(self, input_ids: LongTensor, scores: FloatTensor) -> FloatTensor:
        """Set the scores (R, V) of all tokens to -inf but those allowed after ``input_ids`` (R, T)."""
        node = torch.zeros(len(input_ids), dtype=torch.int64)
        for token in input_ids[:, self.prompt_length :].cpu().T:
            node = self._child(node, token)
        begin, count = self._indptr[node], self._indptr[node + 1] - self._indptr[node]
        row = torch.repeat_interleave(count)
        token = self._token[begin[row] + torch.arange(len(row)) - (count.cumsum(0) - count)[row]]
        ended = (count == 0).nonzero()[:, 0]
        row = torch.cat([row, ended]).to(scores.device)
        token = torch.cat([token, torch.full_like(ended, self.eos_token_id)]).to(scores.device)
        allowed = torch.full_like(scores, -torch.inf)
        allowed[row, token] = scores[row, token]
        return allowed  # type: ignore[return-value]

    def _child(self, node: Tensor, token: Tensor) -> Tensor:
        """Follow one token from each node; stay where there is no such edge, as after the end of an item."""
        key = node * self._stride + token
        place = torch.searchsorted(self._key, key).clamp(max=len(self._key) - 1)
        found = (self._key[place] == key) & (token < self._stride)
        return torch.where(found, self._edge[place] + 1, node)
