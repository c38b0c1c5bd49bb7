"""What went wrong, as ``application/problem+json`` (RFC 9457)."""

from __future__ import annotations

import json
import math
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from genrec.errors import (
    ConfigError,
    DataError,
    DeadlineError,
    EngineError,
    FilterError,
    GenrecError,
    ModelError,
    NotReadyError,
    QueueFullError,
    ResourceError,
    ServiceError,
    StorageError,
    StorageFullError,
    UnknownIdError,
)
from genrec.serve.names import did_you_mean, fields_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MEDIA_TYPE = "application/problem+json"
_SHOWN = 100  # characters of a value that is sent back
_FURTHER = 8  # further faults that are listed

STATUS_OF: dict[type[GenrecError], tuple[int, str]] = {
    QueueFullError: (429, "queue-full"),
    DeadlineError: (504, "deadline"),
    NotReadyError: (503, "not-ready"),
    ServiceError: (503, "service"),
    UnknownIdError: (404, "unknown-id"),
    FilterError: (422, "filter"),
    ConfigError: (422, "invalid"),
    ModelError: (409, "model"),
    StorageFullError: (507, "storage-full"),
    StorageError: (503, "storage"),
    ResourceError: (503, "resources"),
    EngineError: (503, "engine"),
    DataError: (422, "data"),
}
"""Status and type of each error that genrec raises on purpose; the nearest base class counts."""

_LIMITS = ("le", "ge", "lt", "gt", "max_length", "min_length", "pattern", "expected")


class Problem(HTTPException):
    """An answer that says what is wrong.

    Parameters
    ----------
    status
        HTTP status.
    slug
        What kind of problem: the end of the ``type`` URN.
    detail
        One sentence for a person.
    field, limit, value
        Which part of the request, what it may be, and what it was.
    hint
        What the caller can do about it.
    headers
        Further headers.
    more
        Further faults of the same request.

    Examples
    --------
    >>> Problem(422, "invalid", "too many", field="k", limit=200, value=500).as_dict()["field"]
    'k'
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str,
        *,
        field: str | None = None,
        limit: object = None,
        value: object = None,
        hint: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Sequence[Mapping[str, object]] = (),
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.slug, self.hint, self.more = slug, hint, list(more)
        self.field, self.limit, self.value = field, limit, value

    def as_dict(self) -> dict[str, object]:
        """The body; members without a value are left out."""
        members = {
            "type": f"urn:genrec:problem:{self.slug}",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "detail": self.detail,
            "field": self.field,
            "limit": self.limit,
            "value": shown(self.value),
            "hint": self.hint,
            "errors": self.more or None,
        }
        return {name: value for name, value in members.items() if value is not None}

    def response(self, request_id: str) -> Response:
        """The answer. ASCII only, so that whatever a client sent can be sent back."""
        body = json.dumps(self.as_dict() | {"request_id": request_id}, allow_nan=False)
        return Response(body, status_code=self.status_code, headers=self.headers, media_type=MEDIA_TYPE)


def shown(value: object) -> object:
    """A value of a request, short and such that JSON has it.

    Examples
    --------
    >>> shown("x" * 200) == "x" * 100 + "...", shown(float("nan")), shown({"a": 1})
    (True, 'nan', '{...}')
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**63 else "a very large number"
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, str):
        return value if len(value) <= _SHOWN else value[:_SHOWN] + "..."
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return "{...}" if isinstance(value, dict) else "[...]"


def of_error(error: GenrecError, field: str | None = None) -> Problem:
    """The problem that an error of genrec is.

    Examples
    --------
    >>> of_error(FilterError("no column 'colour'")).status_code
    422
    """
    for kind in type(error).__mro__:
        if kind in STATUS_OF:
            status, slug = STATUS_OF[kind]
            break
    else:
        status, slug = 500, "internal"
    headers, wait = {}, getattr(error, "retry_after_s", None)
    if wait is not None:
        headers["Retry-After"] = str(max(1, math.ceil(wait)))
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "1"
    if isinstance(error, FilterError) and field is None:
        field = "filters"
    return Problem(status, slug, error.message, field=field, hint=error.hint, headers=headers)


def of_validation(errors: Sequence[Mapping[str, Any]], prefix: str = "", body: object = None) -> Problem:
    """The problem of a request that does not fit its schema: the first fault, and the further ones in short.

    Parameters
    ----------
    errors
        What pydantic found.
    prefix
        Where the checked part stands in the request.
    body
        The type of what was checked, so that an unknown field can be told its nearest.
    """
    if errors[0]["type"] == "json_invalid":
        why = errors[0].get("ctx", {}).get("error", errors[0]["msg"])
        return Problem(400, "not-json", f"the body is not JSON: {why}", field=prefix or None)
    faults = [_fault(error, prefix, body) for error in errors[: _FURTHER + 1]]
    first, more = faults[0], [{"field": fault["field"], "detail": fault["detail"]} for fault in faults[1:]]
    return Problem(422, "invalid", first.pop("detail"), **first, more=more)


def _fault(error: Mapping[str, Any], prefix: str, body: object) -> dict[str, Any]:
    place = [part for part in error["loc"] if part not in ("body", "query", "path")]
    where = [str(part) for part in place]
    field = ".".join([*([prefix] if prefix else []), *where])
    context = error.get("ctx", {})
    limit = next((context[name] for name in _LIMITS if name in context), None)
    value = context.get("actual_length", error.get("input"))
    message, hint = str(error["msg"]).removeprefix("Value error, "), None
    if error["type"] == "extra_forbidden":
        message = "there is no such field"
        hint = did_you_mean(where[-1], fields_at(body, place[:-1]), "fields")
    fault = {"detail": f"{shown(field)}: {message}" if field else message, "field": shown(field) or None}
    return fault | {"limit": limit, "value": None if error["type"] == "missing" else value, "hint": hint}
