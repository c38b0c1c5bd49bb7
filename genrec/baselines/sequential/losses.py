"""Softmax over the catalog: all of it, in chunks, or a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

# Logits of so many states stay in the cache; measured, 12,000 items of width 64 take .4 of the time of one chunk.
CHUNK = nn.LinearCrossEntropyOptions(batch_chunk_size=128, chunking_method=None)


def full_softmax(states: Tensor, vectors: Tensor, bias: Tensor, targets: Tensor, smoothing: float = 0.0) -> Tensor:
    """Mean cross entropy over the whole catalog; memory does not grow with the number of states.

    Parameters
    ----------
    states
        (P, D).
    vectors, bias
        (N, D) and (N,): the logits are ``states @ vectors.T + bias``.
    targets
        int64 (P,), the right items.
    smoothing
        Share of each target spread evenly over all items.

    Returns
    -------
    Tensor
        Scalar, in nats.

    Examples
    --------
    >>> full_softmax(torch.zeros(1, 2), torch.ones(5, 2), torch.zeros(5), torch.tensor([3])).item()  # log 5
    1.6094...
    """
    loss = functional.linear_cross_entropy(states, vectors, targets, linear_bias=bias, options=CHUNK)
    if smoothing:
        # log Z - (1 - s) right - s mean = (log Z - right) + s (right - mean), and neither term needs all logits.
        right = (states * (vectors[targets] - vectors.mean(0))).sum(1) + bias[targets] - bias.mean()
        loss = loss + smoothing * right.mean()
    return loss


def sampled_softmax(
    states: Tensor, vectors: Tensor, bias: Tensor, targets: Tensor, negatives: Tensor, smoothing: float = 0.0
) -> Tensor:
    """Mean cross entropy of the target against a uniform sample of items, shared by all states.

    The negatives stand for all items that are no target: their part of the normaliser is scaled up, so that its
    expectation is that of the full softmax.

    Parameters
    ----------
    states, vectors, bias, targets, smoothing
        As in :func:`full_softmax`; smoothing spreads over the sample.
    negatives
        int64 (S,), distinct items. A state's own target among them does not count.

    Returns
    -------
    Tensor
        Scalar, in nats; with all N items as negatives, the full softmax.
    """
    right = (states * vectors[targets]).sum(1) + bias[targets]
    logits = functional.linear(states, vectors[negatives], bias[negatives])  # (P, S)
    own = negatives == targets[:, None]
    others = len(negatives) - own.sum(1, keepdim=True)
    scale = torch.log((len(vectors) - 1) / others.clamp(min=1))
    normaliser = torch.logsumexp(torch.cat([right[:, None], (logits + scale).masked_fill(own, -torch.inf)], 1), 1)
    loss = normaliser - right
    if smoothing:
        mean = (right + logits.masked_fill(own, 0).sum(1) * scale.exp().squeeze(1)) / len(vectors)
        loss = loss + smoothing * (right - mean)
    return loss.mean()
