"""What stands around everything: a name for each request, its line in the log, its place in the metrics."""

from __future__ import annotations

import json
import logging
import re
import time
import uuid
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from genrec.errors import GenrecError
from genrec.serve.problems import Problem, of_error

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from genrec.serve.metrics import Metrics

logger = logging.getLogger(__name__)
access_log = logging.getLogger("genrec.serve.access")

CLIENT_GONE = 499
"""Status that the log gives a request whose client did not wait for the answer."""
_PROBES = ("/health/live", "/health/ready", "/metrics")  # asked every few seconds: no news
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


class ClientGoneError(Exception):
    """The client hung up before the answer was there."""


class Observe:
    """Middleware that names, times, counts and logs every request, and answers what nothing else has answered.

    A client may name a request by ``X-Request-ID``; other names than letters, digits and ``._-`` are replaced. The
    log has the template of a route, not its path, and nothing that a client sent but that name, so no user, no prompt,
    no key and no control character gets into it.

    Parameters
    ----------
    app
        What is behind it.
    metrics
        Where to count.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, and answer with a problem where it ends in an exception."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        # A copy: what the server keeps for all requests is not the place for what belongs to one.
        scope["state"] = {**scope.get("state", {}), "request_id": request_id, "log": {}}
        start, status, size = time.perf_counter(), 0, 0

        async def named(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status, headers = message["status"], MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            size += len(message.get("body", b""))
            try:
                await send(message)
            except Exception as error:  # such as a connection that broke in the middle of what was not HTTP
                raise ClientGoneError from error

        self._metrics.in_flight.inc()
        try:
            try:
                await self._app(scope, receive, named)
            except (ClientGoneError, ClientDisconnect):
                raise
            except Exception as error:
                problem = _problem_of(error, request_id)
                if status:  # half an answer is out: nothing can be added to it
                    raise
                await problem.response(request_id)(scope, receive, named)
        except (ClientGoneError, ClientDisconnect):
            status = CLIENT_GONE
        finally:
            self._metrics.in_flight.dec()
            self._write(scope, status, size, time.perf_counter() - start)

    def _write(self, scope: Scope, status: int, size: int, seconds: float) -> None:
        route, state = getattr(scope.get("route"), "path_format", "unmatched"), scope["state"]
        self._metrics.done(scope["method"], route, status, seconds)
        line: dict[str, Any] = {
            "request_id": state["request_id"],
            "method": scope["method"],
            "route": route,
            "status": status,
            "ms": round(seconds * 1e3, 1),
            "bytes": size,
            "key": state.get("key"),
            **state["log"],
        }
        level = logging.DEBUG if route in _PROBES else logging.INFO
        access_log.log(level, "%s", json.dumps(line))


def _problem_of(error: Exception, request_id: str) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, GenrecError):
        return of_error(error)
    if isinstance(error, HTTPException):
        return Problem(error.status_code, "http", str(error.detail), headers=error.headers)
    logger.error("request %s failed", request_id, exc_info=error)
    hint = "the server's log says more under this request_id"
    return Problem(500, "internal", "the server is at fault", hint=hint)
