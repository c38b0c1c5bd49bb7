"""Put a generator together: base model, adapter, code head."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from genrec.errors import UnsupportedError
from genrec.model.base import output_rows, text_table
from genrec.model.code_head import CodeHead
from genrec.model.config import CodeHeadConfig, LoRAConfig, PretrainedConfig, ScratchConfig
from genrec.model.generator import Generator
from genrec.model.vector_init import start_from_vectors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from genrec.items.vocabulary import ItemVocabulary
    from genrec.model.base import BaseModel


def build_generator(
    base: BaseModel,
    vocabulary: ItemVocabulary,
    config: ScratchConfig | PretrainedConfig,
    head: CodeHeadConfig,
    *,
    titles: Sequence[str] | None = None,
    item_vectors: NDArray[np.float32] | None = None,
    seed: int = 0,
) -> Generator:
    """A generator that is ready to be trained.

    Parameters
    ----------
    base
        The base model, as ``load_base`` returns it.
    vocabulary
        Item tokens and trie.
    config
        The configuration that ``base`` was loaded from.
    head
        Configuration of the code head.
    titles
        Title of each item (N), for code vectors that start from text. None: they start at random.
    item_vectors
        float32 (N, any width), for a code head that starts from vectors. None: it starts at random.
    seed
        Seed of everything that starts at random. Default 0.

    Returns
    -------
    Generator
        From scratch: all parameters train. Pre-trained: the LoRA adapter and the code head train.

    Raises
    ------
    UnsupportedError
        If item codes are text tokens and the base model has no text, or items are to take one position each.

    Examples
    --------
    >>> from genrec.testing import tiny_generator
    >>> generator = tiny_generator(num_items=6)
    >>> "head.code_vectors" in generator.trainable()
    True
    """
    torch.manual_seed(seed)
    is_title = vocabulary.tokenizer.text_tokens is not None
    if is_title and base.text_tokenizer is None:
        raise UnsupportedError(
            "title item IDs need a base model that reads text",
            hint="set base.kind=pretrained, or items.kind=semantic or atomic",
        )
    if is_title and head.one_position:
        raise UnsupportedError("a title is too long for one position", hint="set head.one_position=false")
    embedding = text_table(base.lm).weight
    code_head = CodeHead(
        vocabulary,
        embedding.shape[1],
        node_residual=head.node_residual,
        text_rows=output_rows(base.lm) if is_title else None,
        init_std=base.lm.config.initializer_range,
        dropout=config.dropout if isinstance(config, ScratchConfig) else 0.0,
    )
    if not is_title and head.init == "text" and base.text_tokenizer is not None and titles is not None:
        rows = text_code_vectors(embedding.detach().float(), vocabulary, base.text_tokenizer, titles)
        code_head.code_vectors.data.copy_(rows)
    if not is_title and head.init == "vectors" and item_vectors is not None:
        start_from_vectors(code_head, vocabulary, item_vectors)
    backbone = base.lm if isinstance(config, ScratchConfig) else add_lora(base.lm, config.lora, config.quantization)
    return Generator(backbone, code_head, vocabulary)


def add_lora(lm: PreTrainedModel, config: LoRAConfig, quantization: str) -> PeftModel:
    """Freeze a causal LM and put a LoRA adapter around it (QLoRA if its weights are quantized)."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if quantization != "none":
        lm = prepare_model_for_kbit_training(lm, use_gradient_checkpointing=False)
    adapter = LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=config.targets,
        task_type="CAUSAL_LM",
    )
    model: PeftModel = get_peft_model(lm, adapter)
    return model


def text_code_vectors(
    embedding: torch.Tensor,
    vocabulary: ItemVocabulary,
    text_tokenizer: PreTrainedTokenizerBase,
    titles: Sequence[str],
) -> torch.Tensor:
    """Initial code vectors: the mean embedding of the title tokens of all items that share a code.

    Parameters
    ----------
    embedding
        float32 (V, D) text embeddings of the base model.
    vocabulary
        Item tokens (N, L) with C codes.
    text_tokenizer
        The base model's tokenizer.
    titles
        Title of each item (N).

    Returns
    -------
    Tensor
        float32 (C, D). Codes that no titled item uses get the mean of all text embeddings.
    """
    ids = text_tokenizer(list(titles), add_special_tokens=False, split_special_tokens=True)["input_ids"]
    empty = embedding.mean(0)
    item_rows = torch.stack([embedding[row].mean(0) if row else empty for row in ids])
    codes = vocabulary.tokenizer.codes
    item, level = np.nonzero(codes >= 0)
    code = torch.from_numpy(codes[item, level].astype(np.int64))
    total = torch.zeros(vocabulary.tokenizer.num_codes, embedding.shape[1])
    total.index_add_(0, code, item_rows[torch.from_numpy(item)])
    count = torch.bincount(code, minlength=len(total)).unsqueeze(1)
    return torch.where(count > 0, total / count.clamp(min=1), empty)
