"""Logits of the children of many nodes, each node's rows multiplied with its children at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.autograd.function import FunctionCtx


def grouped_logits(hidden: Tensor, vectors: Tensor, first: Tensor, count: Tensor) -> Tensor:
    """Products of each row with a run of vectors, as one ragged list.

    Rows with the same run share one matrix product, and the run is a view: nothing is gathered a pair.

    Parameters
    ----------
    hidden
        float32 (M, D).
    vectors
        float32 (num_vectors, D).
    first, count
        int64 (M,): row m is multiplied with ``vectors[first : first + count]``. Runs are equal or disjoint.

    Returns
    -------
    Tensor
        float32 (sum of counts,), in order of rows.

    Examples
    --------
    >>> hidden, vectors = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([[1.0], [10.0], [100.0]])
    >>> grouped_logits(hidden, vectors, torch.tensor([0, 2, 0]), torch.tensor([2, 1, 2])).tolist()
    [1.0, 10.0, 200.0, 3.0, 30.0]
    """
    order = first.argsort(stable=True)
    run_first, rows = torch.unique_consecutive(first[order], return_counts=True)
    run_count = count[order][rows.cumsum(0) - rows]
    runs = list(zip(rows.tolist(), run_first.tolist(), run_count.tolist(), strict=True))
    grouped = cast("Tensor", _GroupedProduct.apply(hidden[order], vectors, runs))  # type: ignore[no-untyped-call]
    # From the order of runs back to that of rows.
    place = count[order].cumsum(0) - count[order]
    start = torch.empty_like(place)
    start[order] = place
    row = torch.repeat_interleave(count)
    offset = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    return grouped[start[row] + offset]


class _GroupedProduct(torch.autograd.Function):
    """Plain slices would each allocate a gradient of the size of all vectors."""

    @staticmethod
    def forward(ctx: FunctionCtx, hidden: Tensor, vectors: Tensor, runs: list[tuple[int, int, int]]) -> Tensor:
        """Products of each run's rows and vectors, flat, run after run."""
        ctx.save_for_backward(hidden, vectors)
        ctx.runs = runs  # type: ignore[attr-defined]
        logits = hidden.new_empty(sum(rows * count for rows, _, count in runs))
        row = place = 0
        for rows, first, count in runs:
            out = logits[place : place + rows * count].view(rows, count)
            torch.mm(hidden[row : row + rows], vectors[first : first + count].T, out=out)
            row, place = row + rows, place + rows * count
        return logits

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:  # noqa: ANN401 (torch gives it what forward kept)
        """Gradients of rows and vectors, each written in its place."""
        hidden, vectors = ctx.saved_tensors
        of_hidden, of_vectors = torch.empty_like(hidden), torch.zeros_like(vectors)
        row = place = 0
        for rows, first, count in ctx.runs:
            out = grad[place : place + rows * count].view(rows, count)
            torch.mm(out, vectors[first : first + count], out=of_hidden[row : row + rows])
            torch.mm(out.T, hidden[row : row + rows], out=of_vectors[first : first + count])
            row, place = row + rows, place + rows * count
        return of_hidden, of_vectors, None
