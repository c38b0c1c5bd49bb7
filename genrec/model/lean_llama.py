"""Llama computed by plain calls, in fewer and better laid out matrix products."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import LlamaModel

from genrec.model.lean_gpt2 import only_seen, output_of, seen

if TYPE_CHECKING:
    from transformers import DynamicCache
    from transformers.modeling_outputs import BaseModelOutputWithPast
    from transformers.models.llama.modeling_llama import LlamaDecoderLayer, LlamaRMSNorm


class LeanLlama(nn.Module):
    """Computes what a `LlamaModel` does that is not trained, and takes its parts.

    Queries, keys and values are one matrix product, and so are the two that a gate joins. These matrices lie in memory
    as (D, outputs), which a CPU multiplies with few rows in half the time: one new item is two rows. Where the states
    of few positions are wanted, the last layer computes no others, only their keys and values.

    Parameters
    ----------
    model
        One that :meth:`can_stand_for` is true of. It is used up.

    Examples
    --------
    >>> from transformers import LlamaConfig
    >>> shape = dict(hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=4)
    >>> model = LlamaModel(LlamaConfig(vocab_size=4, num_key_value_heads=2, **shape)).eval()
    >>> vectors, mask, position = torch.randn(1, 3, 16), torch.ones(1, 3), torch.arange(3)[None]
    >>> expected = model(inputs_embeds=vectors, attention_mask=mask, position_ids=position).last_hidden_state
    >>> found = LeanLlama(model)(vectors, mask, position).last_hidden_state
    >>> torch.allclose(found, expected, atol=1e-5)
    True
    """

    def __init__(self, model: LlamaModel) -> None:
        super().__init__()
        self.config = model.config
        self.embed_tokens, self.rotary_emb, self.norm = model.embed_tokens, model.rotary_emb, model.norm
        layers = cast("list[LlamaDecoderLayer]", list(model.layers))
        model.layers = nn.ModuleList()  # what is copied next is not to be there twice
        self.layers = nn.ModuleList(LeanLlamaLayer(layers.pop(0), at) for at in range(len(layers)))

    @staticmethod
    def can_stand_for(model: nn.Module) -> bool:
        """Whether it computes the same as a model: a plain Llama in float32 on a CPU, neither quantized nor adapted."""
        if type(model) is not LlamaModel:
            return False
        about = model.config
        if about.attention_bias or about.mlp_bias or about.hidden_act != "silu":
            return False
        matrices = [one for one in model.layers.modules() if not list(one.children()) and hasattr(one, "weight")]
        return all(
            type(one).__name__ in ("Linear", "LlamaRMSNorm")
            and one.weight.dtype == torch.float32
            and one.weight.device.type == "cpu"
            for one in matrices
        )

    def get_input_embeddings(self) -> nn.Module:
        """As of a `PreTrainedModel`."""
        return self.embed_tokens

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
        """Hidden states after the last layer; parameters as of :meth:`genrec.model.lean_gpt2.LeanGPT2.forward`."""
        cos, sin = self.rotary_emb(inputs_embeds, position_ids)
        half = sin.shape[-1] // 2
        turn = cos[:, None], torch.cat([-sin[..., :half], sin[..., half:]], dim=-1)[:, None]
        mask = attention_mask if attention_mask.dim() == 4 else seen(attention_mask, inputs_embeds.shape[1])
        states, last = inputs_embeds, len(self.layers) - 1
        for at, layer in enumerate(self.layers):
            states = layer(states, turn, mask, past_key_values, only if at == last else None)
        return output_of(_norm(self.norm, states), past_key_values)


class LeanLlamaLayer(nn.Module):
    """One layer.

    Parameters
    ----------
    layer
        What it computes the same as; used up.
    at
        Its place.
    """

    def __init__(self, layer: LlamaDecoderLayer, at: int) -> None:
        super().__init__()
        attention, mlp, about = layer.self_attn, layer.mlp, layer.self_attn.config
        self.at, self.width = at, attention.head_dim
        self.heads = about.num_attention_heads
        self.pairs = about.num_key_value_heads or self.heads
        self.before, self.between = layer.input_layernorm, layer.post_attention_layernorm
        self.joint = _joined(attention.q_proj, attention.k_proj, attention.v_proj)
        self.gate_up = _joined(mlp.gate_proj, mlp.up_proj)
        self.out, self.down = attention.o_proj, mlp.down_proj

    def forward(
        self,
        states: Tensor,
        turn: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: DynamicCache | None,
        only: Tensor | None,
    ) -> Tensor:
        """States after the layer, (B, T, D), or (B, 1, D) of one position each."""
        batch, length, _ = states.shape
        joint = _product(_norm(self.before, states), self.joint).view(batch, length, -1, self.width).transpose(1, 2)
        turned = _rotated(joint[:, : self.heads + self.pairs], *turn)
        queries, keys, values = turned[:, : self.heads], turned[:, self.heads :], joint[:, self.heads + self.pairs :]
        if cache is not None:
            keys, values = cache.update(keys, values, self.at)
        if only is not None:
            row = torch.arange(batch, device=only.device)
            states, queries = states[row, only][:, None], queries[row, :, only][:, :, None]
            mask = only_seen(mask, only, keys.shape[2] - length, keys)
        mixed = F.scaled_dot_product_attention(
            queries, self._repeated(keys), self._repeated(values), attn_mask=mask, is_causal=mask is None
        )
        states = states + self.out(mixed.transpose(1, 2).reshape(batch, states.shape[1], -1))
        gate, up = _product(_norm(self.between, states), self.gate_up).chunk(2, dim=-1)
        inner: Tensor = self.down(F.silu(gate).mul_(up))
        return states + inner

    def _repeated(self, keys: Tensor) -> Tensor:
        """Keys or values, once for each of the heads that share them."""
        return keys if self.heads == self.pairs else keys.repeat_interleave(self.heads // self.pairs, dim=1)


def _joined(*layers: nn.Module) -> nn.Parameter:
    """Matrices of layers side by side, (D, outputs)."""
    weight = torch.cat([cast("nn.Linear", layer).weight for layer in layers]).detach()
    return nn.Parameter(weight.t().contiguous(), requires_grad=False)


def _product(states: Tensor, matrix: Tensor) -> Tensor:
    return torch.mm(states.reshape(-1, states.shape[-1]), matrix).view(*states.shape[:-1], -1)


def _rotated(vectors: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Vectors turned by their positions; ``sin`` has the sign of the half it stands at."""
    half = vectors.shape[-1] // 2
    return torch.addcmul(vectors * cos, torch.cat([vectors[..., half:], vectors[..., :half]], dim=-1), sin)


def _norm(layer: LlamaRMSNorm, states: Tensor) -> Tensor:
    return F.rms_norm(states, (states.shape[-1],), layer.weight, layer.variance_epsilon)
