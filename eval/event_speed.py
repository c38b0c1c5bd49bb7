"""Measures the event store: events acknowledged a second, and how soon a history has them.

Every acknowledged event has been waited for until it was on the disk. Writers are threads of one process, as in a
server; with many of them, each with a small batch, transactions are shared.
"""

from __future__ import annotations

import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from genrec.cli.console import print_json, print_table
from genrec.cli.provenance import provenance
from genrec.events import Event, EventStore

BAR = 2_000
USERS, ITEMS = 5_000, 2_000
SHAPES = ((1, 1), (1, 16), (100, 1), (100, 4), (1_000, 1))
"""Events a batch, and threads."""


def run(store: EventStore, batch: int, threads: int, seconds: float, numbers: count[int]) -> dict[str, float]:
    """Append batches for a while."""
    rng = np.random.default_rng(0)
    until, waits = time.monotonic() + seconds, []

    def made() -> list[Event]:
        some = [next(numbers) for _ in range(batch)]
        users, items = rng.integers(USERS, size=batch), rng.integers(ITEMS, size=batch)
        return [
            Event(f"event-{n:032x}", f"user{user}", f"item{item}", "interaction", "view", 1_700_000_000 + n, 5_000)
            for n, user, item in zip(some, users, items, strict=True)
        ]

    def work(_: int) -> int:
        done = 0
        while time.monotonic() < until:
            events = made()
            began = time.monotonic()
            done += store.append(events).accepted
            waits.append(time.monotonic() - began)
        return done

    began = time.monotonic()
    with ThreadPoolExecutor(threads) as pool:
        accepted = sum(pool.map(work, range(threads)))
    rate = accepted / (time.monotonic() - began)
    p50, p99 = np.percentile(waits, [50, 99]) * 1e3
    return {"events_per_second": rate, "append_ms_p50": float(p50), "append_ms_p99": float(p99)}


def history_ms(store: EventStore, rounds: int = 200) -> float:
    """Median milliseconds from an acknowledged event to a history that has it."""
    took = []
    for number in range(rounds):
        item = f"seen-{number}-{time.monotonic_ns()}"
        store.append([Event(item, f"user{number % USERS}", item, "interaction", "view", 2_000_000_000 + number)])
        began = time.monotonic()
        assert store.history(f"user{number % USERS}")[-1] == item
        took.append(time.monotonic() - began)
    return float(np.median(took) * 1e3)


def main(
    seconds: Annotated[float, typer.Option(help="Time for each shape.")] = 10.0,
    folder: Annotated[Path | None, typer.Option(help="Where the file is to be: the disk that is measured.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure, and say whether the bar of 2,000 events a second in batches is met."""
    numbers, found = count(), {}
    with tempfile.TemporaryDirectory(dir=folder) as place, EventStore.open(Path(place) / "events.db") as store:
        for batch, threads in SHAPES:
            found[f"batches of {batch}, {threads} threads"] = run(store, batch, threads, seconds, numbers)
        stored, history = store.last, history_ms(store)
    best = found["batches of 100, 1 threads"]["events_per_second"]
    figures = {"stored": stored, "shapes": found, "history_ms": history, "bar": BAR}
    report = {**provenance("eval/event_speed.py", []), **figures}
    if as_json:
        print_json({**report, "met": best >= BAR})
        return
    rows = [(name, *(round(value, 2) for value in figures.values())) for name, figures in found.items()]
    footer = f"bar {BAR:,}/s in batches of 100: {'met' if best >= BAR else 'missed'}; {stored:,} events stored, "
    print_table(
        ["what", "events/s", "append ms, median", "p99"], rows, footer=f"{footer}history after {history:.2f} ms"
    )


if __name__ == "__main__":
    typer.run(main)
