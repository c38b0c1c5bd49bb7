"""A small model in a folder, and a service on it whose thread a test can hold up."""

import asyncio
import threading
from contextlib import asynccontextmanager

import pytest

from genrec.serve.engine import Service
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

DATASET = toy_dataset(items=24)


SEMANTIC = {"kind": "semantic", "levels": 2, "codes_per_level": 6, "text_weight": 0}
ATOMIC = {"kind": "atomic"}


def train(folder, items=SEMANTIC, seed=0):
    """Train a small model of the toy data, by default on semantic IDs of two levels."""
    config = {
        "base": {"kind": "scratch", "layers": 2, "width": 32, "heads": 2, "dropout": 0.0},
        "items": items,
        "prompt": {"max_items": 10, "max_tokens": 32},
        "training": {"epochs": 2, "tokens_per_batch": 256, "validation_users": 0, "seed": seed},
    }
    finetune(FinetuneConfig.from_mapping(config), DATASET, folder)
    return folder


@pytest.fixture(scope="session")
def served_folder(tmp_path_factory):
    return train(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture(scope="session")
def other_folder(tmp_path_factory):
    return train(tmp_path_factory.mktemp("other") / "model", seed=7)


@pytest.fixture(scope="session")
def atomic_folders(tmp_path_factory):
    """Two models that take new items without further knowledge of them."""
    folder = tmp_path_factory.mktemp("atomic")
    return train(folder / "one", ATOMIC), train(folder / "other", ATOMIC, seed=7)


@pytest.fixture
def serving(served_folder):
    """Start a service; by default on the small model."""

    @asynccontextmanager
    async def start(load=None, **settings):
        async with Service(load or served_folder, data=DATASET, **settings) as service:
            yield service

    return start


@asynccontextmanager
async def held_up(service):
    """The thread that decodes is busy until the block ends."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_):
        begun.set()
        go_on.wait(30)

    busy = asyncio.create_task(service.run(wait, timeout_s=60))
    await asyncio.to_thread(begun.wait, 30)
    try:
        yield
    finally:
        go_on.set()
        await busy


@pytest.fixture
def hold_up():
    return held_up


async def until(condition):
    """Wait for something that another thread or task brings about."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.002)


@pytest.fixture(name="until")
def until_fixture():
    return until
