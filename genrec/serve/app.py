"""The application: routes, what stands before them, and what starts and stops with them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from genrec.errors import GenrecError
from genrec.serve.auth import KeyRing
from genrec.serve.gate import Gate
from genrec.serve.kept_items import KeptItems
from genrec.serve.metrics import Metrics
from genrec.serve.observe import Observe
from genrec.serve.openapi import openapi
from genrec.serve.parts import Parts
from genrec.serve.problems import Problem, of_error, of_validation
from genrec.serve.routes import admin, chat, events, health, items, model, page, recommend, users
from genrec.serve.unknown import body_of, refuse_unknown_query
from genrec.version import __version__

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from genrec.events import EventStore
    from genrec.serve.engine import Service
    from genrec.serve.online import OnlineLoader
    from genrec.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

_HTTP_HINTS = {404: "GET /openapi.json lists the routes", 405: "GET /openapi.json lists the methods"}


def create_app(
    service: Service,
    store: EventStore,
    settings: ServeSettings,
    *,
    online: OnlineLoader | None = None,
    on_failed_start: Callable[[Exception], None] | None = None,
) -> FastAPI:
    """Make the application; any ASGI server can run it.

    Parameters
    ----------
    service
        What answers. It is started with the application, and stopped with it.
    store
        Events, and items that were sent. It is closed with the application.
    settings
        Limits and keys.
    online
        What the service loads its model with, if a light model is to follow the events.
    on_failed_start
        Called when the service does not start, such as with a model that is broken. Default: the application stays,
        alive and not ready.

    Raises
    ------
    ConfigError
        If `settings` ask for what is not safe, or the file of keys is not one.
    """
    settings.check()
    if settings.keys is not None:
        KeyRing.read(settings.keys)  # what is wrong with it shows now, not with the first request
    kept = KeptItems(store)
    service.items_over = kept.tables
    parts = Parts(service, store, kept, settings, Metrics(lambda: service.counts), online)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Beside the server, which answers meanwhile that it is alive and not ready.
        starting = asyncio.create_task(_start(parts, on_failed_start))
        yield
        parts.draining = True
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await service.stop(settings.drain_s)
        if online is not None:
            await asyncio.to_thread(online.stop)
        await asyncio.to_thread(store.close)

    app = FastAPI(
        title="genrec",
        version=__version__,
        description="Recommendations that a language model writes and a catalog trie keeps real.",
        lifespan=lifespan,
        docs_url=None,  # it would load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # ours knows scopes
        redirect_slashes=False,
    )
    app.state.parts = parts
    for part in (recommend, events, items, users, chat, model, admin):
        app.include_router(part.router, dependencies=[Depends(refuse_unknown_query)])
    for part in (health, page):  # who looks after a server, or links to the page, may add what they like
        app.include_router(part.router)
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(GenrecError, _on_genrec_error)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http_error)

    @app.get("/openapi.json", include_in_schema=False)
    async def describe() -> dict[str, Any]:
        return openapi(app, settings)

    app.add_middleware(Gate, settings=settings)
    app.add_middleware(Observe, metrics=parts.metrics)  # the last one added is the outermost
    return app


async def _start(parts: Parts, on_failed_start: Callable[[Exception], None] | None) -> None:
    try:
        await parts.service.start()
        logger.info("ready: model %s", parts.service.version)
    except Exception as error:
        if on_failed_start is None:
            logger.exception("the service does not start")
        else:
            on_failed_start(error)


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response(request.state.request_id)


async def _on_genrec_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, GenrecError)
    return of_error(error).response(request.state.request_id)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return of_validation(error.errors(), body=body_of(request)).response(request.state.request_id)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = error.status_code
    problem = Problem(status, "http", str(error.detail), hint=_HTTP_HINTS.get(status), headers=error.headers)
    return problem.response(request.state.request_id)
