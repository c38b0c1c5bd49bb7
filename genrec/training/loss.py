"""The training loss: item codes only, each against the other children of its trie node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from genrec.model.generator import Generator
    from genrec.training.batches import Batch


class CodeLoss(nn.Module):
    """Cross-entropy of every supervised item token, times what it counts for, summed.

    It is a module, so that accelerate can wrap it and gradients are exchanged between processes.

    Parameters
    ----------
    generator
        The model.
    label_smoothing
        Share of each target spread evenly over all children of its node. Default 0.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.testing import tiny_generator
    >>> from genrec.training.batches import collate
    >>> from genrec.training.examples import TrainingExample
    >>> generator = tiny_generator(num_items=6).eval()
    >>> tokens, nodes = generator.vocabulary.tokens[3], generator.vocabulary.nodes[3]
    >>> example = TrainingExample(np.append(0, tokens), np.append(-1, nodes), np.arange(1 + len(tokens)) > 0)
    >>> bool(CodeLoss(generator)(collate([example])) > 0)
    True
    """

    def __init__(self, generator: Generator, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.generator = generator
        self.label_smoothing = label_smoothing

    def forward(self, batch: Batch) -> Tensor:
        """Sum of the losses of a batch's targets, in nats."""
        generator, head = self.generator, self.generator.head
        positions = torch.arange(batch.tokens.shape[1], device=batch.tokens.device).expand_as(batch.tokens)
        vectors = generator.embed(batch.tokens, batch.nodes)
        hidden = generator.hidden(vectors, batch.mask.long(), positions)
        target = batch.supervised[:, 1:]
        child = batch.nodes[:, 1:][target]
        before = batch.nodes[:, :-1][target]
        # A target follows an inner node of its own item, or something that ended: then it starts at the root.
        inside = (before >= 0) & (head.indptr[before + 1] > head.indptr[before])
        states = hidden[:, :-1][target]
        losses = states.new_empty(len(states), dtype=torch.float32)
        if not inside.all():
            losses = losses.masked_scatter(~inside, self._root_losses(states[~inside], child[~inside]))
        if inside.any():
            losses = losses.masked_scatter(inside, self._inner_losses(states[inside], before[inside], child[inside]))
        return (losses * batch.weights[:, 1:][target]).sum()

    def _root_losses(self, states: Tensor, child: Tensor) -> Tensor:
        logprobs = self.generator.head.root_logprobs(states)  # (M, K0)
        right = logprobs.gather(1, (child - 1).unsqueeze(1)).squeeze(1)
        return self._smooth(right, logprobs.mean(1)) if self.label_smoothing else -right

    def _inner_losses(self, states: Tensor, parent: Tensor, child: Tensor) -> Tensor:
        children = self.generator.head.child_logprobs(states, parent)
        right = children.logprob[children.first + child - children.node[children.first]]
        if not self.label_smoothing:
            return -right
        total = torch.zeros_like(right).index_add(0, children.row, children.logprob)
        return self._smooth(right, total / torch.bincount(children.row, minlength=len(parent)))

    def _smooth(self, right: Tensor, uniform: Tensor) -> Tensor:
        return -(1 - self.label_smoothing) * right - self.label_smoothing * uniform
