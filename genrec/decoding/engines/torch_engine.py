"""The engine that needs nothing else: torch, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from genrec.decoding.decoded import Decoded, check_request
from genrec.decoding.engines.base import Engine
from genrec.decoding.exact import rerank
from genrec.decoding.prompt_cache import PromptCache
from genrec.decoding.reader import GeneratorReader

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.decoding.weights import ItemWeights
    from genrec.model.generator import Generator
    from genrec.prompt.sequence import TokenSequence


class TorchEngine(Engine):
    """Any transformers causal LM, with or without an adapter, with everything that a code head can do.

    Parameters
    ----------
    generator
        The generator, in evaluation mode.
    """

    def __init__(self, generator: Generator) -> None:
        super().__init__(generator.vocabulary)
        self.generator = generator
        self.remembered: PromptCache | None = None

    @torch.inference_mode()
    def read(self, prompts: Sequence[TokenSequence]) -> GeneratorReader:
        """Read each prompt once, all in one batch."""
        return GeneratorReader(self.generator, prompts, self.remembered)

    def remember_prompts(self, max_bytes: int) -> None:
        """Remember prompts anew, none if there is no room for them."""
        self.remembered = PromptCache(max_bytes) if max_bytes else None

    def forget_prompts(self) -> None:
        """Drop all prompts that are remembered."""
        if self.remembered is not None:
            self.remembered.clear()

    def rank_all(
        self, prompts: Sequence[TokenSequence], k: int = 10, weights: ItemWeights | None = None, alpha: float = 1.0
    ) -> Decoded:
        """Find the k best of all eligible items exactly, reading each trie node above one of them once."""
        check_request(len(prompts), self.vocabulary.num_items, k, weights)
        eligible = np.ones((1, self.vocabulary.num_items), dtype=bool) if weights is None else weights.eligible
        listed = _listed(np.broadcast_to(eligible, (len(prompts), eligible.shape[1])))
        return rerank(self.generator, prompts, listed, k, weights, alpha)


def _listed(eligible: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Columns of each row that are true, -1 padded, (B, M)."""
    count = eligible.sum(axis=1)
    columns = np.full((len(eligible), count.max()), -1, dtype=np.int32)
    columns[np.arange(columns.shape[1]) < count[:, None]] = np.nonzero(eligible)[1]
    return columns
