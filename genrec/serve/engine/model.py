"""A model that is served: loaded, checked, and with all it needs beside it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.columns import ITEM_ID
from genrec.errors import ConfigError, GenrecError, ModelError
from genrec.recommend.request import Request
from genrec.serve.engine.fallback import Fallback, Neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec.recommend.recommender import Recommender
    from genrec.recommend.request import Answer

logger = logging.getLogger(__name__)

TOLERANCE = 0.5
"""Most by which scores of one item may differ, asked for alone or in company, in nats. Rounding makes a ten-thousandth
of it in float32 and a tenth in bfloat16 and int8; somebody else's history makes more."""
STEPS = 5
"""Parts of the window in which its beginning moves on."""


@dataclass(frozen=True, eq=False)
class ServedModel:
    """A model, and what is served with it.

    Parameters
    ----------
    recommender
        The model on its data.
    fallback
        Answers where it would be too late; None without one.
    version
        See :attr:`~genrec.model.description.ModelDescription.version`.
    """

    recommender: Recommender
    fallback: Fallback | None
    version: str


def open_model(load: Callable[[], Recommender], *, cache_bytes: int, with_fallback: bool) -> ServedModel:
    """Load a model, and let nothing pass that does not work.

    Parameters
    ----------
    load
        Loads it.
    cache_bytes
        Room for prompts that were read.
    with_fallback
        Fit a fallback on its data.

    Raises
    ------
    GenrecError
        If it cannot be loaded, or its answers make no sense.
    """
    try:
        recommender = _with_all_items(load())
        equip(recommender, cache_bytes)
        check(recommender)
        fallback = Fallback(recommender, Neighbours(recommender.dataset)) if with_fallback else None
    except GenrecError:
        raise
    except Exception as error:
        raise ModelError(f"the model cannot be loaded: {error!r}") from error
    return ServedModel(recommender, fallback, recommender.model.description.version)


def _with_all_items(recommender: Recommender) -> Recommender:
    """With those items of the data set that are new to the model, if they can be given codes."""
    try:
        return recommender.with_items(recommender.dataset.catalog.table.select([ITEM_ID]))
    except ConfigError as error:
        logger.warning("items of the data set that are new to the model are not recommended: %s", error.message)
        return recommender


def equip(recommender: Recommender, cache_bytes: int) -> None:
    """Let a recommender remember prompts, and move windows so that this is of use."""
    recommender.engine.remember_prompts(cache_bytes)
    recommender.history_step = max(recommender.model.description.max_items // STEPS, 1) if cache_bytes else 1


def check(recommender: Recommender) -> None:
    """Ask for a few recommendations, together and one by one, and see that they are what they have to be.

    Raises
    ------
    ModelError
        If they are not.
    """
    items = recommender.model.item_ids
    lengths = sorted({1, min(len(items) // 2, 2), min(len(items) // 2, recommender.model.description.max_items)} - {0})
    order = np.random.default_rng(0).permutation(len(items))
    requests = [Request(history=[items[item] for item in order[:length]], beams=20) for length in lengths]
    together = recommender.recommend_batch(requests)
    for request, answer in zip(requests, together, strict=True):
        recommender.engine.forget_prompts()
        alone = recommender.recommend_batch([request])[0]
        _check_answer(request, answer)
        _check_answer(request, alone)
        scores = {one.item_id: one.score for one in alone.items}
        apart = [abs(scores[one.item_id] - one.score) for one in answer.items if one.item_id in scores]
        if max(apart, default=0.0) > TOLERANCE:
            raise ModelError(f"self-check: the same request got scores {max(apart):.3g} apart alone and in company")
    recommender.engine.forget_prompts()


def _check_answer(request: Request, answer: Answer) -> None:
    scores = [one.score for one in answer.items]
    seen = set(request.history or ())
    if len(scores) != min(request.k, answer.eligible):
        raise ModelError(f"self-check: {len(scores)} items where {min(request.k, answer.eligible)} were due")
    if not np.isfinite(scores).all() or scores != sorted(scores, reverse=True):
        raise ModelError(f"self-check: scores are no ranking: {scores}")
    if seen & {one.item_id for one in answer.items}:
        raise ModelError("self-check: items of the history were recommended")
