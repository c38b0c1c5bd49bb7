"""What an update trains on and asks: put together by hand."""

import numpy as np
import pyarrow as pa
import pytest

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.events import Event, EventStore
from genrec.training.update import UpdateConfig
from genrec.training.update.histories import gather

ITEMS = [f"i{n}" for n in range(10)]


@pytest.fixture
def store(tmp_path):
    with EventStore.open(tmp_path / "events.db") as opened:
        yield opened


def dataset(**histories):
    """Users and what they met, an item a second."""
    rows = [(user, f"i{item}", at) for user, items in histories.items() for at, item in enumerate(items)]
    users, items, times = zip(*rows, strict=True)
    catalog = Catalog(pa.table({"item_id": ITEMS, "title": ITEMS}))
    return Dataset("shop", Interactions.from_columns(users, items, np.array(times)), catalog, IdMap(list(histories)))


def told(store, **histories):
    """Events of users, ten seconds apart, from second 100."""
    start = store.last
    events = [
        Event(f"{user}.{start}.{at}", user, f"i{item}", "interaction", "view", timestamp=100 + 10 * at + start)
        for user, items in histories.items()
        for at, item in enumerate(items)
    ]
    store.append(events)


def trained(data):
    return sorted(data.train.histories[user].tolist() for user in range(data.train.num_users))


def asked(questions):
    pairs = zip(questions.histories, questions.targets, strict=True)
    return sorted((history.tolist(), target.tolist()) for history, target in pairs)


def collect(shop, store, after=0, split="leave-last-out", max_items=50, items=ITEMS, **config):
    return gather(shop, items, store, after, split, max_items, UpdateConfig(**config))


def test_new_events_follow_the_old_history_and_the_last_of_them_is_asked(store):
    shop = dataset(ann=[0, 1, 2], bob=[3, 4, 5, 6])
    told(store, ann=[7, 8], carl=[9, 0, 1])
    data = collect(shop, store)
    assert asked(data.new) == [([0, 1, 2, 7], [8]), ([9, 0], [1])]
    # Of bob, the validation item is asked, and neither it nor the test item is trained on.
    assert asked(data.old) == [([3, 4], [5])]
    assert trained(data) == [[0, 1, 2, 7], [3, 4], [9, 0]]
    assert (data.new_events, data.users, data.replayed, data.unknown_items) == (5, 2, 1, 0)


def test_what_was_learnt_before_is_replayed_and_not_asked(store):
    shop = dataset(ann=[0, 1, 2], bob=[3, 4, 5, 6])
    told(store, carl=[9, 0, 1])
    before = store.last
    told(store, ann=[7])
    data = collect(shop, store, after=before, replay=5.0)
    assert asked(data.new) == [([0, 1, 2], [7])]
    assert trained(data) == [[0, 1, 2], [3, 4], [9, 0, 1]]
    assert (data.new_events, data.users, data.replayed) == (1, 1, 2)


def test_without_replay_only_users_with_new_events_are_trained_on(store):
    told(store, ann=[7, 8])
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5, 6]), store, replay=0.0)
    assert trained(data) == [[0, 1, 2, 7]]


def test_a_long_history_is_read_as_far_back_as_a_model_reads(store):
    told(store, ann=[5, 6, 7])
    data = collect(dataset(ann=[0, 1, 2, 3, 4], bob=[1, 2, 3]), store, max_items=2, replay=0.0)
    assert trained(data) == [[2, 3, 4, 5, 6]]


def test_forgotten_users_are_neither_trained_on_nor_asked(store):
    shop = dataset(ann=[0, 1, 2], bob=[3, 4, 5, 6], carl=[1, 3, 5, 7])
    told(store, ann=[7, 8], bob=[9])
    store.forget("carl")
    store.forget("bob")
    data = collect(shop, store, replay=10.0)
    assert trained(data) == [[0, 1, 2, 7]]
    assert asked(data.old) == []
    assert data.forgotten == 2


def test_who_was_forgotten_and_comes_back_begins_anew(store):
    store.forget("bob")
    told(store, bob=[7, 8])
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5, 6]), store, replay=0.0)
    assert asked(data.new) == [([7], [8])]
    assert trained(data) == [[7]]


def test_noise_and_hidden_items_are_left_out(store):
    store.append([Event(f"b{n}", "bot", "i1", "interaction", timestamp=50) for n in range(100)])
    told(store, ann=[7, 8, 9])
    store.append([Event("h", "ann", "i8", "feedback", "hide", timestamp=500)])
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5]), store, replay=0.0)
    assert asked(data.new) == [([0, 1, 2, 7], [9])]
    assert data.users == 1


def test_what_the_data_set_has_too_counts_once(store):
    shop = dataset(ann=[0, 1, 2], bob=[3, 4, 5])
    store.append([Event("e", "ann", "i2", "interaction", timestamp=2)])
    told(store, ann=[7])
    assert asked(collect(shop, store).new) == [([0, 1, 2], [7])]


def test_an_item_that_was_met_before_is_no_question(store):
    told(store, ann=[7, 0])
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5]), store, replay=0.0)
    assert asked(data.new) == []
    assert trained(data) == [[0, 1, 2, 7, 0]]


def test_unknown_items_are_counted_and_left_out(store):
    told(store, ann=[7, 8])
    store.append([Event("e", "ann", "elsewhere", "interaction", timestamp=900)])
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5]), store)
    assert data.unknown_items == 1
    assert asked(data.new) == [([0, 1, 2, 7], [8])]


def test_items_stand_in_the_order_of_the_model(store):
    told(store, ann=[7, 8])
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5]), store, items=ITEMS[::-1])
    assert asked(data.new) == [([9, 8, 7, 2], [1])]
    assert data.train.catalog.ids.ids == ITEMS[::-1]


def test_with_nothing_held_out_only_new_events_are_asked(store):
    told(store, ann=[7, 8])
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5]), store, split="none")
    assert len(data.old) == 0
    assert trained(data) == [[0, 1, 2, 7], [3, 4, 5]]


def test_no_more_is_asked_than_was_said_and_the_rest_is_trained_on(store):
    told(store, **{f"u{n}": [n, (n + 1) % 10, (n + 2) % 10] for n in range(10)})
    data = collect(dataset(ann=[0, 1, 2], bob=[3, 4, 5]), store, questions=4, replay=0.0)
    assert len(data.new) == 4
    assert sorted(map(len, trained(data))) == [2] * 4 + [3] * 6
