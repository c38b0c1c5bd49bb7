"""Children of nodes as one list, and softmax within its runs: no row is padded to the widest."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Expansion:
    """The children of M nodes as a list of E edges: no row is padded to the widest.

    Parameters
    ----------
    row
        int64 (E,): which of the M nodes an edge starts from, ascending.
    node
        int64 (E,): the child.
    first
        int64 (M,): position of each node's first edge.
    """

    row: Tensor
    node: Tensor
    first: Tensor


def expand(begin: Tensor, count: Tensor) -> Expansion:
    """List the children of nodes; leaves have none.

    Parameters
    ----------
    begin, count
        int64 (M,): ``indptr`` of the trie at each node, and the number of its children.

    Examples
    --------
    >>> expand(torch.tensor([0, 2, 3]), torch.tensor([2, 0, 1])).node.tolist()
    [1, 2, 4]
    """
    first = count.cumsum(0) - count
    row = torch.repeat_interleave(count)
    node = (begin + 1 - first).index_select(0, row)
    node += torch.arange(len(row), device=count.device)
    return Expansion(row, node, first)


def ragged_log_softmax(logits: Tensor, row: Tensor, num_rows: int) -> Tensor:
    """Log-softmax of logits (E,) within equal values of ``row``, which are in ``0 .. num_rows - 1``.

    Examples
    --------
    >>> ragged_log_softmax(torch.tensor([5.0, 1.0, 1.0]), torch.tensor([0, 1, 1]), 2).exp().tolist()
    [1.0, 0.5, 0.5]
    """
    top = torch.full((num_rows,), float("-inf"), device=logits.device)
    top = top.scatter_reduce(0, row, logits.detach(), "amax")
    shifted = logits - top.index_select(0, row)
    total = torch.zeros(num_rows, device=logits.device).index_add(0, row, shifted.exp())
    return shifted - total.log().index_select(0, row)
