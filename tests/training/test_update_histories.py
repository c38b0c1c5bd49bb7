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
from genrec.training.update.learnt import Learnt

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


def collect(shop, store, after=0, split="leave-last-out", max_items=50, items=ITEMS, **options):
    """Everybody is asked, unless said otherwise."""
    learnt = Learnt(options.pop("known_items", len(items)), after, options.pop("held_out", ()))
    last = options.pop("last", store.last)
    return gather(shop, items, store, learnt, last, split, max_items, UpdateConfig(**{"share": 1.0, **options}))


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
    assert trained(data) == [[3, 4, 5, 6]]


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


def new_items_of(data):
    """Items 7 to 9, which here come with new events alone, as they are trained on."""
    return sorted(item for history in trained(data) for item in history if item >= 7)


@pytest.mark.parametrize(("users", "questions"), [(1, 1), (40, 20), (150, 50), (400, 80), (3_000, 500)])
def test_a_share_of_the_users_is_asked_and_what_the_others_did_is_learnt(store, users, questions):
    shop = dataset(**{f"u{n}": [0, 1, 2] for n in range(users)})
    told(store, **{f"u{n}": [7] for n in range(users)})
    data = collect(shop, store, share=0.2)
    assert len(data.new) == len(data.held_out) == questions
    assert new_items_of(data) == [7] * (users - questions)
    assert (data.new_events, data.learnt_events) == (users, users - questions)


def test_what_was_asked_for_is_learnt_next_and_not_asked_again(store):
    shop = dataset(**{f"u{n}": [0, 1, 2] for n in range(20)})
    told(store, **{f"u{n}": [7] for n in range(20)})
    before, first = store.last, collect(shop, store, share=0.2, replay=0.0)
    assert len(first.held_out) == 10
    second = collect(shop, store, after=before, held_out=first.held_out, replay=0.0)
    assert (second.new_events, second.learnt_events, second.users) == (0, 10, 10)
    assert len(second.new) == 0
    assert second.held_out == ()
    assert new_items_of(first) + new_items_of(second) == [7] * 20


def test_who_was_asked_before_is_asked_for_what_came_since(store):
    told(store, ann=[7])
    shop, before = dataset(ann=[0, 1, 2], bob=[3, 4, 5]), store.last
    asked_before = collect(shop, store).held_out
    told(store, ann=[8])
    data = collect(shop, store, after=before, held_out=asked_before, replay=0.0)
    assert asked(data.new) == [([0, 1, 2, 7], [8])]
    assert trained(data) == [[0, 1, 2, 7]]
    assert (asked_before, data.held_out) == ((1,), (2,))
    assert (data.new_events, data.learnt_events) == (1, 1)


def test_events_about_an_item_are_new_when_the_model_gets_it(store):
    told(store, ann=[9, 7, 8, 6, 5, 4], bob=[9, 6])
    shop = dataset(ann=[0, 1, 2], bob=[3, 4, 9], carl=[3, 4, 9])
    without = collect(shop, store, items=ITEMS[:9], replay=0.0)
    assert (without.unknown_items, without.new_events) == (2, 6)
    assert trained(without) == [[0, 1, 2, 7, 8, 6, 5], [3, 4]]
    data = collect(shop, store, after=store.last, known_items=9, max_items=2, replay=0.0)
    assert (data.unknown_items, data.new_events, data.users) == (0, 2, 2)
    # What came after the item, however much, does not hide it; the data set's own interactions are no events.
    assert trained(data) == [[1, 2, 9, 7, 8, 6, 5, 4], [4, 9, 9, 6]]


def test_what_arrives_meanwhile_is_left_to_the_next_update(store):
    shop = dataset(ann=[0, 1, 2], bob=[3, 4, 5], carl=[3, 4, 5, 6])
    told(store, ann=[7, 8])
    last = store.last
    told(store, ann=[6, 5], bob=[9])
    store.append([Event("e", "ann", "elsewhere", "interaction", timestamp=900)])
    first = collect(shop, store, last=last, replay=0.0)
    assert asked(first.new) == [([0, 1, 2, 7], [8])]
    assert trained(first) == [[0, 1, 2, 7]]
    assert (first.new_events, first.users, first.unknown_items) == (2, 1, 0)
    second = collect(shop, store, after=last, replay=0.0)
    assert (second.new_events, second.users, second.unknown_items) == (3, 2, 1)


def test_an_update_of_an_earlier_version_held_nothing_out(store, tmp_path):
    (tmp_path / "update.json").write_text(f'{{"store": "{store.identity}", "last_event": 7}}')
    assert Learnt.of_model(tmp_path, store, items=10) == Learnt(10, last=7)
