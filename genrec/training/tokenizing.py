"""Fit the item tokenizer that a configuration asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError, DataError
from genrec.items.atomic import AtomicTokenizer
from genrec.items.semantic import SemanticTokenizer
from genrec.items.title import TitleTokenizer
from genrec.items.vectors import cf_vectors, combine_vectors, text_vectors
from genrec.model.base import title_cutter

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from genrec.data.dataset import Dataset
    from genrec.items.base import ItemTokenizer
    from genrec.items.config import ItemsConfig


def fit_item_tokenizer(
    config: ItemsConfig, train: Dataset, text_tokenizer: PreTrainedTokenizerBase | None, seed: int
) -> ItemTokenizer:
    """Give every item of the catalog its codes.

    Parameters
    ----------
    config
        Kind of tokenizer and its settings.
    train
        Training part of a split: its catalog is coded, its interactions give collaborative vectors.
    text_tokenizer
        The base model's tokenizer, for titles. None: a model from scratch learns the tokens of titles as codes.
    seed
        Of the k-means.

    Returns
    -------
    ItemTokenizer
        Codes of all N items.

    Raises
    ------
    MissingModelError
        Titles were asked for from scratch, and the tokenizer that cuts them is not to be had.
    ConfigError
        A semantic ID was asked for with all weights 0.
    DataError
        The user's own vectors do not fit the catalog.
    """
    if config.kind == "atomic":
        return AtomicTokenizer.fit(train.num_items)
    if config.kind == "title":
        if text_tokenizer is None:
            return TitleTokenizer.fit(train.catalog.titles, title_cutter(), learned=True)
        return TitleTokenizer.fit(train.catalog.titles, text_tokenizer)
    codes_per_level = config.codes_per_level or default_codes_per_level(train.num_items, config.levels)
    return SemanticTokenizer.fit(item_vectors(config, train, seed), config.levels, codes_per_level, seed)


def default_codes_per_level(num_items: int, levels: int) -> int:
    """Codes a level (K) that leave half of the IDs free, so that few collisions move and new items find room.

    Examples
    --------
    >>> [default_codes_per_level(num_items, levels=2) for num_items in (24, 1_682, 12_101)]
    [8, 64, 256]
    """
    codes = 1
    while codes**levels < 2 * num_items:
        codes *= 2
    return codes


def item_vectors(config: ItemsConfig, train: Dataset, seed: int) -> NDArray[np.float32]:
    """Vectors that semantic IDs are made of, float32 (N, D): text, collaborative, the user's own."""
    parts: list[tuple[NDArray[np.float32], float]] = []
    if config.text_weight:
        parts.append((text_vectors(train.catalog.text_of(), config.encoder), config.text_weight))
    if config.cf_weight:
        parts.append((cf_vectors(train.histories, train.num_items, seed=seed), config.cf_weight))
    if config.vectors is not None:
        own = np.load(config.vectors, allow_pickle=False).astype(np.float32)
        if own.ndim != 2 or len(own) != train.num_items:
            raise DataError(f"{config.vectors}: shape {own.shape}, but the catalog has {train.num_items} items")
        parts.append((own, config.vectors_weight))
    if not parts:
        hint = "set items.text_weight or items.cf_weight above 0, or give items.vectors"
        raise ConfigError("semantic IDs need vectors, and all of them are switched off", hint=hint)
    return combine_vectors([vectors for vectors, _ in parts], [weight for _, weight in parts])
