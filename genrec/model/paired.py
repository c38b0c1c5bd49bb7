"""Products of pairs of vectors that are picked from two tables."""

from __future__ import annotations

import torch
from torch import Tensor

AT_ONCE = 2**18
"""Numbers of each table that are gathered at a time on a CPU: its cache is several times faster than memory."""


def paired_products(left: Tensor, right: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Scalar products ``left[row] . right[column]``.

    Parameters
    ----------
    left, right
        float32 (M, D) and (N, D).
    row, column
        int64 (E,).

    Returns
    -------
    Tensor
        float32 (E,).

    Examples
    --------
    >>> left, right = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[1.0, 0.0], [1.0, 1.0]])
    >>> paired_products(left, right, torch.tensor([0, 1, 1]), torch.tensor([1, 0, 1])).tolist()
    [3.0, 3.0, 7.0]
    """
    step = max(AT_ONCE // left.shape[1], 1)
    if len(row) <= step or left.device.type != "cpu" or torch.is_grad_enabled():
        return (left.index_select(0, row) * right.index_select(0, column)).sum(-1)
    products = left.new_empty(len(row))
    for first in range(0, len(row), step):
        part = slice(first, first + step)
        pairs = left.index_select(0, row[part]).mul_(right.index_select(0, column[part]))
        torch.sum(pairs, -1, out=products[part])
    return products
