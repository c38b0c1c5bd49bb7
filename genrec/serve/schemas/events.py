"""Events: what users did, saw and said."""

from __future__ import annotations

import time
from typing import Literal, get_args

from pydantic import Field, ValidationInfo, field_validator

from genrec.events.event import LARGEST, LATEST, Feedback
from genrec.serve.schemas.base import Id, Incoming, Outgoing


def _now() -> int:
    return int(time.time())


class EventIn(Incoming):
    """One event."""

    event_id: Id
    """Chosen by the sender; an event whose id is known already is counted as a duplicate and changes nothing."""
    user_id: Id
    item_id: Id
    kind: Literal["interaction", "impression", "feedback"]
    """`interaction`: met the item; `impression`: saw it in a list; `feedback`: said what they think of it."""
    value: str = Field(default="", validate_default=True, max_length=64, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    """Feedback: `like`, `dislike`, `hide` or `undo`. Interaction: a word such as `view`, `cart`, `purchase`."""
    timestamp: int = Field(default_factory=_now, ge=0, le=LATEST)
    """Seconds UTC; now, without."""
    dwell_ms: int | None = Field(default=None, ge=0, le=LARGEST)
    """How long they stayed, in milliseconds."""
    request_id: str = Field(default="", max_length=128, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
    """The answer that showed them the item."""
    position: int | None = Field(default=None, ge=0, le=LARGEST)
    """Place of the item in that answer, from 0."""

    @field_validator("value")
    @classmethod
    def _known_feedback(cls, value: str, info: ValidationInfo) -> str:
        words = get_args(Feedback)
        if info.data.get("kind") == "feedback" and value not in words:
            msg = f"feedback is one of {', '.join(words)}"
            raise ValueError(msg)
        return value


class EventsAccepted(Outgoing):
    """Events that are on the disk now."""

    accepted: int
    duplicates: int
    """Events that were known already."""
