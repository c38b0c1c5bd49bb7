"""Explain the items of an answer."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genrec.explain.attribution import Attribution, items_read, leave_one_out
from genrec.explain.evidence import evidence
from genrec.explain.matching import Matching
from genrec.explain.reasons import Explanation, HistoryReason
from genrec.explain.sentence import sentence
from genrec.prompt.builder import clean
from genrec.prompt.understanding import Understood

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.recommend.recommender import Answer, Recommender, Request


def explain(
    recommender: Recommender,
    request: Request,
    answer: Answer,
    *,
    items: int = 10,
    latest: int | None = None,
    batch_size: int = 32,
) -> list[Explanation]:
    """Say why items were recommended.

    Parameters
    ----------
    recommender
        What gave the answer.
    request, answer
        What was asked and answered.
    items
        How many items to explain, from the first. Default 10.
    latest
        How many items of the history to leave out in turn, those met last. Default: all that the model reads.
    batch_size
        Most histories that are read together; bounds memory, changes nothing else. Default 32.

    Returns
    -------
    list of Explanation
        In the order of the answer. What the items of the history do is measured by leaving them out
        (:func:`~genrec.explain.attribution.leave_one_out`): each costs the model one more prompt to read.

    Examples
    --------
    >>> import tempfile
    >>> from genrec import Recommender, Request
    >>> from genrec.testing import toy_dataset
    >>> from genrec.training.config import FinetuneConfig
    >>> from genrec.training.finetune import finetune
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = finetune(config, toy_dataset(), folder)
    ...     recommender = Recommender.from_pretrained(folder, data=toy_dataset())
    >>> request = Request(history=["i3", "i4"], filters=["year>=1975"])
    >>> explanation, *_ = explain(recommender, request, recommender.recommend_batch([request])[0])
    >>> sorted(reason.title for reason in explanation.history)
    ['Golden Forest', 'Silver Engine']
    >>> explanation.filters[0].expression
    'year>=1975'
    """
    if not answer.items:
        return []
    ids = [item.item_id for item in answer.items]
    read = items_read(recommender, recommender.prepare(request))
    words = clean(request.prompt or "") or None
    # Places are those among all items of the answer, so all are scored.
    attribution = leave_one_out(recommender, read, words, ids, met=answer.history, latest=latest, batch_size=batch_size)
    places = attribution.places(np.array([item.score for item in answer.items]))
    explained = answer.items[:items]
    matching = Matching(recommender.catalog, recommender.catalog.ids.indices(ids[:items]))
    facts = zip(
        explained,
        matching.words(answer.understood or Understood()),
        evidence(recommender.dataset, answer.history, ids[:items], user=request.user),
        matching.filters(answer.filters),
        matching.boosts(request.boosts),
        strict=True,
    )
    explanations = []
    for row, (item, said, counts, filters, boosts) in enumerate(facts):
        explanation = Explanation(
            item_id=item.item_id,
            title=item.title,
            place=row + 1,
            of=len(ids),
            score=item.score,
            logprob=item.logprob,
            history=_history(recommender, attribution, places, row),
            words=said,
            evidence=counts,
            filters=filters,
            boosts=boosts,
        )
        explanations.append(replace(explanation, sentence=sentence(explanation)))
    return explanations


def _history(
    recommender: Recommender, attribution: Attribution, places: NDArray[np.int64], row: int
) -> tuple[HistoryReason, ...]:
    """Reasons of the history for one item, the strongest first."""
    titles, ids = recommender.catalog.titles, recommender.catalog.ids
    parts = zip(
        attribution.left_out, attribution.delta[:, row], places[:, row], attribution.of_guides[:, row], strict=True
    )
    reasons = [
        HistoryReason(item, titles[int(ids.indices([item])[0])], float(delta), int(place), float(guided))
        for item, delta, place, guided in parts
    ]
    return tuple(sorted(reasons, key=lambda reason: -reason.delta))
