"""A server of the toy data, with and without keys."""

import pytest

from genrec.serve.auth import KeyRing
from genrec.serve.settings import ServeSettings
from genrec.testing.serving import ServerThread, client_of, train_toy_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    return train_toy_model(tmp_path_factory.mktemp("secured") / "model")


@pytest.fixture(scope="session")
def secrets(tmp_path_factory):
    """A key of each scope, and the file that has their hashes."""
    ring, made = KeyRing(), {}
    for scope in ("recommend", "events", "admin"):
        ring, made[scope] = ring.with_new(f"the {scope} key", [scope])
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    ring.write(path)
    return {**made, "file": path}


@pytest.fixture(scope="session")
def serving(model_folder, tmp_path_factory):
    """Start an application in this process."""

    def start(**settings):
        return client_of(model_folder, tmp_path_factory.mktemp("events") / "events.db", ServeSettings(**settings))

    return start


@pytest.fixture(scope="module")
def client(serving):
    with serving() as client:
        yield client


@pytest.fixture(scope="module")
def guarded(serving, secrets):
    with serving(keys=secrets["file"]) as client:
        yield client


@pytest.fixture(scope="module")
def listening(model_folder, tmp_path_factory):
    """A server that speaks real HTTP."""
    with ServerThread(model_folder, tmp_path_factory.mktemp("process") / "events.db", ServeSettings()) as running:
        yield running
