"""Runs the application until it is told to stop, and stops in order."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import time
from typing import TYPE_CHECKING

import uvicorn

from genrec.errors import ConfigError
from genrec.serve.app import create_app

if TYPE_CHECKING:
    from types import FrameType

    from genrec.events import EventStore
    from genrec.serve.engine import Service
    from genrec.serve.online import OnlineLoader
    from genrec.serve.settings import ServeSettings

logger = logging.getLogger(__name__)

KEEP_ALIVE_S = 15
"""How long a connection without a request is kept."""


class Server(uvicorn.Server):
    """uvicorn, such that the first SIGTERM or SIGINT makes it not ready, and the process ends with status 0.

    Parameters
    ----------
    service, store, settings, online
        As of :func:`~genrec.serve.app.create_app`.

    Attributes
    ----------
    failure
        Why the service did not start, if it did not: then the server stops by itself.
    """

    def __init__(
        self, service: Service, store: EventStore, settings: ServeSettings, online: OnlineLoader | None = None
    ) -> None:
        self.failure: Exception | None = None
        app = create_app(service, store, settings, online=online, on_failed_start=self._fail)
        self._parts, self._notice_s, self._told = app.state.parts, settings.notice_s, 0.0
        super().__init__(
            uvicorn.Config(
                app,
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,  # ours has no path and no query in it
                server_header=False,
                proxy_headers=False,  # nothing here depends on who the client says it is
                ws="none",
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=max(1, round(settings.drain_s)),
            )
        )

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second SIGINT does not wait for what is under way."""
        if self._told and sig == signal.SIGINT:
            self.force_exit = True
        # uvicorn would raise the signal again after an orderly stop, and the process would not end with 0.
        self._parts.draining, self._told = True, self._told or time.monotonic()
        if not self._notice_s:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Stop when those who ask whether the server is ready have had time to see that it is not."""
        if self._told and time.monotonic() - self._told >= self._notice_s:
            self.should_exit = True
        return await super().on_tick(counter)

    def _fail(self, error: Exception) -> None:
        self.failure, self.should_exit = error, True


def serve(service: Service, store: EventStore, settings: ServeSettings, online: OnlineLoader | None = None) -> None:
    """Serve until SIGTERM or SIGINT: then what is under way finishes, events are on the disk, and this returns.

    Parameters
    ----------
    service, store, settings, online
        As of :func:`~genrec.serve.app.create_app`.

    Raises
    ------
    ConfigError
        If the address is taken or not of this machine.
    GenrecError
        If the model cannot be served.
    """
    server = Server(service, store, settings, online)
    listener = _listen(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    logger.info("http://%s:%d, events in %s", f"[{host}]" if ":" in host else host, port, store.path)
    gc.collect()
    gc.freeze()  # the libraries stay: a collection that walks through them is a pause for everyone, and one at the end
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()
    if server.failure is not None:
        raise server.failure


def _listen(host: str, port: int) -> socket.socket:
    """A socket that takes connections, bound before anything else is done."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        raise ConfigError(
            f"{host}:{port}: {error.strerror or error}", hint="choose another --host or --port"
        ) from error
    return listener
