"""A base model that reads text, small enough to be made in a test: a random Llama with a byte-level tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from genrec.items.vocabulary import ItemVocabulary
from genrec.model.code_head import CodeHead
from genrec.model.generator import Generator
from genrec.testing.tiny import FixedTokenizer
from genrec.trie import CatalogTrie

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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
    lm, text_tokenizer = _tiny_base(tuple(texts), width, seed)
    lm.save_pretrained(folder)
    text_tokenizer.save_pretrained(folder)
    return Path(folder)


def tiny_text_generator(
    codes: NDArray[np.int32],
    *,
    titles: bool = False,
    node_residual: bool = False,
    one_position: bool = False,
    std: float = 0.3,
    seed: int = 0,
) -> tuple[Generator, PreTrainedTokenizerFast]:
    """Make a generator on the base model of :func:`save_tiny_base`, and its text tokenizer.

    Parameters
    ----------
    codes
        int32 (N, L): ID of each item, -1 padded.
    titles
        Let the codes be text tokens, from token 10 on. Default False: they are tokens of their own.
    node_residual
        Give the code head (random) node and item vectors. Default False.
    one_position
        Let an item be one token. Default False: a token for each code.
    std
        Standard deviation of the code head's vectors. Default 0.3.
    seed
        Default 0.

    Examples
    --------
    >>> generator, text_tokenizer = tiny_text_generator(np.array([[0, 2], [1, 2]]))
    >>> generator.vocabulary.text_size == len(text_tokenizer)
    True
    """
    lm, text_tokenizer = _tiny_base(("a title", "nothing in particular"), 32, seed)
    num_codes = int(codes.max()) + 1
    tokenizer = FixedTokenizer(np.array(codes, dtype=np.int32), np.arange(10, 10 + num_codes) if titles else None)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(codes), len(text_tokenizer), one_position)
    torch.manual_seed(seed)
    rows = lm.get_output_embeddings().weight
    head = CodeHead(vocabulary, rows.shape[1], node_residual=node_residual, text_rows=rows, init_std=std)
    for vectors in (head.node_vectors, head.item_vectors):
        if vectors is not None:
            torch.nn.init.normal_(vectors, std=std)
    return Generator(lm, head, vocabulary).eval(), text_tokenizer


def _tiny_base(texts: tuple[str, ...], width: int, seed: int) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
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
    return LlamaForCausalLM(config), tokenizer
