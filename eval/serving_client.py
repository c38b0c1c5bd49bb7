"""What a load test needs: a server as a process of its own, a light HTTP client, and loads with their figures."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

Bodies = Callable[[], Iterator[bytes]]
"""Makes the requests of one client."""
START_S = 300.0
STOP_S = 60.0


@dataclass
class Server:
    """``genrec serve`` at a free port of this machine."""

    process: subprocess.Popen[bytes]
    port: int

    @classmethod
    @asynccontextmanager
    async def start(cls, model: Path, options: Sequence[str], folder: Path) -> AsyncIterator[Server]:
        """Run until the end of the block, and see that it ends well; ``folder`` takes its events and its log."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-c", "from genrec.cli.main import main; main()", "serve", str(model)]
        with (folder / "server.log").open("wb") as log:
            more = ["--port", str(port), "--events", str(folder / "events.db"), *options]
            process = subprocess.Popen([*command, *more], stdout=log, stderr=log)
        server = cls(process, port)
        try:
            await server.wait_until_ready(folder / "server.log")
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(STOP_S)
        if status != 0:
            sys.exit(f"the server ended with status {status}: {(folder / 'server.log').read_text()[-2000:]}")

    async def wait_until_ready(self, log: Path) -> None:
        """Ask until it says so."""
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"the server does not start: {log.read_text()[-2000:]}")
            try:
                async with Client.connect(self.port) as client:
                    if (await client.ask("GET", "/health/ready"))[0] == 200:
                        return
            except OSError:
                pass
            await asyncio.sleep(0.1)
        sys.exit("the server is not ready in time")


@dataclass
class Client:
    """One kept-alive HTTP connection. A library would take as long for a request as the server does."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    @asynccontextmanager
    async def connect(cls, port: int) -> AsyncIterator[Client]:
        """A connection, closed at the end of the block."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield cls(reader, writer)
        finally:
            writer.close()

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of the answer."""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        self.writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        return int(lines[0].split()[1]), await self.reader.readexactly(int(headers.get("content-length", 0)))


@dataclass
class Load:
    """What became of the requests of a load."""

    milliseconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    fallbacks: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, began: float, status: int, body: bytes) -> None:
        """Count an answer to what was asked at ``began``."""
        self.milliseconds.append((time.perf_counter() - began) * 1e3)
        self.statuses[status] += 1
        self.fallbacks += b'"source":"fallback"' in body
        if status != 200 and len(self.errors) < 5:
            self.errors.append(body.decode(errors="replace")[:300])

    def figures(self) -> dict[str, Any]:
        """Requests a second, latencies and errors."""
        p50, p90, p99 = (float(value) for value in np.percentile(self.milliseconds, [50, 90, 99]))
        return {
            "requests": len(self.milliseconds),
            "seconds": self.seconds,
            "requests_per_second": len(self.milliseconds) / self.seconds,
            "p50_ms": p50,
            "p90_ms": p90,
            "p99_ms": p99,
            "max_ms": max(self.milliseconds),
            "statuses": {str(status): count for status, count in sorted(self.statuses.items())},
            "fallbacks": self.fallbacks,
            "not_200": len(self.milliseconds) - self.statuses[200],
            "errors": self.errors,
        }


async def closed_loop(
    port: int, path: str, bodies: Bodies, *, clients: int, seconds: float, requests: int | None = None
) -> Load:
    """Each client asks again as soon as it has its answer, for some seconds or so many requests in all."""
    load, began = Load(), time.perf_counter()
    end, left = began + seconds, requests

    async def run() -> None:
        nonlocal left
        own = bodies()
        async with Client.connect(port) as client:
            while time.perf_counter() < end and (left is None or left > 0):
                if left is not None:
                    left -= 1
                asked = time.perf_counter()
                load.add(asked, *await client.ask("POST", path, next(own)))

    await asyncio.gather(*(run() for _ in range(clients)))
    load.seconds = time.perf_counter() - began
    return load


async def open_loop(port: int, path: str, bodies: Bodies, *, rate: float, seconds: float, seed: int) -> Load:
    """Requests arrive at random moments (Poisson), whether or not those before are answered.

    A request's time counts from the moment at which it was due, so that waiting for a connection counts too.
    """
    load, random = Load(), np.random.default_rng(seed)
    idle: list[Client] = []
    all_bodies = bodies()

    async def run(due: float, body: bytes) -> None:
        while idle:
            client = idle.pop()
            try:
                load.add(due, *await client.ask("POST", path, body))
                break
            except (EOFError, ConnectionError):  # the server has closed it meanwhile, as it may
                client.writer.close()
        else:
            client = Client(*(await asyncio.open_connection("127.0.0.1", port)))
            load.add(due, *await client.ask("POST", path, body))
        idle.append(client)

    began = due = time.perf_counter()
    tasks = []
    while due < began + seconds:
        due += random.exponential(1 / rate)
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        tasks.append(asyncio.create_task(run(due, next(all_bodies))))
    await asyncio.gather(*tasks)
    load.seconds = time.perf_counter() - began
    for client in idle:
        client.writer.close()
    return load


@dataclass
class Watch:
    """Memory, file descriptors, threads and processor time of a process, once a second."""

    pid: int
    samples: list[dict[str, float]] = field(default_factory=list)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Watch]:
        """Watch until the end of the block."""
        process = psutil.Process(self.pid)
        began = time.perf_counter()

        async def look() -> None:
            while True:
                used = process.cpu_times()
                self.samples.append(
                    {
                        "seconds": time.perf_counter() - began,
                        "rss_mib": process.memory_info().rss / 2**20,
                        "fds": process.num_fds(),
                        "threads": process.num_threads(),
                        "cpu_seconds": used.user + used.system,
                    }
                )
                await asyncio.sleep(1)

        task = asyncio.create_task(look())
        try:
            yield self
        finally:
            task.cancel()

    def figures(self) -> dict[str, Any]:
        """Medians of the first and the last quarter, which are alike where nothing leaks."""
        quarter = max(len(self.samples) // 4, 1)
        first, last = self.samples[:quarter], self.samples[-quarter:]
        result: dict[str, Any] = {
            name: {
                "first_quarter": float(np.median([sample[name] for sample in first])),
                "last_quarter": float(np.median([sample[name] for sample in last])),
                "most": max(sample[name] for sample in self.samples),
            }
            for name in ("rss_mib", "fds", "threads")
        }
        spent = self.samples[-1]["cpu_seconds"] - self.samples[0]["cpu_seconds"]
        result["cpus"] = spent / max(self.samples[-1]["seconds"] - self.samples[0]["seconds"], 1e-9)
        return result


def encoded(body: dict[str, Any]) -> bytes:
    """A request's body."""
    return json.dumps(body).encode()
