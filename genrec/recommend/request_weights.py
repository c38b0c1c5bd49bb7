"""What a request excludes and prefers, as item log-weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.decoding.weights import ItemWeights
from genrec.recommend.diversity import boost_weights
from genrec.recommend.filters import filter_mask
from genrec.recommend.model_items import known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.prompt.understanding import Understood
    from genrec.recommend.model_items import ModelItems
    from genrec.recommend.request import Request

WANTED_PRIOR = 3.0
"""Log-weight of each wanted value an item has beyond the first, which is required.

Where a request wants values together and enough items have them all, all are required."""


TITLE_WORD_PRIOR = 4.0
"""Log-weight of each word of a request that stands in an item's title, for models that do not read the request."""


def return_weights(histories: Sequence[NDArray[np.int32]], log_odds: float, num_items: int) -> ItemWeights:
    """The same log-weight for all items of each history: how users come back to an item.

    Parameters
    ----------
    histories
        B arrays of item indices, int32 (T,); an item that stands there twice weighs once.
    log_odds
        The log-weight, in nats; the other items have 0.
    num_items
        Number of items (N).

    Returns
    -------
    ItemWeights
        (B, N).

    Examples
    --------
    >>> return_weights([np.array([1, 1]), np.array([0])], -2.0, num_items=3).dense
    array([[ 0., -2.,  0.],
           [-2.,  0.,  0.]], dtype=float32)
    """
    seen = [np.unique(history) for history in histories]
    return ItemWeights.from_sparse(seen, [np.full(len(row), log_odds) for row in seen], num_items)


def request_weights(
    request: Request,
    items: ModelItems,
    history: NDArray[np.int32],
    understood: Understood | None,
    filters: Sequence[str],
    return_log_odds: float = 0.0,
) -> ItemWeights:
    """Put everything that a request excludes or prefers into one vector.

    Parameters
    ----------
    request
        The request.
    items
        The items of the model (N).
    history
        Item indices of everything that was met or is liked.
    understood
        What its prompt says.
    filters
        All filters that apply, those of the prompt among them.
    return_log_odds
        Log-weight of the items of the history, where the request lets them come back. Default 0.

    Returns
    -------
    ItemWeights
        (1, N).
    """
    catalog, num_items = items.catalog, len(items.catalog)
    named = [] if understood is None else [*understood.liked, *understood.disliked]
    weights = ItemWeights.from_seen([[*named, *([] if request.include_seen else history.tolist())]], num_items)
    if request.include_seen and return_log_odds:
        weights += return_weights([history], return_log_odds, num_items)
    if filters:
        weights += ItemWeights.from_mask(filter_mask(catalog, list(filters)))
    if request.boosts:
        weights += boost_weights(catalog, request.boosts)
    if request.candidates is not None:
        listed = known(items.of_ids(request.candidates), "the candidates")
        weights += ItemWeights.from_candidates([np.unique(listed)], num_items)
    if understood is not None and understood.unwanted_title_words:
        weights += ItemWeights.from_mask(items.title_words.count(understood.unwanted_title_words) == 0)
    if understood is not None and understood.title_words:
        words = items.title_words.count(understood.title_words)
        weights += ItemWeights.from_priors(TITLE_WORD_PRIOR * words.astype(np.float32))
    if request.exclude:
        excluded = items.of_ids(request.exclude)
        weights += ItemWeights.from_seen([excluded[excluded >= 0]], num_items)
    if understood is not None and understood.wanted_filters:
        matches = np.sum([filter_mask(catalog, [one]) for one in understood.wanted_filters], axis=0, dtype=np.float32)
        fits, every = matches > 0, matches == len(understood.wanted_filters)
        if understood.together and (weights.eligible[0] & every).sum() >= request.k:
            fits = every
        weights += ItemWeights.from_priors(np.where(fits, WANTED_PRIOR * (matches - 1), -np.inf))
    return weights
