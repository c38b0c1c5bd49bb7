"""The catalog as a constraint on ``generate()`` of transformers, for those who want nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import LogitsProcessor

from genrec.decoding.item_spans import TEXT
from genrec.decoding.token_trie import TokenTrie, check_token_a_code

if TYPE_CHECKING:
    from torch import FloatTensor, LongTensor

    from genrec.decoding.item_spans import ItemSpans
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

    Raises
    ------
    UnsupportedError
        If items of several codes take one position each, which ``generate`` knows nothing of.

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
        check_token_a_code(vocabulary)
        self.prompt_length = prompt_length
        self.eos_token_id = eos_token_id
        self._tree = TokenTrie(vocabulary)

    def __call__(self, input_ids: LongTensor, scores: FloatTensor) -> FloatTensor:
        """Set the scores (R, V) of all tokens to -inf but those allowed after ``input_ids`` (R, T)."""
        node = torch.zeros(len(input_ids), dtype=torch.int64)
        for token in input_ids[:, self.prompt_length :].cpu().T:
            child = self._tree.child(node, token)
            node = torch.where(child >= 0, child, node)  # after the end of an item, it stays
        row, child = self._tree.children(node)
        ended = self._tree.is_leaf(node).nonzero()[:, 0]
        row = torch.cat([row, ended]).to(scores.device)
        token = torch.cat([self._tree.token[child], torch.full_like(ended, self.eos_token_id)]).to(scores.device)
        allowed = torch.full_like(scores, -torch.inf)
        allowed[row, token] = scores[row, token]
        return allowed  # type: ignore[return-value]


class ItemSpanLogitsProcessor(LogitsProcessor):
    """Lets ``generate`` write text in which each item is one that exists and is eligible.

    The same as :func:`~genrec.decoding.spans.generate_with_items`, for models that have output rows for the item codes,
    as merged exports do: text with item spans that a marker opens.

    Parameters
    ----------
    spans
        The rules.
    prompt_length
        Tokens of ``input_ids`` before the answer; prompts of different lengths are padded on the left.
    max_new_tokens
        That of ``generate``; a span that would not fit is not opened.

    Raises
    ------
    UnsupportedError
        If items of several codes take one position each, which ``generate`` knows nothing of.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.decoding.item_spans import ItemSpans
    >>> from genrec.testing import tiny_generator
    >>> vocabulary = tiny_generator(codes=np.array([[0, 2], [0, 3], [1, 2]])).vocabulary
    >>> allow = ItemSpanLogitsProcessor(ItemSpans(vocabulary, marker=1), prompt_length=1, max_new_tokens=9)
    >>> for text in ([0], [0, 1], [0, 1, 2], [0, 1, 2, 5]):
    ...     print(allow(torch.tensor([text]), torch.zeros(1, 6)).isfinite().nonzero()[:, 1].tolist())
    [0, 1]
    [2, 3]
    [4, 5]
    [0, 1]
    """

    def __init__(self, spans: ItemSpans, prompt_length: int, max_new_tokens: int) -> None:
        check_token_a_code(spans.vocabulary)
        self.spans = spans
        self.prompt_length = prompt_length
        self.max_new_tokens = max_new_tokens

    def __call__(self, input_ids: LongTensor, scores: FloatTensor) -> FloatTensor:
        """Set the scores (R, V) of all tokens to -inf but those allowed after ``input_ids`` (R, T), and add priors."""
        spans = self.spans
        rows = spans.read(input_ids[:, self.prompt_length - 1 :])
        room = self.max_new_tokens - (input_ids.shape[1] - self.prompt_length)
        allowed = torch.full_like(scores, -torch.inf)
        text = torch.arange(spans.vocabulary.text_size, device=scores.device)
        outside = (rows.node == TEXT).nonzero()[:, 0].to(scores.device)
        allowed[outside[:, None], text] = scores[outside[:, None], text]
        shut = (~spans.may_open(rows, room)).to(scores.device)
        allowed[shut, spans.marker] = -torch.inf
        row, node, added = (of_child.to(scores.device) for of_child in spans.children(rows))
        token = spans.tree.token.to(scores.device)[node]
        allowed[row, token] = scores[row, token] + added.to(scores.dtype)
        return allowed  # type: ignore[return-value]
