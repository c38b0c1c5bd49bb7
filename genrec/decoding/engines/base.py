"""What the recommender asks of an engine: the k best items after prompts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

from genrec.decoding.beam import search
from genrec.decoding.decoded import Decoded, check_request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from genrec.decoding.reader import CodeReader
    from genrec.decoding.weights import ItemWeights
    from genrec.items.vocabulary import ItemVocabulary
    from genrec.prompt.sequence import TokenSequence


class Engine(ABC):
    """Computes a generator somewhere: in this process, in vLLM, behind a vLLM server.

    An engine only reads prompts and beams. The search above it, with its weights, filters and ties, is one and the
    same for all of them, and so is the ranking, as far as their arithmetic agrees.

    Parameters
    ----------
    vocabulary
        Item tokens and the catalog trie.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.decoding.engines import TorchEngine
    >>> from genrec.prompt.sequence import TokenSequence
    >>> from genrec.testing import tiny_generator
    >>> prompt = TokenSequence(np.array([0]), np.array([-1], dtype=np.int32))
    >>> with TorchEngine(tiny_generator(num_items=6)) as engine:
    ...     decoded = engine.beam_search([prompt], k=2)
    >>> decoded.items.shape
    (1, 2)
    """

    def __init__(self, vocabulary: ItemVocabulary) -> None:
        self.vocabulary = vocabulary

    @abstractmethod
    def read(self, prompts: Sequence[TokenSequence]) -> CodeReader:
        """Read prompts, for a search to begin after them.

        Raises
        ------
        ConfigError
            If there are none, or one is empty or leaves no room for an item.
        """

    def beam_search(
        self,
        prompts: Sequence[TokenSequence],
        k: int = 10,
        beams: int | Sequence[int] = 50,
        weights: ItemWeights | None = None,
        alpha: float = 1.0,
        *,
        renormalise: bool = False,
    ) -> Decoded:
        """Generate the k best items after each prompt; see :func:`genrec.decoding.beam_search`."""
        check_request(len(prompts), self.vocabulary.num_items, k, weights)
        return search(self.read(prompts), k, beams, weights, alpha, renormalise=renormalise)

    def rank_all(
        self, prompts: Sequence[TokenSequence], k: int = 10, weights: ItemWeights | None = None, alpha: float = 1.0
    ) -> Decoded:
        """Find the k best of all eligible items exactly: with as many beams as there are items, none is missed."""
        return self.beam_search(prompts, k, self.vocabulary.num_items, weights, alpha)

    def remember_prompts(self, max_bytes: int) -> None:  # noqa: B027  a vLLM remembers by itself
        """Keep what was computed for prompts, so that those that begin alike cost what is new in them.

        Parameters
        ----------
        max_bytes
            Most bytes to keep; the least recently used prompts go first. 0 keeps none.
        """

    def forget_prompts(self) -> None:  # noqa: B027
        """Drop what was kept of prompts."""

    def close(self) -> None:  # noqa: B027  most engines hold nothing
        """Release what the engine holds; it cannot be used afterwards."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
