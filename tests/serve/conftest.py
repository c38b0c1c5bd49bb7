"""A small model of the toy data, and servers of it: in this process, and in one of their own."""

import pytest

from genrec.recommend.recommender import Recommender
from genrec.serve.settings import ServeSettings
from genrec.testing import toy_dataset
from genrec.testing.serving import ServerProcess, client_of, train_toy_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    return train_toy_model(tmp_path_factory.mktemp("served") / "model")


@pytest.fixture(scope="session")
def recommender(model_folder):
    """The same model without a server."""
    return Recommender.from_pretrained(model_folder, data=toy_dataset())


@pytest.fixture(scope="session")
def serving(model_folder, tmp_path_factory):
    """Start an application in this process."""

    def start(model=None, *, online=False, **settings):
        events = tmp_path_factory.mktemp("events") / "events.db"
        return client_of(model or model_folder, events, ServeSettings(**settings), online=online)

    return start


@pytest.fixture(scope="module")
def client(serving):
    with serving() as client:
        yield client


@pytest.fixture
def server(model_folder, tmp_path):
    """Make a server in a process of its own."""
    made = []

    def make(*options, model=None):
        made.append(ServerProcess(model or model_folder, tmp_path, *options))
        return made[-1]

    yield make
    for one in made:
        one.__exit__(None, None, None)
