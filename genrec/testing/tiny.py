"""Tiny random generators: the real classes, small enough for a test to build one in milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from genrec.items.base import ItemTokenizer
from genrec.items.report import TokenizerReport
from genrec.items.vocabulary import ItemVocabulary
from genrec.model.code_head import CodeHead
from genrec.model.generator import Generator
from genrec.prompt.sequence import TokenSequence
from genrec.trie import CatalogTrie

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedModel

WIDTH = 32
MAX_POSITIONS = 128
BOS = 0


class FixedTokenizer(ItemTokenizer):
    """An item tokenizer with the codes it is given.

    Parameters
    ----------
    codes
        int32 (N, L), -1 after the end of a shorter ID.
    text_tokens
        int64 (C,): the text token of each code, to stand in for titles. Default None: codes are new tokens.

    Examples
    --------
    >>> FixedTokenizer(np.array([[0, 2], [1, 2]], dtype=np.int32)).num_codes
    3
    """

    kind: ClassVar[str] = "fixed"

    def __init__(self, codes: NDArray[np.int32], text_tokens: NDArray[np.int64] | None = None) -> None:
        super().__init__(codes, int(codes.max()) + 1, text_tokens)

    def report(self) -> TokenizerReport:
        """Utilisation per level; there is never a collision."""
        sizes = [self.num_codes] * self.levels
        return TokenizerReport.of_codes(
            self.kind, self.codes, self.num_codes, sizes, collisions=0, num_bytes=self.codes.nbytes
        )

    def _settings(self) -> dict[str, object]:
        return {}

    def _arrays(self) -> dict[str, NDArray[np.generic]]:
        return {}


def tiny_codes(num_items: int, levels: int = 2, seed: int = 0) -> NDArray[np.int32]:
    """Random distinct codes of one length, (N, L), levels disjoint as in semantic IDs.

    Examples
    --------
    >>> codes = tiny_codes(num_items=3, levels=2)
    >>> codes.shape, bool(codes[:, 0].max() < codes[:, 1].min())
    ((3, 2), True)
    """
    per_level = int(np.ceil(num_items ** (1 / levels))) + 1
    which = np.random.default_rng(seed).choice(per_level**levels, size=num_items, replace=False)
    digits = np.stack(np.unravel_index(which, (per_level,) * levels), axis=1)
    return (digits + np.arange(levels) * per_level).astype(np.int32)


def tiny_generator(
    num_items: int = 20,
    *,
    codes: NDArray[np.int32] | None = None,
    backbone: Literal["gpt2", "llama"] = "gpt2",
    node_residual: bool = False,
    titles: bool = False,
    std: float = 0.3,
    seed: int = 0,
) -> Generator:
    """Make a generator with a backbone of 2 layers of width 32 and random weights, in evaluation mode.

    Parameters
    ----------
    num_items
        Number of items (N), with :func:`tiny_codes` of two levels. Default 20.
    codes
        (N, L) codes to use instead.
    backbone
        Architecture. Default gpt2.
    node_residual
        Give the code head (random) node and item vectors. Default False.
    titles
        Let the codes be text tokens, as those of a title tokenizer. Default False.
    std
        Standard deviation of all weights: the larger, the farther the items' scores lie apart. Default 0.3.
    seed
        Default 0.

    Examples
    --------
    >>> generator = tiny_generator(num_items=6)
    >>> generator.vocabulary.num_items, generator.max_positions
    (6, 128)
    """
    if codes is None:
        codes = tiny_codes(num_items, seed=seed)
    num_codes = int(codes.max()) + 1
    text_tokens = np.arange(2, 2 + num_codes) if titles else None
    tokenizer = FixedTokenizer(np.array(codes, dtype=np.int32), text_tokens)
    vocabulary = ItemVocabulary(tokenizer, CatalogTrie.from_codes(codes), text_size=2 + num_codes * titles)
    torch.manual_seed(seed)
    lm = _backbone(backbone, vocabulary.text_size, std)
    text_rows = torch.randn(vocabulary.text_size, WIDTH) * std if titles else None
    head = CodeHead(vocabulary, WIDTH, node_residual=node_residual, text_rows=text_rows, init_std=std)
    for vectors in (head.node_vectors, head.item_vectors):
        if vectors is not None:
            torch.nn.init.normal_(vectors, std=std)
    return Generator(lm, head, vocabulary).eval()


def tiny_prompt(generator: Generator, history: list[int]) -> TokenSequence:
    """Put a begin token before the item tokens of a history, oldest first.

    Examples
    --------
    >>> tiny_prompt(tiny_generator(codes=np.array([[0], [1]])), history=[1, 0]).tokens.tolist()
    [0, 3, 2]
    """
    vocabulary = generator.vocabulary
    tokens, nodes = vocabulary.tokens[history].ravel(), vocabulary.nodes[history].ravel()
    return TokenSequence(
        np.concatenate([[BOS], tokens[tokens >= 0]]).astype(np.int64),
        np.concatenate([[-1], nodes[tokens >= 0]]).astype(np.int32),
    )


def _backbone(name: Literal["gpt2", "llama"], text_size: int, std: float) -> PreTrainedModel:
    if name == "gpt2":
        return GPT2LMHeadModel(
            GPT2Config(
                vocab_size=text_size,
                n_positions=MAX_POSITIONS,
                n_embd=WIDTH,
                n_layer=2,
                n_head=2,
                initializer_range=std,
                bos_token_id=BOS,
                eos_token_id=1,
            )
        )
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=text_size,
            hidden_size=WIDTH,
            intermediate_size=2 * WIDTH,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=MAX_POSITIONS,
            initializer_range=std,
            bos_token_id=BOS,
            eos_token_id=1,
        )
    )
