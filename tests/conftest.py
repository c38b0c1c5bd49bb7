"""Settings every test runs under: one thread a worker, no network, reproducible property tests."""

from __future__ import annotations

import os

from hypothesis import settings

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
