"""Prompts read once, and trie nodes read after them by attention that follows the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from genrec.decoding.prompt_cache import Prefix
from genrec.decoding.states import joined, separated
from genrec.errors import ConfigError, ModelError
from genrec.prompt.sequence import TokenSequence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import DynamicCache

    from genrec.decoding.prompt_cache import PromptCache
    from genrec.model.generator import Generator

SPLIT = 1.5
"""Times fewer positions to read, padding included, for which prompts are read in two passes instead of one."""


class TreeReader:
    """Reads nodes of the catalog trie as continuations of B prompts.

    The prompts are read once, in one right-padded batch. After that, any number of nodes of a user are
    query positions of that user's one row: each sees the prompt and its own ancestors, never a sibling.
    So beams share the prompt's keys and values, and the cache grows without being copied per beam or
    reordered when beams die (tree attention; Miao et al. 2024, SpecInfer).

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    prompts
        B prompts of any lengths.
    remembered
        Prompts read before: what one of these begins with is not read again, and they are remembered in turn. It
        changes hidden states by rounding only. Default none.

    Attributes
    ----------
    prompt_hidden
        (B, D): hidden state after the last token of each prompt.
    cache
        Keys and values of the prompts and of all nodes read.

    Raises
    ------
    ConfigError
        If a prompt is empty or leaves no room for an item, or the generator is in training mode.
    ModelError
        If the backbone computes NaN or infinity.

    Examples
    --------
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> prompt = TokenSequence(np.array([0, 0]), np.array([-1, -1], dtype=np.int32))
    >>> reader = TreeReader(tiny_generator(num_items=6), [prompt])
    >>> two_nodes, itself_only = torch.tensor([[1, 2]]), torch.eye(2, dtype=torch.bool)[None]
    >>> reader.read(two_nodes, torch.tensor(1), itself_only).shape[:2], reader.cache.get_seq_length()
    (torch.Size([1, 2]), 4)
    """

    def __init__(
        self, generator: Generator, prompts: Sequence[TokenSequence], remembered: PromptCache | None = None
    ) -> None:
        check_prompts(generator, prompts, generator.vocabulary.tokens_per_item - 1)
        self.generator = generator
        prefixes: list[Prefix | None] = [None] * len(prompts)
        if remembered is not None:
            prefixes = _long_ones_read(generator, prompts, [remembered.find(prompt) for prompt in prompts])
        self._lengths = torch.tensor([len(prompt) for prompt in prompts], device=generator.device)
        self._code_tokens = torch.tensor(generator.vocabulary.code_tokens, device=generator.device)
        self.cache, self._real, self.prompt_hidden = _read(generator, prompts, prefixes)
        if remembered is not None:
            for prompt, states in zip(prompts, separated(self.cache, self._real), strict=True):
                remembered.store(prompt, states)

    def read(self, nodes: Tensor, depth: Tensor, visible: Tensor) -> Tensor:
        """Hidden states after M trie nodes of each user.

        Parameters
        ----------
        nodes
            int64 (B, M): nodes below the root; where a user has fewer than M, any negative number.
        depth
            Depths of the nodes, broadcastable to (B, M).
        visible
            bool (B, M, S): which of the S tree nodes cached so far, these M last among them, a node sees:
            itself and its ancestors.

        Returns
        -------
        Tensor
            (B, M, D); what stands at padding means nothing.

        Raises
        ------
        ModelError
            If the backbone computes NaN or infinity.
        """
        node = nodes.clamp(min=1)
        if self.generator.vocabulary.one_position:
            before = self.prompt_hidden[:, None].expand(*nodes.shape, -1)
            return finite(self.generator.head.descend(before, node))
        tokens = self._code_tokens[self.generator.head.node_code[node]]
        embeddings = self.generator.embed(tokens, node)
        # Padding sees the prompt too: a row that saw nothing at all would turn into NaN in some kernels.
        prompt = self._real[:, None, :].expand(-1, nodes.shape[1], -1)
        mask = _additive(torch.cat([prompt, visible], dim=2), embeddings)
        position = (self._lengths[:, None] + depth - 1).expand_as(nodes)
        return finite(self.generator.hidden(embeddings, mask, position, self.cache))

    def forget(self) -> None:
        """Drop all nodes from the cache and keep the prompts."""
        added = self.cache.get_seq_length() - self._real.shape[1]
        if added:
            self.cache.crop(-added)


def _long_ones_read(
    generator: Generator, prompts: Sequence[TokenSequence], prefixes: list[Prefix | None]
) -> list[Prefix | None]:
    """Beginnings of B prompts, made longer where much is new in some of them and little in the others.

    Read at once, most of it would be padding. So those with much are read first, but for their last token.
    """
    new = np.array(
        [len(p) - (0 if known is None else known.length) for p, known in zip(prompts, prefixes, strict=True)]
    )
    is_long = new > new.mean()
    if not is_long.any() or len(new) * new.max() < SPLIT * (is_long.sum() * new.max() + len(new) * new[~is_long].max()):
        return prefixes
    rows = np.flatnonzero(is_long)
    begun = [TokenSequence(prompts[row].tokens[:-1], prompts[row].nodes[:-1]) for row in rows]
    cache, real, _ = _read(generator, begun, [prefixes[row] for row in rows])
    longer = dict(zip(rows.tolist(), separated(cache, real), strict=True))
    return [
        Prefix(len(prompt) - 1, longer[row]) if row in longer else known
        for row, (prompt, known) in enumerate(zip(prompts, prefixes, strict=True))
    ]


def _read(
    generator: Generator, prompts: Sequence[TokenSequence], prefixes: Sequence[Prefix | None]
) -> tuple[DynamicCache, Tensor, Tensor]:
    """Read what is new in B prompts.

    Keys and values of all of each, which of their S positions are real, (B, S), and the last hidden states, (B, D).
    """
    device = generator.device
    begin = [0 if prefix is None else prefix.length for prefix in prefixes]
    cache, held = joined(prefixes, device)
    lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
    first = torch.tensor(begin, device=device)
    column = torch.arange(int((lengths - first).max()), device=device)
    new = column < (lengths - first)[:, None]
    # Padding behind a long beginning would stand beyond the last position there is.
    position = (first[:, None] + column).clamp(max=int(lengths.max()) - 1)
    tokens, nodes = torch.zeros_like(position), torch.full_like(position, -1)
    rest = [(prompt.tokens[at:], prompt.nodes[at:]) for prompt, at in zip(prompts, begin, strict=True)]
    tokens[new] = torch.from_numpy(np.concatenate([part for part, _ in rest])).to(tokens)
    nodes[new] = torch.from_numpy(np.concatenate([part for _, part in rest])).to(nodes)
    embeddings = generator.embed(tokens, nodes)
    mask = _additive(_causal(held, new), embeddings) if held.shape[1] else new.long()
    last = finite(generator.hidden(embeddings, mask, position, cache, lengths - first - 1))
    return cache, torch.cat([held, new], dim=1), last[:, 0]


def _causal(held: Tensor, new: Tensor) -> Tensor:
    """Which positions each new one sees, bool (B, T, P + T): those held (B, P), and new ones (B, T) up to itself."""
    before = torch.ones(new.shape[1], new.shape[1], dtype=torch.bool, device=new.device).tril()
    return torch.cat([held[:, None].expand(-1, new.shape[1], -1), new[:, None] & before], dim=2)


def _additive(visible: Tensor, embeddings: Tensor) -> Tensor:
    """What the backbone adds to its attention scores, (B, 1, T, S), from what is visible, bool (B, T, S)."""
    lowest = torch.finfo(embeddings.dtype).min
    return torch.zeros(1, dtype=embeddings.dtype, device=embeddings.device).where(visible, lowest)[:, None]


def finite(hidden: Tensor) -> Tensor:
    """Refuse states that no ranking can be made of: beams would vanish without a word.

    Raises
    ------
    ModelError
        If one is NaN or infinite.
    """
    if not hidden.isfinite().all():
        raise ModelError(
            "the backbone computes NaN or infinite hidden states",
            hint="load it in float32 or bfloat16 (float16 overflows), or go back to an earlier checkpoint",
        )
    return hidden


def check_prompts(generator: Generator, prompts: Sequence[TokenSequence], room: int) -> None:
    """Refuse prompts that cannot be read, or followed by so many tokens, and a generator that would drop out.

    Raises
    ------
    ConfigError
        If it is so.
    """
    if generator.backbone.training:
        raise ConfigError("decoding with dropout: the generator is in training mode", hint="call generator.eval()")
    if min((len(prompt) for prompt in prompts), default=0) == 0:
        raise ConfigError("nothing to decode: no prompts, or one without a token")
    needed = max(len(prompt) for prompt in prompts) + room
    if needed > generator.max_positions:
        raise ConfigError(
            f"the longest prompt and what follows it need {needed} positions, the model has {generator.max_positions}",
            hint="build prompts with a smaller max_tokens",
        )
