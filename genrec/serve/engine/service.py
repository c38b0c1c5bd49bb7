"""Recommendations for many at once: what a server calls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import ITEM_ID
from genrec.data.dataset import Dataset
from genrec.decoding.engines import TorchEngine
from genrec.errors import ConfigError, DeadlineError, NotReadyError, QueueFullError
from genrec.recommend.recommender import Recommender
from genrec.recommend.request import Request
from genrec.serve.engine.decoder import Decoder
from genrec.serve.engine.fallback import Fallback
from genrec.serve.engine.fallback_line import FallbackLine
from genrec.serve.engine.model import ServedModel, equip, open_model
from genrec.serve.engine.queue import Pending, RequestQueue
from genrec.serve.engine.served import Served, ServiceCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.data.catalog import Catalog
    from genrec.serve.engine.queue import Work

logger = logging.getLogger(__name__)

T = TypeVar("T")

STALLED_S = 60.0
"""Seconds after which a batch that is not done yet means that the engine hangs."""
WARM_UP_S = 600.0
SHORTEST_RETRY_S = 0.05


class Service:
    """Answers requests of many users, from one event loop, with one thread that decodes.

    Requests that wait at the same time and are alike in `k`, `beams`, `exact` and `max_per_category` are decoded
    together; company changes nobody's answer. What nobody waits for, because its deadline passed or its task was
    cancelled, is not begun, and given up between forward passes if it was. A model is replaced while the service
    runs, between two batches.

    Parameters
    ----------
    load
        A model folder, or what loads a recommender.
    data, engine, quantization
        As of :meth:`Recommender.from_pretrained`, for folders. Default: the data that a model was trained on, or that
        `load` gives it; torch; as trained.
    max_batch
        Most requests decoded together. Default 32.
    max_waiting
        Most requests that may wait. Default 256.
    timeout_s
        Seconds a request has if it does not say. Default 10.
    cache_bytes
        Room for prompts that were read, so that a user who comes back costs what is new; 0 for none. Default 256 MiB.
    threads
        Threads that torch decodes with. Default: one for models below ten million parameters, where waiting for others
        costs more than they do; for larger ones as many as torch takes.
    fallback
        Let collaborative filtering answer what would be too late. Default True. Without, or where even that would be
        late, it is a `DeadlineError`.

    Attributes
    ----------
    items_over
        Rows of items (:meth:`Recommender.with_items`) that are laid over the catalog of each model that is loaded,
        given the catalog and the moment at which its data set was written, in seconds UTC. Default: those of
        :meth:`update_items`.

    Examples
    --------
    >>> import tempfile
    >>> from genrec.testing import toy_dataset
    >>> from genrec.training.config import FinetuneConfig
    >>> from genrec.training.finetune import finetune
    >>> config = FinetuneConfig.from_mapping({"items": {"kind": "atomic"}, "training": {"epochs": 1}})
    >>> async def first_item(folder):
    ...     async with Service(folder, data=toy_dataset()) as service:
    ...         served = await service.recommend(Request(history=["i0"], k=1))
    ...     return served.source, len(served.answer.items), served.model_version == service.version
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = finetune(config, toy_dataset(), folder)
    ...     asyncio.run(first_item(folder))
    ('generator', 1, True)
    """

    def __init__(
        self,
        load: str | Path | Callable[[], Recommender],
        *,
        data: str | Path | Dataset | None = None,
        engine: str = "torch",
        quantization: str | None = None,
        max_batch: int = 32,
        max_waiting: int = 256,
        timeout_s: float = 10.0,
        cache_bytes: int = 256 * 2**20,
        fallback: bool = True,
        threads: int | None = None,
    ) -> None:
        if max_batch < 1 or max_waiting < 1 or timeout_s <= 0 or cache_bytes < 0:
            raise ConfigError("max_batch and max_waiting must be at least 1, timeout_s positive, cache_bytes 0 or more")
        self.max_batch = max_batch
        self.max_waiting = max_waiting
        self.timeout_s = timeout_s
        self._threads = threads
        self._data = data
        self._engine = engine
        self._quantization = quantization
        self._loads_by_itself = callable(load)
        self._load = load if callable(load) else partial(self._from_folder, Path(load))
        self._cache_bytes = cache_bytes
        self._with_fallback = fallback
        self._queue = RequestQueue(max_waiting)
        self._decoder: Decoder | None = None
        self._served: ServedModel | None = None
        self._accepts = False
        self._changing = asyncio.Lock()
        self._changed_items: set[str] = set()
        self.items_over: Callable[[Catalog, float], Sequence[pa.Table]] = self._updated_items
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="genrec-loading")
        self._falling_back = FallbackLine()
        self._refused = self._late = 0

    async def start(self) -> None:
        """Load the model, check it and warm up; ready afterwards.

        Raises
        ------
        GenrecError
            If the model cannot be loaded or does not work.
        """
        loop = asyncio.get_running_loop()
        try:
            self._served = await loop.run_in_executor(self._loading, self._open, self._load)
            self._decoder = Decoder(self._queue, lambda: self._current, loop, self.max_batch, self._threads)
            self._decoder.start()
            await self._warm_up()
        except BaseException:
            await self.stop(drain_s=0)
            raise
        self._accepts = True

    async def stop(self, drain_s: float = 30.0) -> None:
        """Take no more requests, let those that wait finish, and end.

        Parameters
        ----------
        drain_s
            Seconds that they have; what is left then ends with a `NotReadyError`. Default 30.
        """
        self._accepts = False
        self._queue.close()
        if self._decoder is not None:
            loop, gone = asyncio.get_running_loop(), NotReadyError("the service has stopped")
            await loop.run_in_executor(None, self._decoder.join, drain_s)
            for pending in self._queue.clear():
                if not pending.future.done():
                    pending.future.set_exception(gone)
            if not self._decoder.is_alive:
                self._current.recommender.engine.close()
        self._loading.shutdown(wait=False, cancel_futures=True)
        self._falling_back.close()

    async def __aenter__(self) -> Service:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def ready(self) -> bool:
        """Whether requests are answered: it has started, does not stop, and what decodes is alive and not stuck."""
        decoder = self._decoder
        if decoder is None or not self._accepts or decoder.is_lost:
            return False
        since = decoder.counts.busy_since
        return since is None or time.monotonic() - since < STALLED_S

    @property
    def recommender(self) -> Recommender:
        """What is served now.

        Raises
        ------
        NotReadyError
            Before the service has started.
        """
        return self._current.recommender

    @property
    def version(self) -> str:
        """First 12 digits of the sha256 of the ``genrec.json`` of what is served now."""
        return self._current.version

    @property
    def counts(self) -> ServiceCounts:
        """What was done since the start."""
        done = None if self._decoder is None else self._decoder.counts
        engine = None if self._served is None else self._served.recommender.engine
        remembered = engine.remembered if isinstance(engine, TorchEngine) else None
        return ServiceCounts(
            waiting=len(self._queue),
            batches=0 if done is None else done.batches,
            decoded=0 if done is None else done.decoded,
            fallbacks=self._falling_back.answered,
            refused=self._refused,
            late=self._late,
            failed=0 if done is None else done.failed,
            prompts=None if remembered is None else remembered.counts,
        )

    async def recommend(self, request: Request, *, timeout_s: float | None = None) -> Served:
        """Answer a request; cancelling the task that waits frees its place.

        Parameters
        ----------
        request
            The request.
        timeout_s
            Seconds it has. Default: the service's.

        Raises
        ------
        QueueFullError
            At once, if as many requests wait as may.
        DeadlineError
            If it would be too late, and there is no fallback or that would be too late, too.
        NotReadyError
            If the service has not started, stops, or has lost what computes the answers.
        GenrecError
            If something is wrong with the request, as :meth:`Recommender.recommend`.
        """
        timeout_s = self.timeout_s if timeout_s is None else timeout_s
        fallback, asked = self._current.fallback, time.monotonic()
        reserve = 0.0 if fallback is None else self._falling_back.reserve_s(timeout_s, len(self._queue))
        try:
            served: Served = await self._wait_for(request, timeout_s - reserve)
            return served
        except DeadlineError:
            if fallback is None:
                raise
        return await self._fall_back(request, asked, asked + timeout_s)

    async def run(self, work: Callable[[Recommender], T], *, timeout_s: float | None = None) -> T:
        """Do something else with the recommender, such as explaining, on the thread that decodes.

        It waits in the queue like any request, with the same errors.
        """
        result: T = await self._wait_for(work, self.timeout_s if timeout_s is None else timeout_s)
        return result

    async def replace(self, folder: str | Path | None = None) -> str:
        """Serve another model: load it beside the one that is served, check it, and swap them between two batches.

        Items that :meth:`update_items` brought stay.

        Parameters
        ----------
        folder
            A model folder. Default: load again what the service was started with.

        Returns
        -------
        str
            Its version.

        Raises
        ------
        GenrecError
            If it cannot be loaded or does not work; then the old one stays.
        """
        load = self._load if folder is None else partial(self._from_folder, Path(folder))
        async with self._changing:
            new = await asyncio.get_running_loop().run_in_executor(self._loading, self._open, load)
            await self._swap(new)
            self._load = load
        return new.version

    async def update_items(self, rows: pa.Table, keep: Callable[[], None] = lambda: None) -> None:
        """Add items, or change those there are; the next request knows them.

        Parameters
        ----------
        rows
            As of :meth:`Recommender.with_items`.
        keep
            Called when they have proved to work, before any request knows them, on a thread that may wait; if it
            raises, everything stays as it was.
        """

        def work() -> ServedModel:
            new = self._with_items(self._current, rows)
            keep()
            return new

        async with self._changing:
            self._served = await asyncio.get_running_loop().run_in_executor(self._loading, work)
            self._changed_items.update(rows[ITEM_ID].to_pylist())

    def forget_prompts(self) -> None:
        """Drop what was kept of all histories and requests."""
        self._current.recommender.engine.forget_prompts()

    @property
    def _current(self) -> ServedModel:
        if self._served is None:
            raise NotReadyError("the service has not started")
        return self._served

    async def _wait_for(self, task: Request | Work, timeout_s: float) -> Any:  # noqa: ANN401  what the task gives
        if not self._accepts or self._decoder is None or not self._decoder.is_alive:
            raise NotReadyError("the service does not take requests", hint="wait until it is ready")
        pending = Pending(task, asyncio.get_running_loop().create_future(), time.monotonic() + timeout_s)
        if not self._queue.put(pending):
            if self._queue.is_closed:
                raise NotReadyError("the service does not take requests any longer")
            self._refused += 1
            raise QueueFullError(max(len(self._queue) * self._decoder.counts.seconds_each, SHORTEST_RETRY_S))
        try:
            async with asyncio.timeout(timeout_s):
                return await pending.future
        except TimeoutError as error:
            self._late += 1
            raise DeadlineError(f"not answered within {timeout_s:g} s", hint="give it a longer timeout_s") from error
        finally:
            self._queue.discard(pending)

    async def _fall_back(self, request: Request, asked: float, deadline: float) -> Served:
        current, began = self._current, time.monotonic()
        assert current.fallback is not None  # a service has one or not, whatever the model
        answer = await self._falling_back.answer(current.fallback, request, deadline)
        waited, took = began - asked, time.monotonic() - began
        return Served(answer, "fallback", current.version, waited * 1e3, took * 1e3, 1)

    async def _warm_up(self) -> None:
        """Decode alone, in company and from words, so that no user waits for what is made at first use."""
        loop = asyncio.get_running_loop()
        history = self._current.recommender.model.item_ids[: self._current.recommender.model.description.max_items // 2]
        requests = [Request(history=history), Request(history=history[:1]), Request(prompt="something to begin with")]
        for batch in (requests[:1], requests, requests[:1]):
            waiting = [Pending(request, loop.create_future(), time.monotonic() + WARM_UP_S) for request in batch]
            for pending in waiting:
                self._queue.put(pending, whatever=True)
            await asyncio.gather(*(pending.future for pending in waiting))
        self.forget_prompts()

    def _from_folder(self, folder: Path) -> Recommender:
        data = self._data
        if data is None and self._loads_by_itself and self._served is not None:
            data = self._served.recommender.dataset
        return Recommender.from_pretrained(folder, data, quantization=self._quantization, engine=self._engine)

    def _open(self, load: Callable[[], Recommender]) -> ServedModel:
        new = open_model(load, cache_bytes=self._cache_bytes, with_fallback=self._with_fallback)
        dataset = new.recommender.dataset
        for rows in self.items_over(dataset.catalog, dataset.written):
            try:
                new = self._with_items(new, rows)
            except ConfigError as error:
                logger.warning("items that were sent before are not served by this model: %s", error.message)
        return new

    def _updated_items(self, *_: object) -> list[pa.Table]:
        if not self._changed_items:
            return []
        now, changed = self._current.recommender.catalog.table, pa.array(sorted(self._changed_items), pa.string())
        return [now.filter(pc.is_in(now[ITEM_ID], value_set=changed))]

    def _with_items(self, model: ServedModel, rows: pa.Table) -> ServedModel:
        recommender = model.recommender.with_items(rows)
        if recommender.engine is not model.recommender.engine:
            equip(recommender, self._cache_bytes)
        recommender.matcher  # noqa: B018  made now, so that no request waits for it
        fallback = None if model.fallback is None else Fallback(recommender, model.fallback.neighbours)
        return ServedModel(recommender, fallback, model.version)

    async def _swap(self, new: ServedModel) -> None:
        """Serve another model, and close the engine of the old one behind the batch that may still use it."""
        old, self._served = self._current, new
        closing = Pending(lambda _: old.recommender.engine.close(), asyncio.get_running_loop().create_future(), 1e18)
        if self._queue.put(closing, whatever=True):
            await closing.future
        old.recommender.engine.forget_prompts()
