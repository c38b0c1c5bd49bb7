import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import global_temporal, leave_last_out, next_basket
from genrec.data.toy import toy_dataset
from genrec.errors import ConfigError, DataError

ITEMS = [f"i{index}" for index in range(9)]
rows = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 8), st.integers(0, 6)), min_size=1, max_size=50)


def build(rows, time="seconds"):
    users, items, times = zip(*rows, strict=True)
    interactions = Interactions.from_columns([f"u{u}" for u in users], [ITEMS[i] for i in items], list(times))
    catalog = Catalog(pa.table({"item_id": ITEMS, "title": ITEMS}))
    return Dataset("d", interactions, catalog, IdMap([f"u{u}" for u in range(5)]), time=time)


@given(rows)
def test_leave_last_out_against_its_definition(rows):
    dataset = build(rows)
    full = [dataset.histories[user].tolist() for user in range(5)]
    long = [user for user in range(5) if len(full[user]) >= 3]
    if not long:
        with pytest.raises(DataError, match="leave-last-out") as caught:
            leave_last_out(dataset)
        assert "split=global-temporal" in caught.value.hint
        return
    split = leave_last_out(dataset)
    assert split.test.users.tolist() == split.validation.users.tolist() == long
    for row, user in enumerate(long):
        assert split.test.histories[row].tolist() == full[user][:-1]
        assert split.test.targets[row].tolist() == full[user][-1:]
        assert split.validation.histories[row].tolist() == full[user][:-2]
        assert split.validation.targets[row].tolist() == full[user][-2:-1]
    for user in range(5):
        expected = full[user][:-2] if user in long else full[user]
        assert split.train.histories[user].tolist() == expected


def test_short_histories_without_timestamps_have_a_way_out_too():
    with pytest.raises(DataError, match="leave-last-out") as caught:
        leave_last_out(build([(0, 1, 0), (0, 2, 1)], time="order"))
    assert "with timestamps" in caught.value.hint


@given(rows, st.sampled_from([(0.1, 0.1), (0.2, 0.3), (0.45, 0.45)]), st.sampled_from([global_temporal, next_basket]))
def test_temporal_splits_never_show_the_future(rows, shares, cut):
    dataset = build(rows)
    try:
        split = cut(dataset, *shares)
    except DataError:
        return
    trained = split.train.histories.timestamps
    times = sorted(time for _, _, time in rows)
    first = times[int(round((1 - sum(shares)) * len(times), 9))]
    second = times[int(round((1 - shares[1]) * len(times), 9))]
    assert trained.max() < first
    for window, start, end in ((split.validation, first, second), (split.test, second, np.inf)):
        for user, history, targets in zip(window.users, window.histories, window.targets, strict=True):
            mine = sorted(((time, item) for u, item, time in rows if u == user), key=lambda pair: pair[0])
            assert history.tolist() == [item for time, item in mine if time < start]
            inside = [(time, item) for time, item in mine if start <= time < end]
            if cut is next_basket:
                inside = [(time, item) for time, item in inside if time == inside[0][0]]
            assert targets.tolist() == list(dict.fromkeys(item for _, item in inside))
            assert len(history)
            assert len(targets)


def test_global_temporal_asks_everyone_who_can_be_asked():
    split = global_temporal(toy_dataset(users=5, items=20, length=10), validation=0.2, test=0.2)
    assert split.validation.users.tolist() == split.test.users.tolist() == [0, 1, 2, 3, 4]
    assert [targets.tolist() for targets in split.test.targets] == [[u + 8, u + 9] for u in range(5)]
    assert len(split.train.interactions) == 30


def test_one_moment_stays_on_one_side():
    rows = [
        (0, 0, 1),
        (0, 1, 2),
        (0, 2, 3),
        (0, 3, 3),
        (0, 4, 3),
        (0, 5, 3),
        (0, 6, 3),
        (0, 7, 3),
        (0, 8, 3),
        (0, 1, 4),
    ]
    split = global_temporal(build(rows), 0.1, 0.1)
    assert split.train.histories[0].tolist() == [0, 1]
    assert split.validation.targets[0].tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert split.test.targets[0].tolist() == [1]


def test_order_is_not_time():
    with pytest.raises(DataError, match="no timestamps") as caught:
        global_temporal(build([(0, 0, 1)] * 9, time="order"))
    assert "leave_last_out" in caught.value.hint


def test_all_at_one_moment_cannot_be_cut():
    with pytest.raises(DataError, match="nothing lies before"):
        global_temporal(build([(0, item, 5) for item in range(9)]))


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0, 0.1), (0.1, -0.1)])
def test_shares_must_leave_something(shares):
    with pytest.raises(ConfigError, match="sum to less than 1"):
        global_temporal(build([(0, 0, 1)]), *shares)


def test_training_set_keeps_users_and_items():
    split = leave_last_out(toy_dataset(users=4, items=30, length=3))
    assert (split.train.num_users, split.train.num_items) == (4, 30)
