"""The facts of a small data set, counted by hand."""

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import leave_last_out
from genrec.evaluation.beyond_accuracy import gini
from genrec.evaluation.data_card import data_card, popularity_curve, top_share

DAY = 86_400


@pytest.fixture(scope="module")
def dataset():
    # u: a, b, a, c with a tie; v: a, b; w: nothing. Item d is met by nobody.
    rows = [("u", "a", 0), ("u", "b", DAY), ("u", "a", DAY), ("u", "c", 3 * DAY), ("v", "a", DAY), ("v", "b", 2 * DAY)]
    users, items, times = zip(*rows, strict=True)
    return Dataset(
        "tiny",
        Interactions.from_columns(users, items, timestamp=times),
        Catalog(pa.table({"item_id": list("abcd"), "title": list("ABCD")})),
        IdMap(["u", "v", "w"]),
    )


def test_by_hand(dataset):
    card = data_card(dataset, leave_last_out(dataset))
    assert (card.users, card.items, card.interactions, card.density) == (3, 4, 6, 6 / 12)
    assert (card.repeats, card.repeats_share) == (1, 1 / 6)
    assert (card.ties_in_time, card.ties_share) == (1, 1 / 6)
    assert (card.history_length["0"], card.history_length["50"], card.history_length["100"]) == (0, 2, 4)
    assert card.top_items_share["20"] == 3 / 6  # one item of 4: a
    assert (card.first, card.last, card.span_days) == (0, 3 * DAY, 3.0)
    assert (card.items_never_met, card.items_met_5_times_or_less, card.users_with_3_or_less) == (1, 4, 2)
    assert card.training_interactions == 4
    # u is asked: first for a, which it has met before and training has; then for c, which training has not.
    assert card.questions["validation"] == {
        "questions": 1,
        "targets": 1,
        "cold_targets": 0,
        "seen_targets": 1,
        "cold_users": 1,
    }
    assert card.questions["test"] == {
        "questions": 1,
        "targets": 1,
        "cold_targets": 1,
        "seen_targets": 0,
        "cold_users": 1,
    }


def test_agrees_with_what_the_data_set_says_of_itself(dataset):
    card, described = data_card(dataset), dataset.describe()
    for name in ("users", "items", "interactions", "density", "items_never_met", "ties_in_time", "repeats", "first"):
        assert getattr(card, name) == described[name]
    assert (card.training_interactions, card.questions) == (None, {})


def test_is_ready_for_json(dataset):
    assert json.loads(json.dumps(data_card(dataset).as_dict(), allow_nan=False))["name"] == "tiny"


def test_order_is_no_time(dataset):
    from dataclasses import replace

    card = data_card(replace(dataset, time="order"))
    assert (card.first, card.last, card.span_days) == (None, None, None)


counts = st.lists(st.integers(0, 30), min_size=1, max_size=50).map(np.array).filter(np.any)


@given(counts)
def test_the_curve_and_the_gini_are_of_one_kind(counts):
    curve = np.array(popularity_curve(counts, points=len(counts) + 1))
    assert curve[0].tolist() == [0, 0]
    assert curve[-1] == pytest.approx([1, 1])
    assert (np.diff(curve[:, 1]) >= -1e-12).all()
    # Twice the area between the curve and the diagonal.
    assert 2 * np.trapezoid(curve[:, 1], curve[:, 0]) - 1 == pytest.approx(gini(counts))


@given(counts, st.sampled_from([0.01, 0.1, 0.2]))
def test_the_share_of_the_top(counts, share):
    top = sorted(counts.tolist(), reverse=True)[: max(1, round(share * len(counts)))]
    assert top_share(counts, share) == pytest.approx(sum(top) / counts.sum())
