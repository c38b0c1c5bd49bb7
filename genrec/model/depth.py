"""Reads the codes of the item that is being written, where the backbone has one position an item."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class DepthReader(nn.Module):
    r"""Moves the backbone's hidden state on by the codes that have been written of the next item.

    With h the state before the item and v the sum of the vectors of its codes so far, the state that scores the
    next code is :math:`h + W_3 \, gelu(W_1 h + W_2 \, norm(v))`. Time (items) and depth (codes) are so read by two
    networks, as in [1]_, and the one for depth costs no attention.

    Parameters
    ----------
    width
        Width of the states (D).
    dropout
        Of the hidden layer. Default 0.

    References
    ----------
    .. [1] Lee et al., "Autoregressive image generation using residual quantization", CVPR 2022.

    Examples
    --------
    >>> import torch
    >>> DepthReader(width=8)(torch.zeros(3, 8), torch.ones(3, 8)).shape
    torch.Size([3, 8])
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.state = nn.Linear(width, 2 * width)
        self.path = nn.Linear(width, 2 * width, bias=False)
        self.out = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, path: Tensor) -> Tensor:
        """States (M, D) after the codes whose vectors add up to ``path`` (M, D), from those before the item."""
        inner = nn.functional.gelu(self.state(hidden) + self.path(self.norm(path)))
        moved: Tensor = hidden + self.out(self.dropout(inner))
        return moved
