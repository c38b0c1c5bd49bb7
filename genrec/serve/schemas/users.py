"""What is known of a user, and what forgetting them did."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from genrec.serve.schemas.base import Outgoing


class HistoryItem(Outgoing):
    """An item that a user met."""

    item_id: str
    title: str | None
    """Null for an item that the catalog does not have."""


class UserOut(Outgoing):
    """Everything that is stored of a user."""

    user_id: str
    history: list[HistoryItem]
    """What recommendations are made from, oldest first: the data set's part, then what events added."""
    hidden: list[str]
    """Item ids that are not recommended to them."""
    events: list[dict[str, Any]]
    """Every stored event, as it came."""


class UserForgotten(Outgoing):
    """What forgetting a user did, and what is left to do."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    user_id: str
    events: int
    """Events that were deleted."""
    retrain_after: bool
    """Whether the model may have learnt from them, so that a training without them must follow."""
    in_dataset: bool
    """Whether the data set that the model was trained on has them: take them out there before training again."""
