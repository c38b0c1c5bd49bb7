"""The Transformer that both models share: items in, states out, one table of item vectors for both ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Architecture:
    """Size of an :class:`ItemTransformer`.

    Parameters
    ----------
    width
        Width of vectors and states (D), a multiple of `heads`.
    layers, heads
        Of the encoder; the feed-forward part is as wide as the state, as in SASRec.
    max_length
        Most positions of a sequence.
    dropout
        Of input vectors, attention weights and the output of each part.
    """

    width: int
    layers: int
    heads: int
    max_length: int
    dropout: float

    def __post_init__(self) -> None:
        if self.width % self.heads:
            msg = f"width {self.width} is not a multiple of {self.heads} heads"
            raise ConfigError(msg, hint="a width of 64 goes with 1, 2 or 4 heads")
        if self.max_length < 2:
            raise ConfigError(f"max_length {self.max_length} leaves no room for a history", hint="take 2 or more")


class ItemTransformer(nn.Module):
    """A pre-norm Transformer over items; the score of an item is the product of a state with the item's vector.

    Parameters
    ----------
    num_items
        Number of items (N). Token N stands for what is no item: begin of a history, or a masked item.
    size
        Its size.
    causal
        Whether a position sees only those before it.
    """

    def __init__(self, num_items: int, size: Architecture, *, causal: bool) -> None:
        super().__init__()
        self.num_items = num_items
        self.causal = causal
        self.tokens = nn.Embedding(num_items + 1, size.width)
        self.positions = nn.Embedding(size.max_length, size.width)
        self.bias = nn.Parameter(torch.zeros(num_items))
        self.dropout = nn.Dropout(size.dropout)
        layer = nn.TransformerEncoderLayer(
            size.width,
            size.heads,
            dim_feedforward=size.width,
            dropout=size.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.encoder = nn.TransformerEncoder(
            layer, size.layers, norm=nn.LayerNorm(size.width), enable_nested_tensor=False
        )
        for table in (self.tokens, self.positions):
            nn.init.normal_(table.weight, std=size.width**-0.5)

    @property
    def item_vectors(self) -> Tensor:
        """Vectors of the items, (N, D)."""
        return self.tokens.weight[: self.num_items]

    def forward(self, tokens: Tensor, real: Tensor) -> Tensor:
        """Read sequences.

        Parameters
        ----------
        tokens
            int64 (B, T), padded on the right.
        real
            bool (B, T), false where there is padding.

        Returns
        -------
        Tensor
            States, float32 (B, T, D); those of padding mean nothing.
        """
        length = tokens.shape[1]
        states = self.dropout(self.tokens(tokens) + self.positions.weight[:length])
        if self.causal:
            # Padding comes last, so no real position sees it, and a pure causal mask takes the fused kernel.
            mask = nn.Transformer.generate_square_subsequent_mask(length)
            encoded: Tensor = self.encoder(states, mask=mask, is_causal=True)
        else:
            encoded = self.encoder(states, src_key_padding_mask=~real)
        return encoded

    def scores(self, states: Tensor) -> Tensor:
        """Score all items: states (..., D) to logits (..., N)."""
        return nn.functional.linear(states, self.item_vectors, self.bias)
