"""``GET`` and ``DELETE /v1/users/{user_id}``: what is stored of somebody, and forgetting it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from genrec.serve.parts import Parts, PartsOf
from genrec.serve.problems import Problem
from genrec.serve.routes import json_response
from genrec.serve.schemas.base import Id
from genrec.serve.schemas.users import HistoryItem, UserForgotten, UserOut
from genrec.serve.users import dataset_history, known

router = APIRouter(tags=["users"])

UserId = Annotated[Id, Path(description="A user of the data set, or of events.")]


@router.get("/v1/users/{user_id:path}", response_model=UserOut)
async def get_user(user_id: UserId, parts: PartsOf) -> Response:
    """Everything that is stored of a user: the export that they may ask for."""
    return json_response(await asyncio.to_thread(_export, parts, user_id))


@router.delete("/v1/users/{user_id:path}", response_model=UserForgotten)
async def forget_user(user_id: UserId, request: Request, parts: PartsOf) -> Response:
    """Forget a user: their events, what is kept in memory, and their part of the data set as far as answers go.

    The answer says what is left to do: a model that was trained with them needs a training without them.
    """
    dataset = parts.service.recommender.dataset
    in_dataset = user_id in dataset.users
    forgotten = await asyncio.to_thread(parts.store.forget, user_id, in_training_data=in_dataset)
    parts.service.forget_prompts()
    request.state.log.update(events=forgotten.events)
    done = {"user_id": user_id, "in_dataset": in_dataset, **forgotten.to_dict()}
    return json_response(UserForgotten.model_validate(done))


def _export(parts: Parts, user_id: str) -> UserOut:
    recommender = parts.service.recommender
    user, events = known(recommender, parts.store, user_id), parts.store.export_user(user_id)
    if not user.in_dataset and not events:
        raise Problem(404, "unknown-user", "nobody knows this user", field="user_id", value=user_id)
    met = [*(dataset_history(recommender, user_id) if user.in_dataset else ()), *user.met]
    catalog = recommender.dataset.catalog
    titles = [catalog.titles[int(row)] for row in catalog.ids.indices(met)]
    history = [HistoryItem(item_id=item, title=title) for item, title in zip(met, titles, strict=True)]
    return UserOut(user_id=user_id, history=history, hidden=list(user.hidden), events=events)
