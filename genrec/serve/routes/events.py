"""``POST /v1/events``: what users did."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from genrec.errors import DataError
from genrec.events import Appended, Event, EventStore
from genrec.serve.parts import PartsOf
from genrec.serve.problems import Problem, of_error, of_validation
from genrec.serve.routes import json_response
from genrec.serve.schemas.base import MAX_EVENTS
from genrec.serve.schemas.events import EventIn, EventsAccepted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

router = APIRouter(tags=["events"])

_ONE = TypeAdapter(EventIn)
_MANY = TypeAdapter(list[EventIn])
_EVENT = EventIn.model_json_schema()  # FastAPI does not see a body that is read by hand
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        _EVENT,
                        {"type": "array", "maxItems": MAX_EVENTS, "items": _EVENT},
                    ]
                }
            },
            "application/x-ndjson": {"schema": {"type": "string", "description": "one event a line"}},
        },
    }
}


@router.post("/v1/events", response_model=EventsAccepted, openapi_extra=_BODY)
async def events(request: Request, parts: PartsOf) -> Response:
    """Take one event, an array, or a line of JSON each: when this answers, they are on the disk.

    All are taken or none is. Send what was not answered again: an event whose id is known counts as a duplicate.
    """
    lines = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-ndjson"
    if lines:
        appended = await asyncio.to_thread(_append, parts.store, [event async for event in _lines(request)], "event ")
    else:
        appended = await asyncio.to_thread(_append_body, parts.store, await request.body())
    parts.metrics.events.labels("accepted").inc(appended.accepted)
    parts.metrics.events.labels("duplicate").inc(appended.duplicates)
    request.state.log.update(events=appended.accepted, duplicates=appended.duplicates)
    return json_response(EventsAccepted(accepted=appended.accepted, duplicates=appended.duplicates))


def _append_body(store: EventStore, body: bytes) -> Appended:
    """Read a body and keep its events; thousands take a while, in which others are answered."""
    return _append(store, _parsed(body), "")


def _append(store: EventStore, taken: Sequence[EventIn], called: str) -> Appended:
    return store.append([_event(event, f"{called}{place}") for place, event in enumerate(taken)])


def _parsed(body: bytes) -> list[EventIn]:
    """One event, or an array of them."""
    try:
        if not body.lstrip().startswith(b"["):
            return [_ONE.validate_json(body)]
        found = _MANY.validate_json(body)
    except ValidationError as error:
        raise of_validation(error.errors(include_url=False), body=EventIn) from error
    _check_count(len(found))
    return found


async def _lines(request: Request) -> AsyncIterator[EventIn]:
    """Events of a body with one a line, read as they arrive."""
    rest, number, count = b"", 0, 0
    async for chunk in request.stream():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            number += 1
            if line.strip():
                count += 1
                _check_count(count)
                yield _line(line, number)
    if rest.strip():
        _check_count(count + 1)
        yield _line(rest, number + 1)


def _line(line: bytes, number: int) -> EventIn:
    try:
        return _ONE.validate_json(line)
    except ValidationError as error:
        raise of_validation(error.errors(include_url=False), f"line {number}", EventIn) from error


def _check_count(count: int) -> None:
    if count > MAX_EVENTS:
        detail = f"more than {MAX_EVENTS} events in one body"
        raise Problem(
            413, "too-large", detail, field="body", limit=MAX_EVENTS, value=count, hint="send fewer at a time"
        )


def _event(event: EventIn, where: str) -> Event:
    try:
        return Event(**event.model_dump())
    except DataError as error:  # what the schema lets pass and the store does not
        raise of_error(error, where) from error
