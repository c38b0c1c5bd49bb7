"""From a request's body to an answer's."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

from genrec.errors import DeadlineError, FilterError
from genrec.recommend.filters import parse_filter
from genrec.recommend.request import Request
from genrec.recommend.unmatched import unmatched
from genrec.serve.parts import read_within
from genrec.serve.problems import Problem, of_error
from genrec.serve.schemas.recommend import RecommendAnswer, RecommendedItem, UnderstoodOut
from genrec.serve.users import Known, check_items, known

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.explain import Explanation
    from genrec.prompt.understanding import Understood
    from genrec.recommend.recommender import Recommender
    from genrec.recommend.request import Answer
    from genrec.serve.engine import Served
    from genrec.serve.parts import Parts
    from genrec.serve.schemas.recommend import RecommendRequest

_BEAMS = Request(history=()).beams


async def answer_one(parts: Parts, body: RecommendRequest, request_id: str) -> RecommendAnswer:
    """Answer one request.

    Raises
    ------
    Problem
        If it asks for what there is not.
    GenrecError
        If it cannot be answered now, or not in time.
    """
    settings, recommender = parts.settings, parts.service.recommender
    left = min(body.timeout_s or settings.timeout_s, settings.timeout_s)
    deadline = time.monotonic() + left
    if body.user_id is None:
        request = to_request(parts, recommender, body)
    else:
        request, left = await read_within(left, partial(to_request, parts, recommender, body))
    served = await parts.service.recommend(request, timeout_s=left)
    _count(parts, served)
    reasons = {}
    if body.explain and served.source == "generator":
        reasons = await _reasons(parts, request, served.answer, deadline - time.monotonic())
    warnings = []
    if expressions := [*body.filters, *body.boosts]:
        warnings = await asyncio.to_thread(unmatched, recommender.catalog, expressions)  # reads columns, as filters do
    return to_answer(recommender, served, request_id, reasons, warnings)


def to_request(parts: Parts, recommender: Recommender, body: RecommendRequest) -> Request:
    """What a body asks of a recommender; reads the events of its user.

    Raises
    ------
    Problem
        If there is nothing to go by, or an item or a filter is not one.
    """
    user, nothing_said = Known(False, (), ()), body.history is None and not (body.prompt and body.prompt.strip())
    if body.user_id is not None:
        user = known(recommender, parts.store, body.user_id)
        if not user.anything and nothing_said:
            hint = "send a history or a prompt with it, or events first"
            raise Problem(404, "unknown-user", "nobody knows this user", field="user_id", value=body.user_id, hint=hint)
    elif nothing_said:
        field, hint = None if body.prompt is None else "prompt", "give a user_id, a history or a prompt"
        raise Problem(422, "invalid", "nothing to recommend for", field=field, value=body.prompt, hint=hint)
    check_items(recommender, body.history or (), "history")
    check_items(recommender, body.candidates or (), "candidates")
    _check_filters(body.filters, "filters")
    _check_filters(list(body.boosts), "boosts")
    return Request(
        user=body.user_id if user.in_dataset else None,
        history=[*user.met, *(body.history or ())],
        prompt=body.prompt,
        k=body.k,
        filters=body.filters,
        boosts=body.boosts,
        max_per_category=body.max_per_category,
        candidates=body.candidates,
        exclude=user.hidden,
        include_seen=body.include_seen,
        new_items=min(body.new_items, body.k),
        beams=body.beams or max(_BEAMS, body.k),
        exact=body.exact,
    )


def _check_filters(expressions: Sequence[str], field: str) -> None:
    for place, expression in enumerate(expressions):
        try:
            parse_filter(expression)
        except FilterError as error:
            raise of_error(error, f"{field}.{place}") from error


async def _reasons(parts: Parts, request: Request, answer: Answer, left: float) -> dict[str, dict[str, object]]:
    """The reasons of each item, within the time that is left."""
    from genrec.explain import explain

    def work(recommender: Recommender) -> list[Explanation]:
        return explain(recommender, request, answer, items=len(answer.items))

    try:
        found = await parts.service.run(work, timeout_s=left)
    except DeadlineError as error:
        hint = "ask for fewer items, or without explain"
        raise DeadlineError("the items were there in time, their reasons were not", hint=hint) from error
    return {one.item_id: one.to_dict() for one in found}


def to_answer(
    recommender: Recommender,
    served: Served,
    request_id: str,
    reasons: dict[str, dict[str, object]],
    warnings: list[str],
) -> RecommendAnswer:
    """An answer as it is sent."""
    answer, catalog = served.answer, recommender.catalog
    ids = [item.item_id for item in answer.items if item.item_id in catalog.ids]  # all, but where a swap came between
    categories = {id: catalog.categories[int(row)] for id, row in zip(ids, catalog.ids.indices(ids), strict=True)}
    items = [
        RecommendedItem(
            item_id=item.item_id,
            title=item.title,
            score=item.score,
            logprob=item.logprob,
            new=item.new,
            categories=categories.get(item.item_id, []),
            **({"reasons": reasons[item.item_id]} if item.item_id in reasons else {}),
        )
        for item in answer.items
    ]
    return RecommendAnswer(
        request_id=request_id,
        items=items,
        understood=None if answer.understood is None else to_understood(answer.understood),
        history=list(answer.history),
        filters=list(answer.filters),
        eligible=answer.eligible,
        warnings=warnings,
        source=served.source,
        model_version=served.model_version,
    )


def to_understood(understood: Understood) -> UnderstoodOut:
    """What was understood of a prompt, as it is sent."""
    return UnderstoodOut(
        liked=list(understood.liked_titles),
        disliked=list(understood.disliked_titles),
        wanted=list(understood.wanted),
        unwanted=list(understood.unwanted),
        filters=list(understood.filters),
        title_words=list(understood.title_words),
        unwanted_title_words=list(understood.unwanted_title_words),
        rest=list(understood.rest),
    )


def _count(parts: Parts, served: Served) -> None:
    metrics = parts.metrics
    metrics.answers.labels(served.source).inc()
    metrics.queue_seconds.observe(served.queue_ms / 1e3)
    metrics.decode_seconds.observe(served.decode_ms / 1e3)
    metrics.batch.observe(served.batch)
