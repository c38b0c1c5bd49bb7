"""The training loss: item codes only, each against the other children of its trie node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from genrec.model.generator import Generator
    from genrec.training.batches import Batch
    from genrec.training.teacher import TeacherTargets


class CodeLoss(nn.Module):
    """Cross-entropy of every supervised item token, times what it counts for, summed.

    It is a module, so that accelerate can wrap it and gradients are exchanged between processes.

    Parameters
    ----------
    generator
        The model.
    label_smoothing
        Share of each target spread evenly over all children of its node. Default 0.
    teacher
        Soft targets: the items that another model expects, summed over the children of each node on the way to
        the true item (Hinton et al. 2015). Default: none.
    sampled
        Below the root, learn from the teacher on the way to an item drawn from it rather than to the true one.
        Only where items take one position each. Default False.

    Attributes
    ----------
    teacher_weight
        Share of the loss that is against the teacher; may change from step to step. 0 at first.

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

    paths: Tensor
    depth: Tensor

    def __init__(
        self,
        generator: Generator,
        label_smoothing: float = 0.0,
        teacher: TeacherTargets | None = None,
        *,
        sampled: bool = False,
    ) -> None:
        super().__init__()
        self.generator = generator
        self.label_smoothing = label_smoothing
        self.teacher = teacher
        self.sampled = sampled
        self.teacher_weight = 0.0
        trie = generator.vocabulary.trie
        self.register_buffer("paths", torch.from_numpy(trie.paths.astype("int64")), persistent=False)
        self.register_buffer("depth", torch.from_numpy(trie.depth.astype("int64")), persistent=False)

    def forward(self, batch: Batch) -> Tensor:
        """Sum of the losses of a batch's targets, in nats."""
        generator, head = self.generator, self.generator.head
        positions = torch.arange(batch.tokens.shape[1], device=batch.tokens.device).expand_as(batch.tokens)
        vectors = generator.embed(batch.tokens, batch.nodes)
        hidden = generator.hidden(vectors, batch.mask.long(), positions)
        target = batch.supervised[:, 1:]
        states, child = hidden[:, :-1][target], batch.answers[:, 1:][target]
        weights = batch.weights[:, 1:][target]
        expected = None
        if self.teacher is not None and self.teacher_weight:
            expected = Expected(*self.teacher.at(batch.interactions[:, 1:][target]))
        if generator.vocabulary.one_position:
            return self._by_depth(states, child, weights, expected)
        before = batch.nodes[:, :-1][target]
        # A target follows an inner node of its own item, or something that ended: then it starts at the root.
        inside = (before >= 0) & (head.indptr[before + 1] > head.indptr[before])
        first = ~inside
        losses = self._root_losses(states[first], child[first], expected and expected[first])
        total = (losses * weights[first]).sum()
        if inside.any():
            losses = self._inner_losses(states[inside], before[inside], child[inside], expected and expected[inside])
            total = total + (losses * weights[inside]).sum()
        return total

    def _by_depth(self, states: Tensor, leaf: Tensor, weights: Tensor, expected: Expected | None) -> Tensor:
        """Loss of items (M,) that take one position each: their codes are read from the state before the item."""
        item = self.generator.head.node_item[leaf]
        total = (self._root_losses(states, self.paths[item, 0], expected) * weights).sum()
        if expected is None or not self.sampled:
            return total + self._below(states, item, weights, expected)
        # The teacher's items lie anywhere: below the nodes of one of them, drawn by its probability, all that it
        # expects there is learned, which on average is its whole distribution over items.
        mass = expected.probabilities.sum(1)
        taught = mass > 0
        drawn = expected.probabilities[taught].multinomial(1).squeeze(1)
        other = expected.items[taught].gather(1, drawn.unsqueeze(1)).squeeze(1)
        share = self.teacher_weight * weights
        total = total + self._below(states, item, torch.where(taught, weights - share, weights), None)
        return total + self._below(states[taught], other, share[taught], expected[taught], whole=True)

    def _below(
        self, states: Tensor, item: Tensor, weights: Tensor, expected: Expected | None, *, whole: bool = False
    ) -> Tensor:
        """Loss at the nodes below the root on the way to items (M,), from the states before these."""
        path = self.paths[item]  # (M, L)
        total = states.new_zeros((), dtype=torch.float32)
        for level in range(1, path.shape[1]):
            rows = path[:, level] >= 0
            parent, child = path[rows, level - 1], path[rows, level]
            if len(parent):
                below = self.generator.head.descend(states[rows], parent)
                losses = self._inner_losses(below, parent, child, expected and expected[rows], whole=whole)
                total = total + (losses * weights[rows]).sum()
        return total

    def _root_losses(self, states: Tensor, child: Tensor, expected: Expected | None = None) -> Tensor:
        logprobs = self.generator.head.root_logprobs(states)  # (M, K0)
        right = logprobs.gather(1, (child - 1).unsqueeze(1)).squeeze(1)
        losses = self._smooth(right, logprobs.mean(1)) if self.label_smoothing else -right
        if expected is None:
            return losses
        first, weight = self.paths[expected.items, 0], self.teacher_weight
        return self._taught(
            losses, logprobs.gather(1, (first - 1).clamp(min=0)), expected.probabilities * (first > 0), weight
        )

    def _inner_losses(
        self, states: Tensor, parent: Tensor, child: Tensor, expected: Expected | None = None, *, whole: bool = False
    ) -> Tensor:
        children = self.generator.head.child_logprobs(states, parent)
        start = children.node[children.first]
        right = children.logprob[children.first + child - start]
        losses = -right
        if self.label_smoothing:
            total = torch.zeros_like(right).index_add(0, children.row, children.logprob)
            losses = self._smooth(right, total / torch.bincount(children.row, minlength=len(parent)))
        if expected is None:
            return losses
        depth = self.depth[parent].unsqueeze(1)
        below = self.paths[expected.items, depth - 1] == parent.unsqueeze(1)
        edge = self.paths[expected.items, depth] - start.unsqueeze(1) + children.first.unsqueeze(1)
        weight = 1.0 if whole else self.teacher_weight
        return self._taught(losses, children.logprob[edge.where(below, 0)], expected.probabilities * below, weight)

    def _taught(self, losses: Tensor, logprobs: Tensor, probabilities: Tensor, weight: float) -> Tensor:
        """Losses moved towards the teacher's, where it expects anything.

        Parameters
        ----------
        losses
            float32 (M,), against the true targets.
        logprobs, probabilities
            float32 (M, top): of the children that lead to the items the teacher expects. Several may lead
            the same way: their probabilities add up.
        weight
            The teacher's share.
        """
        mass = probabilities.sum(1)
        against = -(probabilities * logprobs).sum(1) / mass.clamp(min=1e-9)
        return losses + weight * (mass > 0) * (against - losses)

    def _smooth(self, right: Tensor, uniform: Tensor) -> Tensor:
        return -(1 - self.label_smoothing) * right - self.label_smoothing * uniform


@dataclass(frozen=True, eq=False)
class Expected:
    """What the teacher expects at M targets: items int64 (M, top) and their probabilities float32 (M, top)."""

    items: Tensor
    probabilities: Tensor

    def __getitem__(self, rows: Tensor) -> Expected:
        return Expected(self.items[rows], self.probabilities[rows])
