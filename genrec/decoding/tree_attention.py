"""Prompts read once, and trie nodes read after them by attention that follows the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from genrec.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.model.generator import Generator
    from genrec.prompt.sequence import TokenSequence


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

    def __init__(self, generator: Generator, prompts: Sequence[TokenSequence]) -> None:
        written = 1 if generator.vocabulary.one_position else generator.vocabulary.trie.num_levels
        check_prompts(generator, prompts, written - 1)
        device = generator.device
        lengths = torch.tensor([len(prompt) for prompt in prompts], device=device)
        position = torch.arange(int(lengths.max()), device=device).expand(len(prompts), -1)
        tokens, nodes = torch.zeros_like(position), torch.full_like(position, -1)
        self._real = position < lengths[:, None]
        tokens[self._real] = torch.from_numpy(np.concatenate([prompt.tokens for prompt in prompts])).to(tokens)
        nodes[self._real] = torch.from_numpy(np.concatenate([prompt.nodes for prompt in prompts])).to(nodes)

        self.generator = generator
        self.cache = DynamicCache()
        self._lengths = lengths
        self._code_tokens = torch.tensor(generator.vocabulary.code_tokens, device=device)
        hidden = finite(generator.hidden(generator.embed(tokens, nodes), self._real.long(), position, self.cache))
        self.prompt_hidden = hidden[torch.arange(len(prompts), device=device), lengths - 1]

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
        mask = torch.zeros(1, dtype=embeddings.dtype, device=embeddings.device).where(
            torch.cat([prompt, visible], dim=2), torch.finfo(embeddings.dtype).min
        )
        position = (self._lengths[:, None] + depth - 1).expand_as(nodes)
        return finite(self.generator.hidden(embeddings, mask[:, None], position, self.cache))

    def forget(self) -> None:
        """Drop all nodes from the cache and keep the prompts."""
        added = self.cache.get_seq_length() - self._real.shape[1]
        if added:
            self.cache.crop(-added)


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
