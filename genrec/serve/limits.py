"""How much a client may send, and how often."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from genrec.serve.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive


class RateLimiter:
    """A token bucket for each key: so many requests a second, twice as many at once.

    Parameters
    ----------
    rate_per_s
        Requests a second.
    clock
        Seconds, never going back.

    Examples
    --------
    >>> limiter = RateLimiter(1.0, clock=lambda: 0.0)
    >>> [limiter.wait("shop") for _ in range(3)]
    [0.0, 0.0, 1.0]
    """

    def __init__(self, rate_per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate_per_s, max(1.0, 2 * rate_per_s), clock
        self._buckets: dict[str, tuple[float, float]] = {}  # tokens, when

    def wait(self, key: str) -> float:
        """Take a token; seconds until there is one, 0 if it was taken. Keys are few: those of the key file."""
        now = self._clock()
        tokens, then = self._buckets.get(key, (self._burst, now))
        tokens = min(self._burst, tokens + (now - then) * self._rate)
        taken = tokens >= 1.0
        self._buckets[key] = (tokens - taken, now)
        return 0.0 if taken else (1.0 - tokens) / self._rate


def bounded(receive: Receive, max_bytes: int, declared: int | None, timeout_s: float) -> Receive:
    """Hand on a request body while it keeps within its size and its time.

    Parameters
    ----------
    receive
        Where the body comes from.
    max_bytes
        Largest body; one byte more ends it, whatever its length was said to be.
    declared
        Its ``Content-Length``, if there is one.
    timeout_s
        Longest time until all of it is there, in seconds.

    Raises
    ------
    Problem
        413 at once if `declared` is too large; 413 or 408 later, where the body is read.
    """
    if declared is not None and declared > max_bytes:
        raise _too_large(max_bytes, declared)
    seen, whole, deadline = 0, False, time.monotonic() + timeout_s

    async def hand_on() -> Message:
        nonlocal seen, whole
        if whole:  # what comes now is that the client has gone
            return await receive()
        try:
            message = await asyncio.wait_for(receive(), max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            detail = f"the body was not there after {timeout_s:g} seconds"
            raise Problem(408, "slow-body", detail, field="body", limit=timeout_s) from None
        seen += len(message.get("body", b""))
        whole = not message.get("more_body", False)
        if seen > max_bytes:
            raise _too_large(max_bytes, seen)
        return message

    return hand_on


def _too_large(limit: int, value: int) -> Problem:
    detail = f"the body has {value} bytes or more, at most {limit} are read"
    hint = "send fewer at a time"
    headers = {"Connection": "close"}  # the rest of the body is not waited for
    return Problem(413, "too-large", detail, field="body", limit=limit, value=value, hint=hint, headers=headers)
