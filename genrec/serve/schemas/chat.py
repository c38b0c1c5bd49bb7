"""A conversation; its state travels with the client."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from genrec.chat.conversation import MAX_CHARS
from genrec.chat.state import MAX_SHOWN
from genrec.serve.schemas.base import Id, Incoming, Outgoing


class ChatBody(Incoming):
    """What the user says, and where the conversation stands."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARS)]
    """What the user says."""
    state: dict[str, Any] | None = None
    """The state of the last answer; none to begin."""
    user_id: Id | None = None
    """Begin with what this user met."""
    k: int = Field(default=5, ge=1, le=MAX_SHOWN)
    """Items to recommend."""


class ChatItem(Outgoing):
    """An item that the answer offers."""

    item_id: str
    title: str
    score: float
    logprob: float


class ChatAnswer(Outgoing):
    """What is answered."""

    request_id: str
    text: str
    items: list[ChatItem]
    understood: dict[str, Any] | None
    """What was understood of the text."""
    state: dict[str, Any]
    """Send it with what the user says next."""
    model_version: str
