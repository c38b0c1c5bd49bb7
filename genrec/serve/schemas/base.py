"""What all bodies have in common: bounds, and text that is text."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

MAX_ID = 256
"""Characters of a user, item, event or request id."""
MAX_PROMPT = 4_000
"""Characters of a prompt or of what is said in a chat."""
MAX_FILTER = 500
"""Characters of a filter expression."""
MAX_FILTERS = 20
"""Filter expressions, and boosts, of a request."""
MAX_HISTORY = 1_000
"""Items of a history."""
MAX_CANDIDATES = 10_000
"""Item ids outside of which nothing is recommended."""
MAX_K = 200
"""Items of an answer."""
MAX_BEAMS = 200
"""Beam width (W)."""
MAX_BATCH = 64
"""Requests in one body."""
MAX_EVENTS = 10_000
"""Events in one body."""
MAX_ITEMS = 1_000
"""New or changed items in one body."""
MAX_PAGE = 200
"""Items or events of one page of a listing."""

Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""An id: no control characters, so that it can stand in any log or table."""
FilterText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_FILTER)]
"""A filter expression such as ``year>=1990``."""
Prompt = Annotated[str, StringConstraints(max_length=MAX_PROMPT)]
"""A request in plain words."""


class Incoming(BaseModel):
    """A body, or a part of one, that a client sends: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class Outgoing(BaseModel):
    """A body, or a part of one, that the server sends."""

    model_config = ConfigDict(use_attribute_docstrings=True)
