"""The queue between those who ask and the one thread that decodes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition
from typing import TYPE_CHECKING, Any

from genrec.recommend.request import Request

if TYPE_CHECKING:
    import asyncio

    from genrec.recommend.recommender import Recommender

Work = Callable[["Recommender"], Any]
"""Something else to do with a recommender on the thread that decodes."""


@dataclass(eq=False)
class Pending:
    """A request that somebody waits for.

    Parameters
    ----------
    task
        What to do.
    future
        Where the result goes; done if nobody waits any longer.
    deadline
        Moment of ``time.monotonic`` after which nobody does.
    since
        Moment at which it was asked.
    """

    task: Request | Work
    future: asyncio.Future[Any]
    deadline: float
    since: float = field(default_factory=time.monotonic)

    def is_wanted(self) -> bool:
        """Whether somebody waits."""
        return not self.future.done() and time.monotonic() < self.deadline

    @property
    def like(self) -> object:
        """Equal for what can be done together."""
        return self.task.like if isinstance(self.task, Request) else self


class RequestQueue:
    """First come, first served, and with the first go those behind it that are like it.

    Parameters
    ----------
    room
        Most requests that may wait.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self._waiting: dict[Pending, None] = {}  # a set in order of arrival
        self._closed = False
        self._changed = Condition()

    @property
    def is_closed(self) -> bool:
        """Whether it takes no more requests."""
        return self._closed

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, pending: Pending, *, whatever: bool = False) -> bool:
        """Let a request wait; False if there is no room or the queue is closed. Room does not matter if `whatever`."""
        with self._changed:
            if self._closed or (len(self._waiting) >= self.room and not whatever):
                return False
            self._waiting[pending] = None
            self._changed.notify()
            return True

    def discard(self, pending: Pending) -> None:
        """Free the place of a request, if it still waits."""
        with self._changed:
            self._waiting.pop(pending, None)

    def take(self, most: int, *, expected: int = 0, linger_s: float = 0.0) -> list[Pending]:
        """Wait for requests, and take up to ``most`` that are alike; none if the queue is closed and empty.

        Parameters
        ----------
        most
            Most requests to take.
        expected, linger_s
            While fewer wait than are expected, how long to wait for them, in seconds. Default: not at all.
        """
        with self._changed:
            if linger_s:
                self._changed.wait_for(lambda: self._closed or len(self._waiting) >= min(expected, most), linger_s)
            while True:
                batch = self._next(most)
                if batch or self._closed:
                    return batch
                self._changed.wait()

    def close(self) -> None:
        """Take no more requests."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def clear(self) -> list[Pending]:
        """Take all requests at once."""
        with self._changed:
            left = list(self._waiting)
            self._waiting.clear()
            return left

    def _next(self, most: int) -> list[Pending]:
        batch: list[Pending] = []
        for pending in list(self._waiting):
            if not pending.is_wanted():
                del self._waiting[pending]
            elif not batch or (len(batch) < most and pending.like == batch[0].like):
                batch.append(pending)
                del self._waiting[pending]
        return batch
