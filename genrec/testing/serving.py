"""Servers for tests: a small model of the toy data behind HTTP, in this process, a thread of it, or one of its own."""

from __future__ import annotations

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
from typing import TYPE_CHECKING, Literal, Self
from urllib.error import URLError
from urllib.request import Request, urlopen

from genrec.data.toy import toy_dataset

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

    from starlette.testclient import TestClient

    from genrec.serve.settings import ServeSettings

_PATIENCE_S = 120.0
_COMMAND = "from genrec.cli.main import main; main()"


def train_toy_model(folder: Path, *, items: Literal["semantic", "atomic"] = "semantic", epochs: int = 2) -> Path:
    """Fine-tune a small model on the toy data, in a second or two.

    Parameters
    ----------
    folder
        The model folder to write.
    items
        Kind of item IDs; only with atomic ones the model takes new items. Default semantic, of two levels.
    epochs
        Default 2, which teaches it little; it is enough for a server.
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
    finetune(FinetuneConfig.from_mapping(mapping), toy_dataset(), folder)
    return folder


@contextmanager
def client_of(model: Path, events: Path, settings: ServeSettings) -> Iterator[TestClient]:
    """A client of an application in this process, ready to answer.

    Parameters
    ----------
    model
        A model folder of the toy data.
    events
        File of events.
    settings
        Limits and keys.
    """
    from starlette.testclient import TestClient

    from genrec.events import EventStore
    from genrec.serve.app import create_app
    from genrec.serve.engine import Service

    service = Service(model, data=toy_dataset(), timeout_s=settings.timeout_s)
    app = create_app(service, EventStore.open(events), settings)
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
        command = [sys.executable, "-c", _COMMAND, "serve", str(model), "--data", data, "--port", str(self.port)]
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
        A model folder of the toy data.
    events
        File of events.
    settings
        Limits and keys; the port is a free one.

    Attributes
    ----------
    log
        What was logged meanwhile, one text a record.
    """

    def __init__(self, model: Path, events: Path, settings: ServeSettings) -> None:
        from genrec.events import EventStore
        from genrec.serve.engine import Service
        from genrec.serve.server import Server

        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.log: list[str] = []
        service = Service(model, data=toy_dataset(), timeout_s=settings.timeout_s)
        self._server = Server(service, EventStore.open(events), settings)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})

    def __enter__(self) -> Self:
        handler = self._handler = _Collector(self.log)
        for name in ("genrec", "uvicorn", "asyncio"):
            logging.getLogger(name).addHandler(handler)
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
        for name in ("genrec", "uvicorn", "asyncio"):
            logging.getLogger(name).removeHandler(self._handler)


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
