"""Asks a model and the baseline every prompt of a suite."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.baselines.ranking import top_k
from genrec.benchmark.prompts.constraint import satisfying
from genrec.evaluation.metrics import recall
from genrec.recommend.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.benchmark.prompts.suite import Prompt, Suite
    from genrec.recommend.recommender import Recommender
    from genrec.recommend.request import Answer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Asked:
    """What one system answered to M prompts.

    Parameters
    ----------
    items
        int32 (M, k), best first, -1 padded.
    seconds
        Of each prompt, float64 (M,); None where prompts were asked together.
    understood
        What a model understood of each, in words; empty for a system that does not say.
    """

    items: NDArray[np.int32]
    seconds: NDArray[np.float64] | None = None
    understood: tuple[str, ...] = ()


def ask_model(recommender: Recommender, prompts: Sequence[Prompt], k: int = 10, beams: int = 50) -> Asked:
    """Ask one prompt after the other, as somebody who waits for the answer does; the first once before, untimed.

    Parameters
    ----------
    recommender
        The model; its items are those of the data set, in the same order.
    prompts
        M requests.
    k, beams
        Items to recommend, default 10, and beam width, default 50.
    """
    requests = [_request(recommender, prompt, prompt.history, k, beams) for prompt in prompts]
    recommender.recommend_batch(requests[:1])
    seconds = np.zeros(len(prompts))
    answers = []
    for row, request in enumerate(requests):
        if row == 0 or prompts[row].kind != prompts[row - 1].kind:
            logger.info("prompts: %s", prompts[row].kind)
        start = time.perf_counter()
        answers += recommender.recommend_batch([request])
        seconds[row] = time.perf_counter() - start
    return Asked(_items(answers, recommender, k), seconds, tuple(str(answer.understood) for answer in answers))


def ask_words_alone(recommender: Recommender, prompts: Sequence[Prompt], k: int = 10, beams: int = 50) -> Asked:
    """Ask without any history, several prompts together; what the user met still does not come back.

    Parameters
    ----------
    recommender, prompts, k, beams
        As :func:`ask_model` takes them.
    """
    logger.info("prompts: all again, without the history")
    none = np.empty(0, dtype=np.int32)
    requests = [_request(recommender, prompt, none, k, beams) for prompt in prompts]
    return Asked(_items(recommender.recommend_batch(requests), recommender, k))


def rank_told(suite: Suite, scores: NDArray[np.float32], k: int = 10) -> Asked:
    """Rank by scores the items that are as demanded: what a system reaches that need not understand the words.

    Parameters
    ----------
    suite
        M prompts.
    scores
        float32 (M, N), or (N,) for the same of all prompts.
    k
        Items to recommend. Default 10.
    """
    scores = np.array(np.broadcast_to(scores, (len(suite.prompts), scores.shape[-1])))
    for row, prompt in enumerate(suite.prompts):
        scores[row, ~satisfying(prompt.constraints, suite.source.attributes)] = -np.inf
        scores[row, prompt.seen] = -np.inf
    return Asked(top_k(scores, k).items)


def known_items(prompt: Prompt) -> NDArray[np.int32]:
    """What a prompt tells of the user: the history, or the titles that it names, int32."""
    return prompt.history if len(prompt.history) else np.array(prompt.named, dtype=np.int32)


def satisfied(suite: Suite, items: NDArray[np.int32]) -> NDArray[np.float64]:
    """Share of each prompt's k places that hold an item as demanded; an empty place does not.

    Parameters
    ----------
    suite
        M prompts.
    items
        int32 (M, k), -1 padded.

    Returns
    -------
    NDArray
        float64 (M,), NaN where a prompt demands nothing.
    """
    shares = np.full(len(suite.prompts), np.nan)
    for row, prompt in enumerate(suite.prompts):
        if prompt.constraints:
            mask = satisfying(prompt.constraints, suite.source.attributes)
            shares[row] = np.mean(mask[items[row]] & (items[row] >= 0))
    return shares


def recalled(suite: Suite, items: NDArray[np.int32]) -> NDArray[np.float64]:
    """Recall of each prompt's targets in items int32 (M, k), float64 (M,)."""
    return recall(items, [prompt.targets for prompt in suite.prompts], items.shape[1])


def _request(recommender: Recommender, prompt: Prompt, history: NDArray[np.int32], k: int, beams: int) -> Request:
    ids = recommender.dataset.catalog.ids.ids
    return Request(
        history=[ids[item] for item in history],
        prompt=prompt.text,
        k=k,
        beams=beams,
        exclude=[ids[item] for item in prompt.seen],
    )


def _items(answers: Sequence[Answer], recommender: Recommender, k: int) -> NDArray[np.int32]:
    items = np.full((len(answers), k), -1, dtype=np.int32)
    for row, answer in enumerate(answers):
        found = recommender.dataset.catalog.ids.indices([item.item_id for item in answer.items])
        items[row, : len(found)] = found
    return items
