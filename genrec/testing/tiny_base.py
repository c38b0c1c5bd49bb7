"""A base model that reads text, small enough to be made in a test: a random Llama with a byte-level tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

if TYPE_CHECKING:
    from collections.abc import Sequence

END = "<|endoftext|>"
SPECIAL = [END, "<|im_start|>", "<|im_end|>"]


def save_tiny_base(folder: Path | str, texts: Sequence[str], *, width: int = 32, seed: int = 0) -> Path:
    """Write a base model folder that ``base.name`` can name, as ``save_pretrained`` does.

    Parameters
    ----------
    folder
        Where to.
    texts
        What the tokenizer's merges are learned from, such as titles; it can write any text.
    width
        Width of the hidden state (D), a multiple of 32. Default 32.
    seed
        Of the random weights.

    Returns
    -------
    Path
        The folder.

    Examples
    --------
    >>> import tempfile
    >>> from genrec.model.base import load_base
    >>> from genrec.model.config import PretrainedConfig
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     base = load_base(PretrainedConfig(name=str(save_tiny_base(folder, ["Red River"]))))
    >>> tokens = base.text_tokenizer("nul <|im_end|>", split_special_tokens=True)["input_ids"]
    >>> base.text_tokenizer.decode(tokens)
    'nul <|im_end|>'
    """
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, initial_alphabet=alphabet, special_tokens=SPECIAL, show_progress=False
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe, eos_token=END, pad_token=END, additional_special_tokens=SPECIAL[1:]
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        initializer_range=0.1,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=0,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return Path(folder)
