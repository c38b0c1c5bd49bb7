"""``POST /v1/recommend`` and ``POST /v1/similar``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from genrec.errors import GenrecError
from genrec.serve.answers import answer_one
from genrec.serve.parts import Parts, PartsOf, RequestId, while_connected
from genrec.serve.problems import Problem, of_error
from genrec.serve.routes import json_response
from genrec.serve.schemas.recommend import (
    RecommendAnswer,
    RecommendAnswers,
    RecommendBody,
    RecommendRequest,
    SimilarBody,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

router = APIRouter(tags=["recommend"])


@router.post("/v1/recommend", response_model=RecommendAnswer | RecommendAnswers)
async def recommend(body: RecommendBody, request: Request, parts: PartsOf, request_id: RequestId) -> Response:
    """Recommend items for a user, a history, a request in plain words, or any of them together; or for several."""
    if body.requests is None:
        answer = await while_connected(request, answer_one(parts, body, request_id))
        _log(request, [body], [answer])
        return json_response(answer)
    answers = await while_connected(request, _answer_all(parts, body.requests, request_id))
    _log(request, body.requests, answers)
    return json_response(RecommendAnswers(answers=answers))


@router.post("/v1/similar", response_model=RecommendAnswer)
async def similar(body: SimilarBody, request: Request, parts: PartsOf, request_id: RequestId) -> Response:
    """Recommend items that go with an item: what somebody would meet next who met nothing else."""
    if body.item_id not in parts.service.recommender.dataset.catalog.ids:
        hint = "GET /v1/items?query= finds items"
        raise Problem(404, "unknown-item", "no such item", field="item_id", value=body.item_id, hint=hint)
    asked = RecommendRequest(history=[body.item_id], k=body.k, filters=body.filters)
    answer = await while_connected(request, answer_one(parts, asked, request_id))
    _log(request, [asked], [answer])
    return json_response(answer)


async def _answer_all(parts: Parts, bodies: Sequence[RecommendRequest], request_id: str) -> list[RecommendAnswer]:
    """Answer several requests, which the service decodes together; the first that fails ends all, and is named."""
    tasks = [
        asyncio.ensure_future(_numbered(parts, body, f"{request_id}.{row}", row)) for row, body in enumerate(bodies)
    ]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _numbered(parts: Parts, body: RecommendRequest, request_id: str, row: int) -> RecommendAnswer:
    try:
        return await answer_one(parts, body, request_id)
    except Problem as problem:
        problem.field = ".".join(["requests", str(row), *([problem.field] if problem.field else [])])
        raise
    except GenrecError as error:
        raise of_error(error, f"requests.{row}") from error


def _log(request: Request, bodies: Sequence[RecommendRequest], answers: Sequence[RecommendAnswer]) -> None:
    request.state.log.update(
        requests=len(bodies),
        k=max(body.k for body in bodies),
        fallbacks=sum(answer.source == "fallback" for answer in answers),
        model_version=answers[0].model_version,
    )
