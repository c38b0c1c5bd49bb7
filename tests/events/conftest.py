"""Stores, and events for them."""

from itertools import count

import pytest

from genrec.events import Event, EventStore


@pytest.fixture
def store(tmp_path):
    with EventStore.open(tmp_path / "events.db") as opened:
        yield opened


@pytest.fixture
def event():
    """Make an event with an id of its own; by default somebody stays with an item for a while."""
    numbers = count(1)

    def make(user="ann", item="tea", kind="interaction", value="view", **fields):
        number = next(numbers)
        given = {"event_id": f"e{number}", "timestamp": 1_000 + 10 * number, **fields}
        return Event(user_id=user, item_id=item, kind=kind, value=value, **given)

    return make
