"""What makes a loaded model cheaper to ask, once it will not be trained any more."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, cast

import torch
from torch import nn
from transformers import GPT2Model, LlamaModel, PreTrainedModel
from transformers.activations import NewGELUActivation

from genrec.errors import UnsupportedError
from genrec.model.config import DYNAMIC_INT8, check_quantization
from genrec.model.folder import LoadedModel, load_model
from genrec.model.generator import Generator
from genrec.model.lean_gpt2 import LeanGPT2
from genrec.model.lean_llama import LeanLlama

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["DYNAMIC_INT8", "fuse_activations", "lean", "load_for_inference", "merge_adapter", "quantize_dynamically"]


def load_for_inference(folder: Path | str, quantization: str | None = None) -> LoadedModel:
    """Read a model folder that will be asked, not trained: its adapter is merged where that loses nothing.

    Parameters
    ----------
    folder
        What ``finetune`` wrote.
    quantization
        none, int8 or nf4 for the base model's weights, or dynamic-int8 on a CPU. Default: as trained.

    Raises
    ------
    ModelError
        If the folder is not whole or the base model is not to be had.
    UnsupportedError
        If this machine cannot compute the quantization, or it does not apply to the model.
    ConfigError
        If there is no such quantization.
    """
    if quantization == DYNAMIC_INT8:
        return quantize_dynamically(fuse_activations(load_model(folder, quantization="none")))
    return lean(fuse_activations(merge_adapter(load_model(folder, quantization=quantization))))


def fuse_activations(model: LoadedModel) -> LoadedModel:
    """Compute GPT-2's activation in one pass over memory, where transformers writes out its formula in eight.

    Parameters
    ----------
    model
        A loaded model folder, changed in place.
    """
    for module in list(model.generator.lm.modules()):
        for name, child in module.named_children():
            if isinstance(child, NewGELUActivation):
                setattr(module, name, nn.GELU(approximate="tanh"))
    return model


def lean(model: LoadedModel) -> LoadedModel:
    """Compute a plain GPT-2 or Llama by fewer calls: the same function, to rounding.

    Parameters
    ----------
    model
        A loaded model folder, changed in place.
    """
    lm = model.generator.lm
    base = lm.base_model
    if LeanGPT2.can_stand_for(base):
        setattr(lm, lm.base_model_prefix, LeanGPT2(cast("GPT2Model", base)))
    elif LeanLlama.can_stand_for(base):
        setattr(lm, lm.base_model_prefix, LeanLlama(cast("LlamaModel", base)))
    return model


def merge_adapter(model: LoadedModel) -> LoadedModel:
    """Fold an adapter into the weights below it: the same function, in fewer matrix products.

    Parameters
    ----------
    model
        A loaded model folder, which is used up if it has an adapter.

    Returns
    -------
    LoadedModel
        The model itself if it has no adapter, or one on quantized weights, which merging would round once more.
    """
    generator = model.generator
    quantized = not all(weights.is_floating_point() for weights in generator.lm.parameters())
    if quantized or isinstance(generator.backbone, PreTrainedModel):
        return model
    lm = cast("PreTrainedModel", generator.backbone.merge_and_unload())
    return dataclasses.replace(model, generator=Generator(lm, generator.head, generator.vocabulary).eval())


def quantize_dynamically(model: LoadedModel) -> LoadedModel:
    """Quantize the matrices of the backbone to int8, its activations as they come; for CPUs.

    Activations are scaled by the largest of a whole batch, so an answer depends, by rounding, on those it is computed
    with. What it gains and loses: ``eval/results/quantized_decoding.json``.

    Parameters
    ----------
    model
        A loaded model folder, which is used up.

    Returns
    -------
    LoadedModel
        With the adapter merged and quantized matrices. The code head stays as it is.

    Raises
    ------
    UnsupportedError
        If the model was trained from scratch, is on a GPU, or its weights are quantized already.
    """
    check_quantization(model.description.base, DYNAMIC_INT8)
    model = merge_adapter(model)
    generator = model.generator
    if generator.device.type != "cpu":
        raise UnsupportedError(f"quantization={DYNAMIC_INT8} on a GPU", hint="use quantization=nf4 or int8")
    if not isinstance(generator.backbone, PreTrainedModel):
        raise UnsupportedError(f"quantization={DYNAMIC_INT8} of quantized weights", hint="use quantization=none")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch announces that torchao will take over; its int8 is slower on CPUs
        torch.ao.quantization.quantize_dynamic(generator.lm.base_model, {nn.Linear}, dtype=torch.qint8, inplace=True)
    return model
