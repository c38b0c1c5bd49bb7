"""What the routes of one server share."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

from fastapi import Depends, Request

from genrec.errors import DeadlineError
from genrec.serve.observe import ClientGoneError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from genrec.events import EventStore
    from genrec.serve.engine import Service
    from genrec.serve.kept_items import KeptItems
    from genrec.serve.metrics import Metrics
    from genrec.serve.online import OnlineLoader
    from genrec.serve.settings import ServeSettings

T = TypeVar("T")


@dataclass(eq=False)
class Parts:
    """A server's parts.

    Parameters
    ----------
    service
        What answers.
    store
        Events.
    items
        New and changed items that outlive the server.
    settings
        How the server is set up.
    metrics
        What it counts.
    online
        What keeps a light model current beside the one that answers.
    draining
        Whether it has been told to stop.
    """

    service: Service
    store: EventStore
    items: KeptItems
    settings: ServeSettings
    metrics: Metrics
    online: OnlineLoader | None = None
    draining: bool = False


# Coroutines, though they wait for nothing: functions would be called in another thread, and cost more than a batch.
async def parts_of(request: Request) -> Parts:
    """The parts of the server that a request came to."""
    return cast("Parts", request.app.state.parts)


async def request_id_of(request: Request) -> str:
    """The name of a request."""
    return cast("str", request.state.request_id)


PartsOf = Annotated[Parts, Depends(parts_of)]
RequestId = Annotated[str, Depends(request_id_of)]


async def while_connected(request: Request, work: Coroutine[None, None, T]) -> T:
    """Wait for work, and stop it when the client hangs up.

    Raises
    ------
    ClientGoneError
        If it did.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_hung_up(request))
    try:
        await asyncio.wait((task, gone), return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
        return task.result()
    finally:
        for one in (task, gone):
            one.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def read_within(timeout_s: float, work: Callable[[], T]) -> tuple[T, float]:
    """Read what is known of a user: on a thread, since the loop answers everyone. The wait for a thread counts, too.

    Returns
    -------
    result, left
        Seconds that are left of the time.

    Raises
    ------
    DeadlineError
        If it is not done in time.
    """
    start = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            result = await asyncio.to_thread(work)
    except TimeoutError as error:
        hint = "give it a longer timeout_s, or try again"
        raise DeadlineError(f"what is known of the user was not read within {timeout_s:g} s", hint=hint) from error
    return result, timeout_s - (time.monotonic() - start)


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
