"""Servers for tests: a small model of the toy data behind HTTP, in this process, a thread of it, or one of its own."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, Self, TypeVar
from urllib.error import URLError
from urllib.request import Request, urlopen

from genrec.data.toy import toy_dataset

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator
    from concurrent.futures import Future
    from pathlib import Path
    from types import TracebackType

    from starlette.testclient import TestClient

    from genrec.data.dataset import Dataset
    from genrec.serve.settings import ServeSettings

T = TypeVar("T")

_PATIENCE_S = 120.0
_LOGGERS = ("genrec", "uvicorn", "asyncio")


def train_toy_model(
    folder: Path,
    *,
    items: Literal["semantic", "atomic"] = "semantic",
    epochs: int = 2,
    data: Dataset | None = None,
) -> Path:
    """Fine-tune a small model on the toy data, in a second or two.

    Parameters
    ----------
    folder
        The model folder to write.
    items
        Kind of item IDs; only with atomic ones the model takes new items. Default semantic, of two levels.
    epochs
        Default 2, which teaches it little; it is enough for a server.
    data
        Default: the toy data.
    """
    from genrec.training.config import FinetuneConfig
    from genrec.training.finetune import finetune

    semantic = {"kind": "semantic", "levels": 2, "codes_per_level": 6, "text_weight": 0}
    mapping = {
        "base": {"kind": "scratch", "layers": 1, "width": 32, "heads": 2, "dropout": 0.0},
        "items": {"kind": "atomic"} if items == "atomic" else semantic,
        "prompt": {"max_items": 16, "max_tokens": 64},
        "training": {"epochs": epochs, "tokens_per_batch": 256, "validation_users": 0},
    }
    finetune(FinetuneConfig.from_mapping(mapping), data or toy_dataset(), folder)
    return folder


@contextmanager
def client_of(
    model: Path, events: Path, settings: ServeSettings, *, online: bool = False, data: str | None = None
) -> Iterator[TestClient]:
    """A client of an application in this process, ready to answer.

    Parameters
    ----------
    model
        A model folder of the toy data.
    events
        File of events.
    settings
        Limits and keys.
    online
        Let a light model follow the events. Default False.
    data
        Data set folder. Default: the toy data.
    """
    from starlette.testclient import TestClient

    from genrec.events import EventStore
    from genrec.serve.app import create_app
    from genrec.serve.engine import Service
    from genrec.serve.online import OnlineLoader

    store = EventStore.open(events)
    loader = OnlineLoader(model, store, data=data or "toy") if online else None
    service = Service(loader or model, data=data or toy_dataset(), timeout_s=settings.timeout_s)
    app = create_app(service, store, settings, online=loader)
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        deadline = time.monotonic() + _PATIENCE_S
        while client.get("/health/ready").status_code != 200:
            if time.monotonic() > deadline:
                raise TimeoutError("the application does not become ready")
            time.sleep(0.01)
        yield client


class ServerProcess:
    """``genrec serve`` in a process of its own, on a free port of this machine; ready when entered, ended when left.

    Parameters
    ----------
    model
        A model folder.
    folder
        Where its file of events and its log go.
    options
        Further options of the command.
    data
        As ``--data``. Default ``toy``.
    """

    def __init__(self, model: Path, folder: Path, *options: str, data: str = "toy") -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            self.port = int(taken.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.events, self.log = folder / "events.db", folder / "server.log"
        command = [sys.executable, "-m", "genrec", "serve", str(model), "--data", data, "--port", str(self.port)]
        self._command = [*command, "--events", str(self.events), *options]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> Self:
        """Start it, and wait until it is ready."""
        with self.log.open("ab") as log:
            environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
            self.process = subprocess.Popen(self._command, stdout=log, stderr=log, env=environment)
        deadline = time.monotonic() + _PATIENCE_S
        while wait and not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server does not become ready:\n{self.log.read_text()}")
            time.sleep(0.05)
        return self

    def is_ready(self) -> bool:
        """Whether it says so."""
        return is_ready(self.url)

    def post(self, path: str, body: object, timeout_s: float = 30.0) -> dict[str, object]:
        """Post JSON and read the answer.

        Raises
        ------
        urllib.error.HTTPError
            If it is not a success.
        """
        head = {"Content-Type": "application/json"}
        request = Request(self.url + path, data=json.dumps(body).encode(), headers=head, method="POST")
        with urlopen(request, timeout=timeout_s) as answer:
            parsed: dict[str, object] = json.load(answer)
        return parsed

    def stop(self, sig: signal.Signals = signal.SIGTERM) -> int:
        """Send it a signal, and return the status that it ends with."""
        assert self.process is not None
        self.process.send_signal(sig)
        return self.process.wait(_PATIENCE_S)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class ServerThread:
    """A server in a thread of this process: real HTTP at a real port, without waiting for imports again.

    Parameters
    ----------
    model
        A model folder.
    events
        File of events.
    settings
        Limits and keys; the port is a free one.
    data
        The model's data set. Default: the toy data.
    max_waiting, fallback
        As of :class:`~genrec.serve.engine.Service`.

    Attributes
    ----------
    service
        What answers.
    log
        What was logged meanwhile, one text a record.
    """

    def __init__(
        self,
        model: Path,
        events: Path,
        settings: ServeSettings,
        *,
        data: Dataset | None = None,
        max_waiting: int = 256,
        fallback: bool = True,
    ) -> None:
        from genrec.events import EventStore
        from genrec.serve.engine import Service
        from genrec.serve.server import Server

        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log: list[str] = []
        self.service = Service(
            model,
            data=data or toy_dataset(),
            timeout_s=settings.timeout_s,
            max_waiting=max_waiting,
            fallback=fallback,
        )
        self._server = Server(self.service, EventStore.open(events), settings)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listener])

    def call(self, work: Coroutine[None, None, T]) -> Future[T]:
        """Run a coroutine on the server's event loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def __enter__(self) -> Self:
        handler = self._handler = _Collector(self.log)
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(handler)
        ours = logging.getLogger("genrec")
        self._level = ours.level
        ours.setLevel(logging.INFO)
        self._thread.start()
        deadline = time.monotonic() + _PATIENCE_S
        while not is_ready(self.url):
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("\n".join(["the server does not become ready:", *self.log]))
            time.sleep(0.02)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(_PATIENCE_S)
        self._listener.close()
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
        logging.getLogger("genrec").setLevel(self._level)


class _Collector(logging.Handler):
    """Keeps what is logged."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record, with its traceback."""
        self._texts.append(self.format(record))


def is_ready(url: str) -> bool:
    """Whether a server says that it is ready."""
    try:
        with urlopen(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
