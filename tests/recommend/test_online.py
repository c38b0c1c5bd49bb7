"""The online model: seconds after an event, weights know of it."""

import threading
import time

import numpy as np
import pytest

from genrec.baselines.user_knn import UserKNN
from genrec.events import Event, EventStore
from genrec.recommend.fusion import on_one_scale
from genrec.recommend.online import OnlineModel, OnlineSettings
from genrec.testing import toy_dataset

DATASET = toy_dataset(users=48, items=24, length=6)
IDS = DATASET.catalog.ids.ids
NO_VOTES, NO_TREND = OnlineSettings(votes=0.0), OnlineSettings(trend=0.0)


@pytest.fixture
def store(tmp_path):
    with EventStore.open(tmp_path / "events.db") as opened:
        yield opened


def view(store, pairs, **fields):
    start = store.last
    given = {"kind": "interaction", "value": "view", **fields}
    store.append([Event(f"{start}.{n}", user, item, timestamp=60 * n, **given) for n, (user, item) in enumerate(pairs)])


def items(*numbers):
    return np.array(numbers, dtype=np.int32)


def test_without_events_there_are_no_priors(store):
    evidence = OnlineModel(store, DATASET, NO_VOTES).evidence(IDS)
    assert np.abs(evidence.weights(items(1)).dense).max() == 0


def test_a_prior_is_the_log_ratio_of_now_to_normal(store):
    view(store, [(f"x{n}", "i5") for n in range(30)] + [(f"y{n}", "i6") for n in range(10)])
    settings = OnlineSettings(votes=0.0, trend=0.8, prudence=100)
    found = OnlineModel(store, DATASET, settings).evidence(IDS).weights(items()).dense[0]
    normal = np.full(24, 1 / 24)  # each item is met equally often in the toy data
    now = 100 * normal
    now[5] += 30
    now[6] += 10
    assert found == pytest.approx(0.8 * np.log(now / 140 / normal), abs=1e-6)


def test_old_events_fade(store):
    view(store, [(f"x{n}", "i5") for n in range(40)])
    online = OnlineModel(store, DATASET, NO_VOTES.model_copy(update={"half_life_s": 1e-3}))
    evidence = online.evidence(IDS)
    was = evidence.weights(items()).dense[0, 5]
    time.sleep(1.1)  # the store's clock has whole seconds
    view(store, [("z", "i9")])
    online.refresh()
    assert evidence.weights(items()).dense[0, 5] < 0 < was


def test_noise_impressions_and_dislikes_are_not_counted(store):
    view(store, [(f"x{n}", "i5") for n in range(50)], dwell_ms=10)
    view(store, [(f"x{n}", "i5") for n in range(50)], kind="impression", value="")
    view(store, [(f"x{n}", "i5") for n in range(50)], kind="feedback", value="hide")
    online = OnlineModel(store, DATASET)
    assert np.abs(online.evidence(IDS).weights(items()).dense).max() == 0
    view(store, [(f"x{n}", "i5") for n in range(50)], kind="feedback", value="like")
    online.refresh()
    assert online.evidence(IDS).weights(items()).dense[0].argmax() == 5


def test_votes_are_those_of_user_knn_over_data_set_and_events(store):
    view(store, [("new", "i1"), ("new", "i20"), ("other", "i20"), ("other", "i2"), ("other", "i9")])
    online = OnlineModel(store, DATASET, NO_TREND.model_copy(update={"neighbours": 10, "votes": 0.3}))
    found = online.evidence(IDS).weights(items(20)).dense[0]
    rows = [*DATASET.histories, items(1, 20), items(20, 2, 9)]
    from genrec.data.identifiers import IdMap
    from genrec.data.interactions import Interactions

    users = [str(user) for user, row in enumerate(rows) for _ in row]
    every = type(DATASET)(
        "all",
        Interactions.from_columns(users, [IDS[item] for row in rows for item in row]),
        DATASET.catalog,
        IdMap([str(user) for user in range(len(rows))]),
    )
    votes = UserKNN(neighbours=10).fit(every).score([items(20)])
    mine = np.setdiff1d(np.arange(24), [20])  # neighbours who met nothing else vote for it here, and there not
    assert np.argsort(found[mine])[-2:].tolist() == np.argsort(votes[0, mine])[-2:].tolist()
    assert found[2] > found[3]
    assert np.corrcoef(found[mine], on_one_scale(votes, "z-score")[0, mine])[0, 1] > 0.99


def test_an_event_is_known_with_the_next_refresh(store):
    online = OnlineModel(store, DATASET, NO_TREND)
    evidence = online.evidence(IDS)
    before = evidence.weights(items(3)).dense[0, 17]
    view(store, [(f"x{n}", item) for n in range(60) for item in ("i3", "i17")])
    assert online.refresh() == 120
    assert online.refresh() == 0
    assert evidence.weights(items(3)).dense[0, 17] > before + 0.05


