"""What a model costs: memory, latency, size. Measured in the process that calls."""

from __future__ import annotations

import ctypes
import gc
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import psutil
import pyarrow as pa
import torch
from pydantic import BaseModel

from genrec.data.split import EvalSet
from genrec.prompt.builder import PromptBuilder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from numpy.typing import NDArray

    from genrec.baselines.base import Scorer

logger = logging.getLogger(__name__)

K = 10
CALLS, FEWEST_CALLS = 200, 10


class Latency(BaseModel, extra="forbid"):
    """Time of one ``recommend`` call for the best 10 items, seen items excluded."""

    batch_size: int
    """Histories in a call."""

    calls: int
    """How many were timed, after one to warm up."""

    p50_ms: float
    """Median, milliseconds."""

    p99_ms: float
    """99th percentile, milliseconds; with fewer than 100 calls, near the slowest."""


class PeakMemory:
    """Highest resident memory of this process while the context is open.

    What the process held before, beyond `base_bytes`, is not charged: in tuning, that is the model kept so far.
    Other threads of the process are.

    Parameters
    ----------
    base_bytes
        Resident memory of a process that has done nothing yet but import. Default: as resident when the context opens.

    Examples
    --------
    >>> with PeakMemory() as memory:
    ...     before = memory.start_bytes
    ...     _ = np.ones(5_000_000).sum()
    >>> memory.peak_bytes - before > 35_000_000
    True
    """

    def __init__(self, base_bytes: int | None = None) -> None:
        self._base_bytes = base_bytes
        self.start_bytes = 0
        self.peak_bytes = 0

    def __enter__(self) -> Self:
        release_memory()
        _reset_peak()
        self.start_bytes = resident_bytes()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        base = self.start_bytes if self._base_bytes is None else self._base_bytes
        self.peak_bytes = base + max(_peak_bytes() - self.start_bytes, 0)


def resident_bytes() -> int:
    """Resident memory of this process now."""
    return int(psutil.Process().memory_info().rss)


def release_memory() -> None:
    """Give freed memory back to the system, so that what is measured next is not hidden in it."""
    gc.collect()
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # a C library other than glibc has no such call
        logger.debug("malloc_trim is not available: peaks include freed memory")


def _reset_peak() -> None:
    """Let the kernel forget the peak so far; ``ru_maxrss`` cannot be reset and starts with the parent's."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak_bytes() -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmHWM in /proc/self/status")


def latency(
    scorer: Scorer, histories: Sequence[NDArray[np.int32]], batch_size: int, *, seconds: float = 2.0, seed: int = 0
) -> Latency:
    """Time calls of ``recommend`` with batches of random histories.

    Parameters
    ----------
    scorer
        Fitted.
    histories
        To draw from, such as those of the test part.
    batch_size
        Histories in a call.
    seconds
        Stop after so long, though not before 10 calls; else after 200. Default 2.
    seed
        Of the choice of histories.

    Examples
    --------
    >>> from genrec.baselines import Popularity
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> found = latency(Popularity().fit(dataset), [dataset.histories[0]], batch_size=4, seconds=0.1)
    >>> found.calls >= 10, found.p99_ms >= found.p50_ms > 0
    (True, True)
    """
    rng = np.random.default_rng(seed)
    times: list[float] = []
    began = time.perf_counter()
    while len(times) <= CALLS and (len(times) <= FEWEST_CALLS or time.perf_counter() - began < seconds):
        batch = [histories[index] for index in rng.integers(len(histories), size=batch_size)]
        start = time.perf_counter()
        scorer.recommend(batch, K, exclude=batch)
        times.append(time.perf_counter() - start)
    p50, p99 = np.percentile(times[1:], [50, 99]) * 1000
    return Latency(batch_size=batch_size, calls=len(times) - 1, p50_ms=float(p50), p99_ms=float(p99))


def model_bytes(scorer: Scorer) -> int:
    """Size of the arrays and tensors that a fitted scorer holds, each counted once.

    Parameters
    ----------
    scorer
        Fitted.

    Returns
    -------
    int
        Bytes of arrays of numpy, matrices of scipy, parameters and buffers of torch, and tables of pyarrow, wherever
        the scorer keeps them; not of the questions it validates on, nor of its prompt builder, which are no part of the
        model.

    Examples
    --------
    >>> from genrec.baselines import EASE
    >>> from genrec.testing import toy_dataset
    >>> model_bytes(EASE().fit(toy_dataset(items=24)))  # 24 x 24 weights, float32
    2304
    """
    sizes: dict[int, int] = {}  # by address of what holds the numbers: views share it
    met: dict[int, object] = {}  # keeps what it met, so that no id comes twice
    waiting: list[object] = [scorer]
    while waiting:
        held = waiting.pop()
        if id(held) in met or isinstance(held, EvalSet | PromptBuilder | type):
            continue
        met[id(held)] = held
        if isinstance(held, np.ndarray) and isinstance(held.base, np.ndarray):
            waiting.append(held.base)
        elif isinstance(held, np.ndarray | pa.Table):
            sizes[id(held)] = held.nbytes
        elif isinstance(held, torch.Tensor):
            storage = held.untyped_storage()
            sizes[storage.data_ptr()] = storage.nbytes()
        elif isinstance(held, Mapping):
            waiting.extend(held.values())
        elif isinstance(held, list | tuple | set):
            waiting.extend(held)
        else:
            waiting.extend(getattr(held, "__dict__", {}).values())
    return sum(sizes.values())
