"""Updates of models that were taught next baskets: what is held out, and what is learnt."""

import numpy as np
import pytest

from genrec.data.histories import Histories
from genrec.events import Event, EventStore
from genrec.testing import toy_basket_dataset
from genrec.training.finetune import finetune
from genrec.training.update import UpdateConfig, update
from genrec.training.update.histories import gather
from genrec.training.update.learnt import Learnt

DATASET = toy_basket_dataset(users=40, length=3)
NEXT_DAY = 2_000_000_000


@pytest.fixture
def store(tmp_path):
    with EventStore.open(tmp_path / "events.db") as opened:
        yield opened


def buy(store, user, items, at):
    store.append(
        [
            Event(f"{user}.{item}.{at}", f"u{user}", f"i{item}", "interaction", "purchase", timestamp=at)
            for item in items
        ]
    )


def collect(store, last=0, held_out=()):
    ids, config = DATASET.catalog.ids.ids, UpdateConfig(share=1.0)
    learnt = Learnt(len(ids), last, held_out)
    return gather(DATASET, ids, store, learnt, store.last, "next-basket", 20, config, baskets=True)


def test_all_of_the_last_basket_is_held_out_but_what_was_met_before(store):
    first = DATASET.histories[0].tolist()
    buy(store, 0, [first[0], 9, 10, 11], NEXT_DAY)  # one of them was met before
    buy(store, 1, [12], NEXT_DAY)
    buy(store, 1, [13], NEXT_DAY + 1)
    gathered = collect(store)
    assert [history.tolist() for history in gathered.new.histories] == [first, [*DATASET.histories[1].tolist(), 12]]
    assert [target.tolist() for target in gathered.new.targets] == [[9, 10, 11], [13]]
    assert gathered.new.whole_baskets
    learnt = gathered.train.histories
    assert learnt[0].tolist() == first
    assert learnt[1].tolist() == [*DATASET.histories[1].tolist(), 12]
    times = [learnt.timestamps[learnt.indptr[row] : learnt.indptr[row + 1]] for row in range(2)]
    assert times[0].tolist() == _times_of(DATASET.histories, 0)
    assert times[1].tolist() == [*_times_of(DATASET.histories, 1), NEXT_DAY]
    # Replayed baskets are still baskets.
    assert all(len(np.unique(_times_of(learnt, row))) * 3 == len(learnt[row]) for row in range(2, len(learnt)))
    assert gathered.replayed == 2


def test_a_basket_that_was_asked_for_is_learnt_next_with_what_came_later_of_it(store):
    first = DATASET.histories[0].tolist()
    buy(store, 0, [first[0], 9, 10], NEXT_DAY)
    before, held_out = store.last, collect(store).held_out
    assert held_out == (1, 2, 3)  # what was met before is held out, too
    buy(store, 0, [11], NEXT_DAY)
    gathered = collect(store, before, held_out)
    assert len(gathered.new) == 0
    assert gathered.train.histories[0].tolist() == [*first, first[0], 9, 10, 11]
    assert (gathered.new_events, gathered.learnt_events) == (1, 4)


def test_what_people_come_back_for_is_learnt_in_any_order(toy_config, store, tmp_path):
    semantic = {"kind": "semantic", "levels": 2, "codes_per_level": 6, "text_weight": 0}
    head = {"node_residual": True, "one_position": True, "init": "vectors"}
    config = toy_config("training.epochs=10", "training.learning_rate=3e-3", items=semantic, head=head)
    finetune(config.model_copy(update={"split": "next-basket"}), DATASET, tmp_path / "model")
    rng = np.random.default_rng(0)
    for user in range(40):  # contrary to the data set, everyone skips a basket, and takes the next one in any order
        basket = (user + 4) % 8
        buy(store, user, rng.permutation(3) + 3 * basket, NEXT_DAY + user)
        buy(store, user, rng.permutation(3) + 3 * ((basket + 2) % 8), NEXT_DAY + 100 + user)
    learn = UpdateConfig(epochs=15, rate=1.0, min_events=20, replay=0.0, share=1.0)
    report = update(tmp_path / "model", store, tmp_path / "new", data=DATASET, config=learn)
    assert report.promoted, report.lines()
    assert report.new.questions == 40
    assert report.new.after > report.new.before + 0.2  # trained on next items it falls


def _times_of(histories: Histories, row: int) -> list[int]:
    return histories.timestamps[histories.indptr[row] : histories.indptr[row + 1]].tolist()
