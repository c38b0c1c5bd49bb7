"""Measures a server under load: ``genrec serve`` as a process of its own, asked over HTTP on loopback.

* latency: one client that asks again as soon as it is answered.
* sustained: several such clients for minutes, with the server's memory and file descriptors.
* poisson: requests at random moments, at several rates.
* returning: a user who comes back with one new item, beside one who was never there.
* language_model: SmolLM2 with its adapter: one client, and what decoding together gains.

Histories are those of the data set's users, cut at random places. Every server is warmed up before it is measured. The
client runs on the same machine, on the same cores.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from serving_client import Bodies, Client, Server, Watch, closed_loop, encoded, open_loop

from genrec.cli.console import print_json, print_table, stdout
from genrec.cli.provenance import provenance
from genrec.data.dataset import Dataset

FOLDER = Path(__file__).parent
SHIPPED_MODEL = FOLDER.parent / "finetune/models/smollm2-ml-100k"
REPORT = FOLDER / "results/serving_load.json"
PATH = "/v1/recommend"
SESSION = 20
"""Requests of a user one after another."""


class Part(StrEnum):
    """What is measured."""

    latency = "latency"
    sustained = "sustained"
    poisson = "poisson"
    returning = "returning"
    language_model = "language_model"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    model: Path
    language_model: Path
    data: str
    out: Path
    warm_up_s: float = 20.0
    latency_requests: int = 3000
    clients: int = 8
    sustained_s: float = 180.0
    rates: tuple[float, ...] = (25.0, 50.0, 100.0)
    poisson_s: float = 30.0
    returning_users: int = 100
    returning_items: int = 40
    lm_returning_users: int = 20
    lm_s: float = 40.0


def quick(sizes: Sizes) -> Sizes:
    """Only to see that it runs."""
    return replace(
        sizes,
        warm_up_s=0.3,
        latency_requests=10,
        clients=2,
        sustained_s=1.0,
        rates=(20.0,),
        poisson_s=0.5,
        returning_users=3,
        returning_items=8,
        lm_returning_users=2,
        lm_s=1.0,
    )


class Users:
    """Bodies of requests: histories of the data set's users, cut at random places."""

    def __init__(self, data: str, seed: int = 0) -> None:
        dataset = Dataset.load(data)
        self.ids = dataset.catalog.ids.ids
        self.histories = [dataset.histories[user] for user in range(dataset.num_users)]
        self.random = np.random.default_rng(seed)

    def history(self, longest: int | None = None) -> list[str]:
        """One of them, its last ``longest`` items."""
        items = self.histories[self.random.integers(len(self.histories))]
        end = int(self.random.integers(1, len(items) + 1))
        return [self.ids[item] for item in items[max(end - longest, 0) if longest else 0 : end]]

    def bodies(self, **fields: Any) -> Iterator[bytes]:  # noqa: ANN401
        """Endless requests."""
        while True:
            yield encoded({"history": self.history(), "k": 10, **fields})

    def sessions(self, items: int, **fields: Any) -> Iterator[bytes]:  # noqa: ANN401
        """Endless requests of users who come back with one new item each time."""
        while True:
            history = self.long_histories(items + SESSION, 1)[0]
            for end in range(items, len(history)):
                yield encoded({"history": history[:end], "k": 10, **fields})

    def strangers(self, items: int, **fields: Any) -> Iterator[bytes]:  # noqa: ANN401
        """Endless requests of users who were never there."""
        while True:
            yield encoded({"history": self.long_histories(items, 1)[0], "k": 10, **fields})

    def long_histories(self, items: int, count: int) -> list[list[str]]:
        """Histories of as many different items, at random."""
        return [[self.ids[i] for i in self.random.permutation(len(self.ids))[:items]] for _ in range(count)]


async def measure_latency(server: Server, sizes: Sizes) -> dict[str, Any]:
    """One client."""
    bodies = Users(sizes.data).bodies
    load = await closed_loop(server.port, PATH, bodies, clients=1, seconds=600, requests=sizes.latency_requests)
    figures = load.figures()
    return {
        "results": figures,
        "bars": [
            bar("one client: p50, ms", figures["p50_ms"], 20, below=True),
            bar("one client: p99, ms", figures["p99_ms"], 60, below=True),
        ],
    }


