"""Text and items in one answer: free text with item spans, the catalog trie active inside the spans only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from genrec.decoding.item_spans import TEXT, ItemSpans
from genrec.decoding.tree_attention import check_prompts, finite
from genrec.errors import ConfigError
from genrec.prompt.sequence import TokenSequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from genrec.decoding.item_spans import SpanRows
    from genrec.decoding.weights import ItemWeights
    from genrec.model.generator import Generator


@dataclass(frozen=True, eq=False)
class TextWithItems:
    """An answer that names items.

    Parameters
    ----------
    segments
        Pieces of text, and item indices where the text names an item, in order. Markers are not shown.
    tokens
        All that was written, markers and the end token included: after the prompt, it is what a next prompt may
        start with.
    """

    segments: tuple[str | int, ...]
    tokens: TokenSequence

    @property
    def items(self) -> list[int]:
        """The items, in order."""
        return [segment for segment in self.segments if isinstance(segment, int)]


@torch.inference_mode()
def generate_with_items(
    generator: Generator,
    text_tokenizer: PreTrainedTokenizerBase,
    prompt: TokenSequence,
    *,
    marker: int,
    max_new_tokens: int = 200,
    weights: ItemWeights | None = None,
    alpha: float = 1.0,
    distinct: bool = False,
    temperature: float = 0.0,
    seed: int = 0,
) -> TextWithItems:
    """Let a language model write text in which each item is one that exists and is eligible.

    Text comes from the model's own output layer, items from the code head. A marker token opens a span, as
    :class:`~genrec.decoding.item_spans.ItemSpans` explains; a prompt that ends with it is answered with an
    item first. Each token is read once, its keys and values are kept. Where items take one position each, all codes
    of an item are chosen after what stands before it, and it is then written and read as one token.

    Parameters
    ----------
    generator
        A generator on a base model that reads text, in evaluation mode.
    text_tokenizer
        The base model's tokenizer; its end token ends the answer.
    prompt
        The prompt.
    marker
        Text token that opens a span.
    max_new_tokens
        Most tokens to write, markers, codes and end token included; a span that would not fit is not opened.
        Default 200.
    weights
        Item log-weights, (1, N). Default: all items eligible, no priors.
    alpha
        Factor of finite weights. Default 1.
    distinct
        Name no item twice. Default False.
    temperature
        0 takes the likeliest token; above, tokens are drawn from the probabilities' 1/temperature-th powers. Default 0.
    seed
        Of the draws.

    Returns
    -------
    TextWithItems
        The answer.

    Raises
    ------
    ConfigError
        If the prompt and answer do not fit the model, or a number is out of its range.
    ModelError
        If the backbone computes NaN or infinity.

    Examples
    --------
    >>> from genrec.testing.tiny_base import tiny_text_generator
    >>> generator, tokenizer = tiny_text_generator(np.array([[0, 2], [0, 3], [1, 2]]))
    >>> prompt = TokenSequence(np.array([7, 5]), np.array([-1, -1], dtype=np.int32))
    >>> answer = generate_with_items(generator, tokenizer, prompt, marker=5, max_new_tokens=8)
    >>> answer.segments[0] in {0, 1, 2}, len(answer.tokens) <= 8
    (True, True)
    """
    spans = ItemSpans(generator.vocabulary, marker, weights, alpha, distinct=distinct)
    if spans.weights.shape[0] != 1:
        raise ConfigError(f"one prompt takes the item weights of one user, got {spans.weights.shape}")
    if max_new_tokens < 1:
        raise ConfigError(f"max_new_tokens must be at least 1, got {max_new_tokens}")
    if temperature < 0:
        raise ConfigError(f"temperature must not be negative, got {temperature}")
    check_prompts(generator, [prompt], max_new_tokens)
    choose = _Choice(temperature, seed)
    reader = _Reader(generator, prompt)
    rows = spans.start(torch.from_numpy(prompt.tokens[-1:]))
    longest = generator.vocabulary.tokens_per_item
    if rows.node[0] == 0 and max_new_tokens < longest:
        raise ConfigError(f"an item may take {longest} tokens, max_new_tokens is less")
    end = text_tokenizer.eos_token_id
    tokens, nodes = list[int](), list[int]()
    for room in range(max_new_tokens, 0, -1):
        if int(rows.node[0]) == TEXT:
            logits = reader.text_logits()
            if not spans.may_open(rows, room)[0]:
                logits[marker] = -torch.inf
            token, node = choose(logits), TEXT
            rows = spans.after(rows, torch.tensor([token]))
        else:
            token, node, rows = _code(reader, spans, rows, choose)
            while generator.vocabulary.one_position and int(rows.node[0]) != TEXT:
                token, node, rows = _code(reader, spans, rows, choose)
        tokens.append(token)
        nodes.append(node)
        if room == 1 or (token == end and node == TEXT):
            break
        reader.read(token, node)
    is_leaf = [node > 0 and bool(generator.vocabulary.trie.is_leaf[node]) for node in nodes]
    shown = [
        token if node == TEXT and token not in {marker, end} else None
        for token, node in zip(tokens, nodes, strict=True)
    ]
    segments = _segments(shown, is_leaf, rows.items[0], text_tokenizer)
    return TextWithItems(segments, TokenSequence(np.array(tokens), np.array(nodes, dtype=np.int32)))


def _code(reader: _Reader, spans: ItemSpans, rows: SpanRows, choose: _Choice) -> tuple[int, int, SpanRows]:
    """Token and node of one more code of an item, and the row after it."""
    _, children, added = spans.children(rows)
    node = int(children[choose(reader.code_logprobs(int(rows.node[0]), children) + added)])
    token = int(spans.tree.token[node])
    return token, node, spans.after(rows, torch.tensor([token]))


class _Reader:
    """One sequence that grows, its keys and values kept."""

    def __init__(self, generator: Generator, prompt: TokenSequence) -> None:
        self._generator = generator
        self._cache = DynamicCache()
        self._text_head = cast("nn.Linear", generator.lm.get_output_embeddings())
        self._hidden = self._read(prompt.tokens, prompt.nodes)

    def read(self, token: int, node: int) -> None:
        """Go on by one token."""
        self._hidden = self._read(np.array([token]), np.array([node]))

    def text_logits(self) -> Tensor:
        """Logits of the text tokens, float32 (V,)."""
        logits: Tensor = self._text_head(self._hidden)[0, : self._generator.vocabulary.text_size]
        return logits.float().cpu()

    def code_logprobs(self, node: int, children: Tensor) -> Tensor:
        """Log-probabilities of some children of a node, float32."""
        head = self._generator.head
        if node == 0:
            return head.root_logprobs(self._hidden)[0].cpu()[children - 1]
        inner = torch.tensor([node], device=self._hidden.device)
        one_position = self._generator.vocabulary.one_position  # then the state is the one before the item
        hidden = finite(head.descend(self._hidden, inner)) if one_position else self._hidden
        every = head.child_logprobs(hidden, inner)
        return every.logprob.cpu()[children - every.node[0].cpu()]

    def _read(self, tokens: NDArray[np.int64], nodes: NDArray[np.integer]) -> Tensor:
        generator, before = self._generator, self._cache.get_seq_length()
        device = generator.device
        embeddings = generator.embed(
            torch.tensor(tokens, device=device)[None], torch.tensor(nodes, device=device, dtype=torch.int64)[None]
        )
        mask = torch.ones(1, before + len(tokens), dtype=torch.int64, device=device)
        position = torch.arange(before, before + len(tokens), device=device)[None]
        return finite(generator.hidden(embeddings, mask, position, self._cache)[:, -1])


class _Choice:
    """The likeliest of some logits, or a draw."""

    def __init__(self, temperature: float, seed: int) -> None:
        self._temperature = temperature
        self._random = torch.Generator().manual_seed(seed)

    def __call__(self, logits: Tensor) -> int:
        """Place of the one chosen; of equal ones the first."""
        if self._temperature == 0:
            return int(logits.argmax())
        probabilities = torch.softmax(logits / self._temperature, dim=0)
        return int(torch.multinomial(probabilities, 1, generator=self._random))


def _segments(
    text: Sequence[int | None], ends: Sequence[bool], items: Sequence[int], text_tokenizer: PreTrainedTokenizerBase
) -> tuple[str | int, ...]:
    """Runs of text tokens as strings, and an item at each place where one ends."""
    segments: list[str | int] = []
    run: list[int] = []
    left = iter(items)
    for token, ends_here in zip([*text, None], [*ends, False], strict=True):
        if token is not None:
            run.append(token)
        elif run:
            segments.append(str(text_tokenizer.decode(run)))
            run = []
        if ends_here:
            segments.append(next(left))
    return tuple(segments)
