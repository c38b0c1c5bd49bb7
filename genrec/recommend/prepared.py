"""A request, ready to decode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genrec.decoding.weights import ItemWeights
    from genrec.prompt.sequence import TokenSequence
    from genrec.prompt.understanding import Understood
    from genrec.recommend.request import Request


@dataclass(frozen=True, eq=False)
class Places:
    """New items that shall have places of a list.

    Parameters
    ----------
    items
        Their indices, int32 (M,), M of at least 1, those that suit best first.
    weights
        What is preferred of them, (1, N); everything else is excluded.
    """

    items: NDArray[np.int32]
    weights: ItemWeights


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a request means to a recommender.

    Parameters
    ----------
    request
        As it was asked.
    history
        Item indices of everything that was met or is liked, int32 (T,), oldest first.
    understood
        What was understood of the prompt; None without one.
    filters
        All filters that apply.
    weights
        Everything that is excluded or preferred, (1, N).
    sequence
        The prompt that the model reads.
    places
        What has the last places of the list instead; ``weights`` exclude it. Default nothing.
    """

    request: Request
    history: NDArray[np.int32]
    understood: Understood | None
    filters: tuple[str, ...]
    weights: ItemWeights
    sequence: TokenSequence
    places: Places | None = None