async def measure_sustained(server: Server, sizes: Sizes) -> dict[str, Any]:
    """Several clients, for minutes."""
    bodies = Users(sizes.data).bodies
    async with Watch(server.process.pid).running() as watch:
        load = await closed_loop(server.port, PATH, bodies, clients=sizes.clients, seconds=sizes.sustained_s)
    state = await metrics(server)
    figures, process = load.figures(), watch.figures()
    memory, files = process["rss_mib"], process["fds"]
    return {
        "results": {"clients": sizes.clients, **figures, "process": process, "metrics": state},
        "bars": [
            bar("sustained: requests a second", figures["requests_per_second"], 100),
            bar("sustained: answers that are no success", figures["not_200"], 0, below=True),
            bar(
                "sustained: memory of the last quarter beside the first",
                memory["last_quarter"] / memory["first_quarter"],
                1.05,
                below=True,
            ),
            bar(
                "sustained: file descriptors, last quarter less first",
                files["last_quarter"] - files["first_quarter"],
                1,
                below=True,
            ),
        ],
    }


async def measure_poisson(server: Server, sizes: Sizes) -> dict[str, Any]:
    """Random arrivals."""
    bodies, results = Users(sizes.data).bodies, {}
    for rate in sizes.rates:
        load = await open_loop(server.port, PATH, bodies, rate=rate, seconds=sizes.poisson_s, seed=1)
        results[f"{rate:g} a second"] = load.figures()
    return {
        "results": results,
        "bars": [
            bar(f"poisson, {name}: answers that are no success", figures["not_200"], 0, below=True)
            for name, figures in results.items()
        ],
    }


async def measure_returning(server: Server, sizes: Sizes) -> dict[str, Any]:
    """A user who comes back with one new item."""
    back = await come_back(server, Users(sizes.data), sizes.returning_users, sizes.returning_items)
    return {"results": back, "bars": []}


async def come_back(server: Server, users: Users, count: int, items: int, **fields: Any) -> dict[str, Any]:  # noqa: ANN401
    """Milliseconds of a request from nothing, and of the next one with an item more."""
    times: dict[str, list[float]] = {"from_nothing": [], "one_new_item": []}
    async with Client.connect(server.port) as client:
        for history in users.long_histories(items, count):
            for name, known in (("from_nothing", history[:-1]), ("one_new_item", history)):
                body = encoded({"history": known, "k": 10, **fields})
                began = asyncio.get_running_loop().time()
                status, text = await client.ask("POST", PATH, body)
                times[name].append((asyncio.get_running_loop().time() - began) * 1e3)
                if status != 200:
                    sys.exit(text.decode())
    medians = {f"{name}_ms": float(np.median(of)) for name, of in times.items()}
    return {
        "users": count,
        "items": items,
        **medians,
        "times_cheaper": medians["from_nothing_ms"] / medians["one_new_item_ms"],
    }


async def measure_language_model(sizes: Sizes) -> dict[str, Any]:
    """SmolLM2, for users who were never there and for those who come back: alone, and several at a time."""
    users, fields, results = Users(sizes.data), {"beams": 20, "timeout_s": 60}, {}
    kinds: dict[str, Bodies] = {
        "strangers": partial(users.strangers, sizes.returning_items, **fields),
        "sessions": partial(users.sessions, sizes.returning_items, **fields),
    }
    async with serving(sizes.language_model, sizes, kinds["strangers"], ["--timeout", "60"]) as server:
        for kind, bodies in kinds.items():
            for clients in (1, sizes.clients):
                load = await closed_loop(server.port, PATH, bodies, clients=clients, seconds=sizes.lm_s)
                results[f"{kind}, {clients} at a time"] = load.figures()
        back = await come_back(server, users, sizes.lm_returning_users, sizes.returning_items, **fields)

    def gain(kind: str) -> float:
        one, many = (results[f"{kind}, {clients} at a time"] for clients in (1, sizes.clients))
        return float(many["requests_per_second"] / one["requests_per_second"])

    return {
        "results": {**results, "coming_back": back},
        "bars": [
            bar("language model, one client: p50, ms", results["strangers, 1 at a time"]["p50_ms"], 1500, below=True),
            bar("language model, strangers: times the throughput of one at a time", gain("strangers"), 2),
            bar("language model, sessions: times the throughput of one at a time", gain("sessions"), 2),
            bar("language model: times cheaper for a returning user", back["times_cheaper"], 3),
            bar(
                "language model: answers that are no success",
                sum(one["not_200"] for one in results.values()),
                0,
                below=True,
            ),
        ],
    }


