"""The one thread that decodes."""

from __future__ import annotations

import contextlib
import logging
import time
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

import torch

from genrec.decoding.abandon import AbandonedError, while_wanted
from genrec.errors import DeadlineError, EngineError, GenrecError, ModelError, NotReadyError
from genrec.model.folder import LoadedModel
from genrec.recommend.request import Request
from genrec.serve.engine.served import Served

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from genrec.recommend.prepared import Prepared
    from genrec.recommend.recommender import Recommender
    from genrec.recommend.request import Answer
    from genrec.serve.engine.model import ServedModel
    from genrec.serve.engine.queue import Pending, RequestQueue

logger = logging.getLogger(__name__)

MOST_FAILURES = 3
"""Batches that the engine may fail in a row before it counts as lost."""
SMALL = 10_000_000
"""Parameters below which a model is computed by one thread."""
SMOOTHING = 0.1
"""Weight of the last batch in the mean time of a request."""
LINGER, LONGEST_LINGER_S = 0.03, 0.02
"""Share of a batch's time, and seconds at most, that the next batch waits for those who were just answered."""


@dataclass
class DecoderCounts:
    """What the thread has done."""

    batches: int = 0
    decoded: int = 0
    failed: int = 0
    failures_in_a_row: int = 0
    seconds_each: float = 0.0
    """Mean time of a request of late, its share of the batch."""
    busy_since: float | None = None
    """Moment at which the batch at hand was begun."""


@dataclass(eq=False)
class Decoder:
    """Takes requests that are alike from the queue, decodes them together and hands the answers back.

    While a batch is decoded, the next one gathers. Where several ask at the same time, it waits a moment for those who
    were just answered and may ask again, so that they do not part into batches that take turns; who asks alone never
    waits. Each batch reads the model that is current when it begins, and all of it. A request that fails does so alone.

    Parameters
    ----------
    queue
        Where requests wait.
    model
        Says which model is current.
    loop
        Where results are waited for.
    max_batch
        Most requests decoded together.
    threads
        Threads that compute, see :class:`~genrec.serve.engine.service.Service`.
    """

    queue: RequestQueue
    model: Callable[[], ServedModel]
    loop: asyncio.AbstractEventLoop
    max_batch: int
    threads: int | None = None
    counts: DecoderCounts = field(default_factory=DecoderCounts)

    def __post_init__(self) -> None:
        self._thread = Thread(target=self._run, name="genrec-decoder", daemon=True)
        self._computes: ServedModel | None = None
        self._default_threads = torch.get_num_threads()

    def start(self) -> None:
        """Begin to decode."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end, as it does when the queue is closed and empty."""
        self._thread.join(timeout_s)

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def is_lost(self) -> bool:
        """Whether it answers no more: its thread ended, or the engine failed again and again."""
        return not self.is_alive or self.counts.failures_in_a_row >= MOST_FAILURES

    def _run(self) -> None:
        batch: list[Pending] = []
        expected, linger_s = 0, 0.0
        try:
            while batch := self.queue.take(self.max_batch, expected=expected, linger_s=linger_s):
                began = self.counts.busy_since = time.monotonic()
                self._serve(batch)
                self.counts.busy_since = None
                expected = len(batch) + len(self.queue)
                took = time.monotonic() - began
                linger_s = min(LINGER * took, LONGEST_LINGER_S) if expected > 1 else 0.0
        except BaseException:  # whatever it was, those who wait have to hear of it
            logger.exception("the thread that decodes has ended")
        finally:
            self.queue.close()
            gone = NotReadyError("what computes the answers has ended", hint="start the server again")
            self._settle([(pending, gone) for pending in (*batch, *self.queue.clear())])

    def _serve(self, batch: Sequence[Pending]) -> None:
        model, began = self.model(), time.monotonic()
        if model is not self._computes:
            self._computes = model
            torch.set_num_threads(self.threads or (1 if is_small(model.recommender) else self._default_threads))
        results = perform(model.recommender, batch)
        took = time.monotonic() - began
        counts = self.counts
        counts.batches += 1
        counts.seconds_each += (SMOOTHING if counts.seconds_each else 1.0) * (took / len(batch) - counts.seconds_each)
        broken = [isinstance(result, EngineError | ModelError) for result in results]
        counts.failures_in_a_row = counts.failures_in_a_row + 1 if all(broken) else 0
        outcomes: list[tuple[Pending, Any]] = []
        for pending, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                counts.failed += not isinstance(result, DeadlineError)
                outcomes.append((pending, result))
            elif isinstance(pending.task, Request):
                counts.decoded += 1
                waited = began - pending.since
                served = Served(result, "generator", model.version, waited * 1e3, took * 1e3, len(batch))
                outcomes.append((pending, served))
            else:
                outcomes.append((pending, result))
        self._settle(outcomes)

    def _settle(self, outcomes: Sequence[tuple[Pending, Any]]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self.loop.call_soon_threadsafe(settle, outcomes)


def is_small(recommender: Recommender) -> bool:
    """Whether a model is so small that waiting for a second thread costs more than that thread does."""
    model = recommender.model
    return isinstance(model, LoadedModel) and sum(p.numel() for p in model.generator.parameters()) < SMALL


def settle(outcomes: Sequence[tuple[Pending, Any]]) -> None:
    """Hand results and errors to those who still wait; runs in the event loop."""
    for pending, outcome in outcomes:
        if not pending.future.done():
            if isinstance(outcome, Exception):
                pending.future.set_exception(outcome)
            else:
                pending.future.set_result(outcome)


def perform(recommender: Recommender, batch: Sequence[Pending]) -> list[Any]:
    """Do what is asked for: an answer or an error for each."""
    results: dict[Pending, Any] = {}
    asking = [pending for pending in batch if isinstance(pending.task, Request)]
    for pending in batch:
        if not isinstance(pending.task, Request):
            try:
                with while_wanted(pending.is_wanted):
                    results[pending] = pending.task(recommender)
            except Exception as error:
                results[pending] = _known(error)
    ready = []
    for pending, prepared in zip(asking, _prepared(recommender, asking), strict=True):
        if isinstance(prepared, Exception):
            results[pending] = _known(prepared)
        else:
            ready.append((pending, prepared))
    if ready:
        try:
            with while_wanted(lambda: any(pending.is_wanted() for pending, _ in ready)):
                answers: Sequence[Answer | Exception] = recommender.decode([prepared for _, prepared in ready])
        except Exception as error:
            if len(ready) > 1 and not isinstance(error, AbandonedError):
                # One of them may be at fault: none is to suffer from the company it is in.
                answers = [result for pending, _ in ready for result in perform(recommender, [pending])]
            else:
                answers = [_known(error)] * len(ready)
        results.update((pending, answer) for (pending, _), answer in zip(ready, answers, strict=True))
    return [results[pending] for pending in batch]


def _prepared(recommender: Recommender, asking: Sequence[Pending]) -> Sequence[Prepared | Exception]:
    """Requests, ready to decode, or what is wrong with them."""
    requests = [pending.task for pending in asking if isinstance(pending.task, Request)]
    try:
        return recommender.prepare_each(requests)
    except Exception as error:
        if len(asking) <= 1:
            return [error] * len(asking)
        return [one for pending in asking for one in _prepared(recommender, [pending])]


def _known(error: Exception) -> GenrecError:
    if isinstance(error, AbandonedError):
        return DeadlineError("not answered in time")
    if isinstance(error, GenrecError):
        return error
    logger.error("decoding failed", exc_info=error)
    return EngineError(f"decoding failed: {error!r}")
