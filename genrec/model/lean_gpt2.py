"""GPT-2 computed by plain calls: of a small model, most of the time is what stands around the arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import GPT2Model
from transformers.modeling_outputs import BaseModelOutputWithPast
from transformers.pytorch_utils import Conv1D

if TYPE_CHECKING:
    from transformers import DynamicCache
    from transformers.models.gpt2.modeling_gpt2 import GPT2Block


class LeanGPT2(nn.Module):
    """Computes what a `GPT2Model` does that is not trained, and shares its parts under their names.

    Without what it does not need then: dropout, hooks, checkpoints, masks of every kind. Where the states of few
    positions are wanted, the last layer computes no others, only their keys and values.

    Parameters
    ----------
    model
        One that :meth:`can_stand_for` is true of.

    Examples
    --------
    >>> from transformers import GPT2Config
    >>> model = GPT2Model(GPT2Config(vocab_size=4, n_layer=2, n_embd=8, n_head=2, n_positions=4)).eval()
    >>> vectors, mask, position = torch.randn(1, 3, 8), torch.ones(1, 3), torch.arange(3)[None]
    >>> expected = model(inputs_embeds=vectors, attention_mask=mask, position_ids=position).last_hidden_state
    >>> found = LeanGPT2(model)(vectors, mask, position).last_hidden_state
    >>> torch.allclose(found, expected, atol=1e-5)
    True
    """

    def __init__(self, model: GPT2Model) -> None:
        super().__init__()
        self.config = model.config
        self.wte, self.wpe, self.h, self.ln_f = model.wte, model.wpe, model.h, model.ln_f

    @staticmethod
    def can_stand_for(model: nn.Module) -> bool:
        """Whether it computes the same as a model: a plain GPT-2 whose matrices are neither quantized nor adapted."""
        if type(model) is not GPT2Model:
            return False
        about = model.config
        plain = about.activation_function == "gelu_new" and about.scale_attn_weights
        special = about.add_cross_attention or about.reorder_and_upcast_attn or about.scale_attn_by_inverse_layer_idx
        parts = [part for block in _blocks(model) for part in (block.attn, block.mlp)]
        matrices = [one for part in parts for one in part.children() if _weighs(one)]
        return plain and not special and all(type(one) is Conv1D for one in matrices)

    def get_input_embeddings(self) -> nn.Module:
        """As of a `PreTrainedModel`."""
        return self.wte

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor,
        position_ids: Tensor,
        past_key_values: DynamicCache | None = None,
        *,
        use_cache: bool = False,
        only: Tensor | None = None,
    ) -> BaseModelOutputWithPast:
        """Hidden states after the last layer.

        Parameters
        ----------
        inputs_embeds, attention_mask, position_ids, past_key_values
            As of :meth:`genrec.model.generator.Generator.hidden`.
        use_cache
            Keys and values are kept whenever there is a cache.
        only
            int64 (B,): the one position of each row whose state is wanted. Default: all.
        """
        states = inputs_embeds + F.embedding(position_ids, self.wpe.weight)
        mask = attention_mask if attention_mask.dim() == 4 else seen(attention_mask, states.shape[1])
        last = len(self.h) - 1
        for layer, block in enumerate(_blocks(self)):
            states = _block(block, layer, states, mask, past_key_values, only if layer == last else None)
        return output_of(_norm(self.ln_f, states), past_key_values)


def output_of(states: Tensor, cache: DynamicCache | None) -> BaseModelOutputWithPast:
    """What a model of transformers returns."""
    return BaseModelOutputWithPast(last_hidden_state=cast("torch.FloatTensor", states), past_key_values=cache)


def _blocks(model: GPT2Model | LeanGPT2) -> list[GPT2Block]:
    return cast("list[GPT2Block]", list(model.h))


def _block(
    block: GPT2Block,
    layer: int,
    states: Tensor,
    mask: Tensor | None,
    cache: DynamicCache | None,
    only: Tensor | None,
) -> Tensor:
    attention = block.attn
    batch, length, width = states.shape
    normed = _norm(block.ln_1, states)
    joint = _linear(attention.c_attn, normed).view(batch, length, 3, attention.num_heads, attention.head_dim)
    queries, keys, values = joint.permute(2, 0, 3, 1, 4).unbind()  # (B, heads, T, head width)
    if cache is not None:
        keys, values = cache.update(keys, values, layer)
    if only is not None:
        row = torch.arange(batch, device=only.device)
        states, queries = states[row, only][:, None], queries[row, :, only][:, :, None]
        mask = only_seen(mask, only, keys.shape[2] - length, keys)
    mixed = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, is_causal=mask is None)
    states = states + _linear(attention.c_proj, mixed.transpose(1, 2).reshape(batch, -1, width))
    inner = F.gelu(_linear(block.mlp.c_fc, _norm(block.ln_2, states)), approximate="tanh")
    return states + _linear(block.mlp.c_proj, inner)


def only_seen(mask: Tensor | None, only: Tensor, held: int, keys: Tensor) -> Tensor:
    """What one new token of each row sees of S keys, of which some were held before: (B, 1, 1, S)."""
    if mask is None:
        return (torch.arange(keys.shape[2], device=keys.device) <= (only + held)[:, None])[:, None, None]
    return mask[torch.arange(len(only), device=only.device), :, only][:, :, None]


def seen(mask: Tensor, length: int) -> Tensor | None:
    """What ``length`` new tokens see of all S, from which of these are real, (B, S): bool (B, 1, T, S).

    None if all are new: behind each there is nothing but later tokens and padding, which it does not see anyway.
    """
    held = mask.shape[1] - length
    assert not (mask[:, held:].diff(dim=1) > 0).any(), "padding has to stand behind the tokens"
    if held == 0:
        return None
    before = torch.ones(length, mask.shape[1], dtype=torch.bool, device=mask.device).tril(held)
    return (mask[:, None].bool() & before)[:, None]


def _linear(layer: Conv1D, states: Tensor) -> Tensor:
    flat = torch.addmm(layer.bias, states.reshape(-1, states.shape[-1]), layer.weight)
    return flat.view(*states.shape[:-1], -1)


def _norm(layer: nn.LayerNorm, states: Tensor) -> Tensor:
    return F.layer_norm(states, layer.normalized_shape, layer.weight, layer.bias, layer.eps)


def _weighs(module: nn.Module) -> bool:
    return any(True for _ in module.parameters())