@asynccontextmanager
async def serving(model: Path, sizes: Sizes, bodies: Bodies, options: Sequence[str] = ()) -> AsyncIterator[Server]:
    """A server that has been warmed up."""
    with tempfile.TemporaryDirectory() as folder:
        async with Server.start(model, ["--data", sizes.data, *options], Path(folder)) as server:
            await closed_loop(server.port, PATH, bodies, clients=sizes.clients, seconds=sizes.warm_up_s)
            yield server


async def measure(parts: Sequence[Part], sizes: Sizes) -> dict[str, Any]:
    """All parts; one server for those of the small model."""
    small = {
        Part.latency: measure_latency,
        Part.sustained: measure_sustained,
        Part.poisson: measure_poisson,
        Part.returning: measure_returning,
    }
    results = {}
    if any(part in small for part in parts):
        async with serving(sizes.model, sizes, Users(sizes.data, seed=1).bodies) as server:
            for part in (part for part in parts if part in small):
                print(f"measuring {part}", file=sys.stderr)
                results[str(part)] = await small[part](server, sizes)
    if Part.language_model in parts:
        print(f"measuring {Part.language_model}", file=sys.stderr)
        results[str(Part.language_model)] = await measure_language_model(sizes)
    return results


async def metrics(server: Server) -> dict[str, float]:
    """Counters of the server that are its own, by name."""
    async with Client.connect(server.port) as client:
        _, text = await client.ask("GET", "/metrics")
    lines = [
        line.split() for line in text.decode().splitlines() if line.startswith("genrec_") and "_bucket" not in line
    ]
    return {name: float(value) for name, value in lines}


def bar(name: str, value: float, limit: float, *, below: bool = False) -> dict[str, Any]:
    """A measured value beside what it shall reach, or stay below."""
    return {"name": name, "value": value, "bar": limit, "passed": value <= limit if below else value >= limit}


def main(
    model: Annotated[Path, typer.Argument(help="Folder of the small GPT: genrec demo makes one under runs/demo/gpt.")],
    language_model: Annotated[Path, typer.Option(help="Folder of the language model.")] = SHIPPED_MODEL,
    data: Annotated[str, typer.Option(help="Data set of both.")] = "ml-100k",
    part: Annotated[str, typer.Option(help=f"Parts, separated by commas: {', '.join(Part)}.")] = ",".join(Part),
    seconds: Annotated[float, typer.Option(help="How long the sustained load lasts.")] = 180.0,
    is_quick: Annotated[bool, typer.Option("--quick", help="Tiny sizes, only to see that it runs.")] = False,
    out: Annotated[Path, typer.Option(help="File to write; its other parts stay.")] = FOLDER
    / "results/serving_load.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Measure a server under load."""
    sizes = Sizes(model, language_model, data, out, sustained_s=seconds)
    parts = asyncio.run(measure([Part(name) for name in part.split(",")], quick(sizes) if is_quick else sizes))
    packages = ("torch", "transformers", "numpy", "fastapi", "uvicorn")
    made = {**provenance("eval/serving_load.py", packages), "quick": is_quick}
    parts = {name: {**part, "made": made} for name, part in parts.items()}
    kept = json.loads(out.read_text(encoding="utf-8"))["parts"] if out.exists() else {}
    report = {"parts": {**kept, **parts}}
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
        return
    bars = [one for measured in parts.values() for one in measured["bars"]]
    table = [
        (one["name"], f"{one['value']:,.4g}", f"{one['bar']:,.4g}", "yes" if one["passed"] else "no") for one in bars
    ]
    print_table(["what", "measured", "bar", "reached"], table)
    stdout.print(f"written to {out}", highlight=False)


if __name__ == "__main__":
    typer.run(main)
