"""What positions are trained to predict: against the definition, and what models make of it."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.baselines.position_targets import PositionTargets, targets_for
from genrec.baselines.sequential.sasrec import SASRec
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import global_temporal, leave_last_out, next_basket
from genrec.errors import UnsupportedError
from genrec.evaluation.sample import questions_at
from genrec.testing import toy_basket_dataset, toy_dataset

rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=30)


def build(rows, time="seconds"):
    users, items, times = zip(*rows, strict=True)
    interactions = Interactions.from_columns([f"u{u}" for u in users], [f"i{i}" for i in items], list(times))
    ids = [f"i{i}" for i in range(6)]
    return Dataset(
        "d",
        interactions,
        Catalog(pa.table({"item_id": ids, "title": ids})),
        IdMap([f"u{u}" for u in range(4)]),
        time=time,
    )


def allowed(histories):
    """Of every position, the interactions of the basket that comes next, by the definition."""
    found = []
    for user in range(len(histories)):
        mine = list(range(histories.indptr[user], histories.indptr[user + 1]))
        times = {row: histories.timestamps[row] for row in mine}
        for row in mine:
            read = [times[other] for other in mine if other < row]
            later = sorted({time for time in times.values() if not read or time > read[-1]})
            found.append({other for other in mine if later and times[other] == later[0]})
    return found


@settings(max_examples=60)
@given(rows)
def test_a_target_lies_in_the_next_basket_and_any_of_it_may_come(rows):
    dataset = build(rows)
    targets, rng = PositionTargets(dataset, next_basket=True), np.random.default_rng(0)
    drawn = np.stack([targets.draw(rng) for _ in range(200)])
    for column, may in enumerate(allowed(dataset.histories)):
        assert set(drawn[:, column].tolist()) == (may or {-1})


def test_older_ones_are_drawn_less_often_by_their_half_life():
    dataset = build([(0, item, day) for day, item in enumerate([0, 1, 2, 3, 4])])  # a span of four days
    targets, rng = PositionTargets(dataset, half_life=0.25), np.random.default_rng(0)
    share = np.mean([targets.draw(rng) >= 0 for _ in range(4000)], axis=0)
    np.testing.assert_allclose(share, [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1], atol=0.03)


def test_next_items_take_no_random_numbers():
    """So that a model trained with a seed stays what it was."""
    rng = np.random.default_rng(3)
    assert PositionTargets(toy_dataset()).draw(rng).tolist() == list(range(len(toy_dataset().interactions)))
    assert rng.random() == np.random.default_rng(3).random()


def test_without_timestamps_there_are_no_baskets():
    dataset = build([(0, 1, 0), (0, 2, 1)], time="order")
    with pytest.raises(UnsupportedError, match="no timestamps"):
        PositionTargets(dataset, next_basket=True)
    with pytest.raises(UnsupportedError, match="no timestamps"):
        PositionTargets(dataset, half_life=0.1)


def test_auto_is_what_is_going_to_be_asked():
    dataset = toy_basket_dataset(users=8, length=20)  # the last day of twenty is a twentieth of the time
    drawn = {
        (kind, half_life, *asked): targets_for(
            dataset, kind, half_life, whole_baskets=asked[0], in_future=asked[1]
        ).draw(np.random.default_rng(0))
        for kind in ("auto", "next-item", "next-basket")
        for half_life in (None, 1e9)
        for asked in ((False, False), (False, True), (True, True))
    }
    own = np.arange(len(dataset.interactions))

    def is_own(*key):
        return bool(((drawn[key] == own) | (drawn[key] == -1)).all())

    assert all(is_own("next-item", *key[1:]) for key in drawn)
    assert not any(is_own("next-basket", *key[1:]) for key in drawn)
    assert is_own("auto", None, False, True)
    assert not is_own("auto", None, True, True)
    assert (drawn["auto", None, False, False] == own).all()
    assert (drawn["auto", None, False, True] >= 0).mean() < 0.3  # of ten half-lives
    assert (drawn["auto", 1e9, False, True] >= 0).all()


def test_questions_say_what_they_ask_even_if_they_are_a_sample():
    def said(questions):
        some = questions_at(questions, np.arange(2))
        return some.whole_baskets, some.in_future

    assert said(next_basket(toy_basket_dataset()).validation) == (True, True)
    assert said(global_temporal(toy_dataset()).test) == (False, True)
    assert said(leave_last_out(toy_dataset()).validation) == (False, False)


def test_sasrec_that_has_begun_a_basket_names_the_rest_of_it_or_the_next_one():
    dataset = toy_basket_dataset()
    small = {"width": 32, "dropout": 0.0, "label_smoothing": 0.0, "epochs": 40, "batch_positions": 128}
    read = [np.array([3], dtype=np.int32), np.array([4, 3, 5], dtype=np.int32)]  # one, and all of the second basket
    said = {}
    for kind in ("next-item", "next-basket"):
        scorer = SASRec(**small, targets=kind, half_life=100.0).fit(dataset)
        said[kind] = [set(row.tolist()) for row in scorer.recommend(read, 3, exclude=read).items]
    assert said["next-basket"] == [{6, 7, 8}, {6, 7, 8}]
    assert {4, 5} < said["next-item"][0]
    assert said["next-item"][1] == {6, 7, 8}


def test_sasrec_does_what_its_validation_asks_for():
    split = next_basket(toy_basket_dataset())
    small = {"width": 8, "epochs": 2, "seed": 1}
    told = SASRec(**small, targets="next-basket", half_life=0.1)
    asked, other = SASRec(**small), SASRec(**small, targets="next-item")
    for scorer in (told, asked, other):
        scorer.use_validation(split.validation)
        scorer.fit(split.train)
    scores = [scorer.score(split.test.histories) for scorer in (told, asked, other)]
    np.testing.assert_array_equal(scores[0], scores[1])
    assert not np.allclose(scores[0], scores[2])
