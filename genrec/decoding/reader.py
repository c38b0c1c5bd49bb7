"""What beam search asks of a model: how likely the codes are that may follow a prompt, or a beam."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from genrec.decoding.tree_attention import TreeReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.decoding.prompt_cache import PromptCache
    from genrec.model.code_head import Children
    from genrec.model.generator import Generator
    from genrec.prompt.sequence import TokenSequence
    from genrec.trie import CatalogTrie


class CodeReader(Protocol):
    """B prompts, and the beams that grow from them, read by some model.

    Attributes
    ----------
    trie
        The catalog trie.
    is_decided
        bool (num_nodes,): that of the trie, where the reader computes. Beams do not grow from such nodes.
    num_prompts
        B.
    """

    trie: CatalogTrie
    is_decided: Tensor
    num_prompts: int

    def first(self) -> Tensor:
        """Log-probabilities of the root's children after each prompt, float32 (B, K0)."""
        ...

    def grow(self, user: Tensor, node: Tensor, origin: Tensor) -> Children:
        """Log-probabilities of the children of beams that are one code longer than those of the call before.

        Parameters
        ----------
        user
            int64 (n,), ascending: the prompt of each beam.
        node
            int64 (n,): the inner node it has reached.
        origin
            int64 (n,): which beam of the call before it grew from; at first, its prompt.
        """
        ...


class GeneratorReader:
    """Reads with a generator in this process: prompts once, then the nodes of all beams by tree attention.

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    prompts
        B prompts.
    remembered
        Prompts read before, see :class:`~genrec.decoding.tree_attention.TreeReader`. Default none.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> prompt = TokenSequence(np.array([0]), np.array([-1], dtype=np.int32))
    >>> reader = GeneratorReader(tiny_generator(num_items=6), [prompt])
    >>> round(reader.first().exp().sum().item(), 4)
    1.0
    """

    def __init__(
        self, generator: Generator, prompts: Sequence[TokenSequence], remembered: PromptCache | None = None
    ) -> None:
        self.trie = generator.vocabulary.trie
        self.is_decided = generator.head.is_decided
        self.num_prompts = len(prompts)
        self._head = generator.head
        self._tree = TreeReader(generator, prompts, remembered)
        self._depth = 0
        # Which cached tree nodes are a beam's ancestors, bool (n, S).
        self._path = torch.zeros(len(prompts), 0, dtype=torch.bool, device=generator.device)

    def first(self) -> Tensor:
        """See :meth:`CodeReader.first`."""
        return self._head.root_logprobs(self._tree.prompt_hidden)

    def grow(self, user: Tensor, node: Tensor, origin: Tensor) -> Children:
        """See :meth:`CodeReader.grow`. The j-th beam of a user becomes the user's j-th query."""
        self._depth += 1
        slot = _rank_in_user(user)
        num_slots = int(slot.max()) + 1
        path = torch.cat([self._path[origin], torch.nn.functional.one_hot(slot, num_slots).bool()], dim=1)
        nodes = node.new_full((self.num_prompts, num_slots), -1)
        nodes[user, slot] = node
        visible = path.new_zeros(self.num_prompts, num_slots, path.shape[1])
        visible[user, slot] = path
        hidden = self._tree.read(nodes, nodes.new_tensor(self._depth), visible)
        self._path = path
        return self._head.child_logprobs(hidden[user, slot], node)


def _rank_in_user(user: Tensor) -> Tensor:
    """Position of each entry among those of its user; ``user`` is ascending."""
    count = torch.bincount(user)
    return torch.arange(len(user), device=user.device) - (count.cumsum(0) - count)[user]
