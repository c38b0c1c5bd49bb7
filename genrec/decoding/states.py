"""Keys and values of prompts of different lengths: laid out as one batch, and taken apart again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from genrec.decoding.prompt_cache import Prefix


def joined(prefixes: Sequence[Prefix | None], device: torch.device) -> tuple[DynamicCache, Tensor]:
    """Beginnings of B prompts as one cache.

    Parameters
    ----------
    prefixes
        One a prompt, None where nothing of it is known.
    device
        Where they are to lie.

    Returns
    -------
    cache, held
        Right-padded to the longest, P, and bool (B, P): what is not padding. Empty if nothing is known.
    """
    cache = DynamicCache()
    lengths = torch.tensor([0 if prefix is None else prefix.length for prefix in prefixes], device=device)
    held = torch.arange(int(lengths.max()), device=device) < lengths[:, None]
    known = [(row, prefix) for row, prefix in enumerate(prefixes) if prefix is not None]
    if not known:
        return cache, held
    layers, pair, heads, _, width = known[0][1].states.shape
    states = known[0][1].states.new_zeros(layers, pair, len(prefixes), heads, held.shape[1], width)
    for row, prefix in known:
        states[:, :, row, :, : prefix.length] = prefix.states
    for layer, (keys, values) in enumerate(states):
        cache.update(keys, values, layer)
    return cache, held


def separated(cache: DynamicCache, real: Tensor) -> Iterator[Tensor]:
    """Keys and values of each prompt of a batch.

    Parameters
    ----------
    cache
        Those of B prompts, each padded to S positions.
    real
        bool (B, S): what is not padding.

    Yields
    ------
    Tensor
        (layers, 2, heads, T, head width) of one prompt, in memory of its own.
    """
    states = torch.stack([_states_of(layer) for layer in cache.layers])
    for row, positions in enumerate(real):
        yield states[:, :, row].index_select(3, positions.nonzero()[:, 0])


def _states_of(layer: object) -> Tensor:
    # Every layer of a cache that was made without a configuration is of this kind, and has been read into.
    assert isinstance(layer, DynamicLayer)
    assert layer.keys is not None
    assert layer.values is not None
    return torch.stack([layer.keys, layer.values])
