"""Settings every test runs under: one thread a worker, no network, reproducible property tests."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

# Set before torch and numpy are imported, and inherited by xdist workers and by the commands tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

# They need an environment of their own: make test-vllm.
collect_ignore = ["vllm"]

# No deadline: a shared machine stalls for longer than any limit that would mean something.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "local")


@pytest.fixture(scope="session")
def faster_than() -> Callable[[float, Callable[[], object]], bool]:
    """Whether a call takes less processor time, in seconds, in one of three tries: garbage may be collected in one."""

    def faster_than(limit: float, call: Callable[[], object]) -> bool:
        def once() -> float:
            start = time.thread_time()
            call()
            return time.thread_time() - start

        return any(once() < limit for _ in range(3))

    return faster_than
