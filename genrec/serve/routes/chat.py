"""``POST /v1/chat``: a turn of a conversation, whose state the client keeps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from genrec.chat import Conversation
from genrec.serve.parts import Parts, PartsOf, RequestId, read_within, while_connected
from genrec.serve.routes import json_response
from genrec.serve.schemas.chat import ChatAnswer, ChatBody
from genrec.serve.users import Known, known

if TYPE_CHECKING:
    from genrec.chat import Turn
    from genrec.recommend.recommender import Recommender

router = APIRouter(tags=["chat"])


@router.post("/v1/chat", response_model=ChatAnswer)
async def chat(body: ChatBody, request: Request, parts: PartsOf, request_id: RequestId) -> Response:
    """Answer a turn of a conversation: what is liked, disliked and asked for adds up, and can be taken back.

    The server keeps nothing of it: send `state` as it was answered with the next text.
    """
    turn = await while_connected(request, _say(parts, body))
    answer = turn.to_dict() | {"request_id": request_id, "model_version": parts.service.version}
    request.state.log.update(items=len(turn.items))
    return json_response(ChatAnswer(**answer))


async def _say(parts: Parts, body: ChatBody) -> Turn:
    user, left = Known(False, (), ()), parts.settings.timeout_s
    if body.user_id is not None:
        user, left = await read_within(left, partial(known, parts.service.recommender, parts.store, body.user_id))
    name = body.user_id if user.in_dataset else None

    def work(recommender: Recommender) -> Turn:
        if body.state is None:
            talk = Conversation(recommender, history=user.met, user=name, exclude=user.hidden, k=body.k)
        else:
            talk = Conversation.from_state(
                recommender, body.state, history=user.met, user=name, exclude=user.hidden, k=body.k
            )
        return talk.say(body.text)

    return await parts.service.run(work, timeout_s=left)
