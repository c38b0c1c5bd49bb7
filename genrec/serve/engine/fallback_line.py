"""Those whom the fallback answers: one after the other, each before its deadline or not at all."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from genrec.errors import DeadlineError

if TYPE_CHECKING:
    from genrec.recommend.request import Answer, Request
    from genrec.serve.engine.fallback import Fallback

FIRST_GUESS_S = 0.005
SMOOTHING = 0.2
"""Weight of the last answer in the mean time of one."""
SLACK_S = 0.05
"""Kept for what the event loop and other threads do meanwhile."""
MOST_RESERVED = 0.25
"""Share of a request's time that is kept for the fallback, at most."""


class FallbackLine:
    """A thread of its own, which loading and decoding do not hold up, and the requests that wait for it.

    A request that would be answered too late is refused at once: so the line is never longer than what can be
    answered in time, and no answer is computed that nobody waits for.

    Attributes
    ----------
    answered
        Requests that were answered.
    """

    def __init__(self) -> None:
        self.answered = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="genrec-fallback")
        self._length = 0
        self._seconds_each = FIRST_GUESS_S

    def reserve_s(self, timeout_s: float, ahead: int) -> float:
        """Seconds of a request's time to keep for the fallback, where as many before it may need one, too."""
        return min(MOST_RESERVED * timeout_s, SLACK_S + 2 * self._seconds_each * (1 + ahead + self._length))

    async def answer(self, fallback: Fallback, request: Request, deadline: float) -> Answer:
        """Answer a request before a moment of ``time.monotonic``.

        Raises
        ------
        DeadlineError
            If that is not possible.
        GenrecError
            If something is wrong with the request.
        """
        left = deadline - time.monotonic()
        # Who is first always tries, whatever the mean says: or one slow answer would be the last.
        if left <= 0 or (self._length and (1 + self._length) * self._seconds_each > left):
            raise _late()
        self._length += 1
        try:
            async with asyncio.timeout(left):
                loop = asyncio.get_running_loop()
                answer = await loop.run_in_executor(self._thread, self._compute, fallback, request)
        except TimeoutError as error:
            raise _late() from error
        finally:
            self._length -= 1
        self.answered += 1
        return answer

    def close(self) -> None:
        """Answer no more requests."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _compute(self, fallback: Fallback, request: Request) -> Answer:
        began = time.monotonic()
        try:
            return fallback.answer(request)
        finally:  # those that were too late count, too
            self._seconds_each += SMOOTHING * (time.monotonic() - began - self._seconds_each)


def _late() -> DeadlineError:
    return DeadlineError("not answered in time, not by the fallback either", hint="give it a longer timeout_s")
