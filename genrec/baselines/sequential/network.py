"""The Transformer that all models share: items in, states out, one table of item vectors for both ends."""

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


class ProjectedItems(nn.Module):
    """A table of item vectors that are computed from features of the items, so that no item has one of its own.

    Parameters
    ----------
    features
        float32 (N, F), not trained and not saved.
    width
        Width of the vectors (D).
    """

    features: Tensor

    def __init__(self, features: Tensor, width: int) -> None:
        super().__init__()
        self.register_buffer("features", features, persistent=False)
        self.project = nn.Linear(features.shape[1], width, bias=False)
        self.begin = nn.Parameter(torch.empty(width))
        for parameter in (self.project.weight, self.begin):
            nn.init.normal_(parameter, std=width**-0.5)

    @property
    def weight(self) -> Tensor:
        """All vectors, (N+1, D), that of no item last."""
        return torch.cat([self.project(self.features), self.begin[None]])

    def forward(self, tokens: Tensor) -> Tensor:
        """Vectors (..., D) of tokens int64 (...)."""
        is_item = tokens < len(self.features)
        vectors: Tensor = self.project(self.features[tokens.where(is_item, 0)])
        return torch.where(is_item[..., None], vectors, self.begin)


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
    features
        float32 (N, F): item vectors are projections of these, and items have no bias. Default None: each item has a
        vector and a bias of its own.

    Attributes
    ----------
    return_log_odds
        Scalar: log-odds, beside what the scores say, of an item that is in the history. Set after the training.
    """

    return_log_odds: Tensor

    def __init__(self, num_items: int, size: Architecture, *, causal: bool, features: Tensor | None = None) -> None:
        super().__init__()
        self.num_items = num_items
        self.causal = causal
        self.tokens: nn.Embedding | ProjectedItems
        if features is None:
            self.tokens = nn.Embedding(num_items + 1, size.width)
            nn.init.normal_(self.tokens.weight, std=size.width**-0.5)
        else:
            self.tokens = ProjectedItems(features, size.width)
        self.positions = nn.Embedding(size.max_length, size.width)
        self.bias = nn.Parameter(torch.zeros(num_items), requires_grad=features is None)
        self.register_buffer("return_log_odds", torch.zeros(()))
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
        nn.init.normal_(self.positions.weight, std=size.width**-0.5)

    @property
    def item_vectors(self) -> Tensor:
        """Vectors of the items, (N, D)."""
        return self.tokens.weight[: self.num_items]

    @torch.no_grad()
    def with_own_vectors(self, size: Architecture) -> ItemTransformer:
        """The same network with a table of the vectors that features gave, so that it needs them no more."""
        made = ItemTransformer(self.num_items, size, causal=self.causal)
        rest = {name: values for name, values in self.state_dict().items() if not name.startswith("tokens.")}
        made.load_state_dict(rest | {"tokens.weight": self.tokens.weight})
        return made.eval()

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