def test_weights_follow_the_order_of_a_model_and_know_its_new_items(store):
    online = OnlineModel(store, DATASET, NO_VOTES)
    evidence = online.evidence(["brand new", *IDS[::-1]])
    view(store, [(f"x{n}", "brand new") for n in range(30)] + [(f"x{n}", "i0") for n in range(30)])
    online.refresh()
    found = evidence.weights(items()).dense[0]
    assert len(found) == 25
    assert set(np.argsort(found)[-2:].tolist()) == {0, 24}
    assert found.max() <= online.settings.most


def test_forgotten_users_have_no_vote(store):
    view(store, [(f"x{n}", item) for n in range(60) for item in ("i3", "i17")])
    online = OnlineModel(store, DATASET, NO_TREND)
    evidence = online.evidence(IDS)
    with_them = evidence.weights(items(3)).dense[0, 17]
    for number in range(60):
        store.forget(f"x{number}")
    for user in DATASET.users.ids:
        store.forget(user)
    online.refresh()
    assert evidence.weights(items(3)).dense[0, 17] < with_them
    assert np.abs(evidence.weights(items(3)).dense).max() == 0


def test_of_a_forgotten_user_who_comes_back_only_what_is_new_votes(store):
    view(store, [(f"x{n}", item) for n in range(60) for item in ("i3", "i17")])
    online = OnlineModel(store, DATASET, NO_TREND)
    evidence = online.evidence(IDS)
    for user in (*(f"x{n}" for n in range(60)), *DATASET.users.ids):
        store.forget(user)
    view(store, [(f"x{n}", item) for n in range(60) for item in ("i5", "i3", "i5", "no item of ours")])
    online.refresh()
    found = evidence.weights(items(3)).dense[0]
    begun_anew = OnlineModel(store, DATASET, NO_TREND).evidence(IDS).weights(items(3)).dense[0]
    assert found[5] > found[17]
    assert found == pytest.approx(begun_anew)


class ForgetsWhileRead(EventStore):
    """Somebody is forgotten once their events were read."""

    def read(self, after=0, limit=None):
        events = list(super().read(after, limit))
        for user in {one.event.user_id for one in events}:
            self.forget(user)
        return iter(events)


def test_who_is_forgotten_while_events_are_read_has_no_vote(tmp_path):
    with ForgetsWhileRead.open(tmp_path / "events.db") as store:
        for user in DATASET.users.ids:
            store.forget(user)
        online = OnlineModel(store, DATASET, NO_TREND)
        evidence = online.evidence(IDS)
        view(store, [(f"x{n}", item) for n in range(60) for item in ("i3", "i17")])
        online.refresh()
        assert np.abs(evidence.weights(items(3)).dense).max() == 0


def test_weights_are_finite_and_bounded_whatever_comes(store):
    rng = np.random.default_rng(0)
    view(store, [(f"x{rng.integers(9)}", f"i{rng.integers(30)}") for _ in range(500)])
    evidence = OnlineModel(store, DATASET).evidence(IDS)
    for history in (items(), items(0), items(*range(24))):
        found = evidence.weights(history).dense
        assert np.isfinite(found).all()
        assert np.abs(found).max() <= 6


def test_it_keeps_itself_current_on_a_thread(store):
    online = OnlineModel(store, DATASET, NO_VOTES.model_copy(update={"every_s": 0.02}))
    evidence = online.evidence(IDS)
    online.start()
    view(store, [(f"x{n}", "i5") for n in range(40)])
    until = time.monotonic() + 10
    while evidence.weights(items()).dense[0, 5] <= 0 and time.monotonic() < until:
        time.sleep(0.01)
    assert evidence.weights(items()).dense[0, 5] > 0
    online.stop()
    assert "genrec-online" not in {thread.name for thread in threading.enumerate()}


def test_a_recommender_adds_it_to_what_the_generator_says(store, toy_model):
    from genrec.model.config import ScratchConfig
    from genrec.recommend.recommender import Recommender

    model = toy_model(DATASET, ScratchConfig(layers=1, width=16, heads=2, dropout=0.0))
    recommender = Recommender(model, DATASET)
    plain = {one.item_id: one for one in recommender.recommend(history=["i1"], k=23, exact=True).items}
    view(store, [(f"x{n}", "i5") for n in range(400)])
    recommender.online = OnlineModel(store, DATASET, OnlineSettings(trend=1.0)).evidence(model.item_ids)
    weights = recommender.online.weights(items(1)).dense[0]
    found = recommender.recommend(history=["i1"], k=23, exact=True).items
    for one in found:
        assert one.logprob == pytest.approx(plain[one.item_id].logprob, abs=1e-4)
        expected = one.logprob + weights[IDS.index(one.item_id)]
        assert one.score == pytest.approx(expected, abs=1e-4)
    rank = [one.item_id for one in found].index("i5")
    assert rank <= list(plain).index("i5")
