"""Groups of users and items, and the metrics of each."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.baselines import ItemKNN
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError, DataError
from genrec.evaluation import evaluate
from genrec.evaluation.beyond_accuracy import user_counts
from genrec.evaluation.fairness import fairness_gap
from genrec.evaluation.metrics import ndcg, recall
from genrec.evaluation.slices import (
    Groups,
    attribute_columns,
    attribute_groups,
    history_length_groups,
    item_popularity_groups,
    slice_by_target,
    slice_by_user,
)
from genrec.testing import toy_dataset


def with_users(**columns):
    dataset = toy_dataset(users=len(next(iter(columns.values()))))
    return replace(dataset, user_attributes=pa.table({"user_id": dataset.users.array, **columns}))


@given(st.lists(st.integers(0, 9), min_size=1, max_size=40), st.sampled_from([0.1, 0.2, 0.4]))
def test_head_and_tail_by_definition(items, share):
    base = toy_dataset(users=40, items=10)
    # The user of each row is another one, so every row is a pair.
    rows = np.array([np.flatnonzero(base.item_indices == item)[0] for item in items])
    table = base.interactions.table.take(rows)
    table = table.set_column(0, "user_id", pa.array([f"u{row}" for row in range(len(rows))], pa.string()))
    train = base.with_interactions(table)
    groups, counts = item_popularity_groups(train, share), user_counts(train)
    total, before = len(items), 0
    for item in sorted(range(10), key=lambda item: (-counts[item], item)):
        if counts[item] == 0:
            wanted = "cold"
        elif before < round(share * total):
            wanted = "head"
        elif before + counts[item] > round((1 - share) * total):
            wanted = "tail"
        else:
            wanted = "mid"
        assert groups.names[groups.labels[item]] == wanted
        before += counts[item]


def test_history_lengths_at_the_edges():
    groups = history_length_groups([np.arange(n) for n in (0, 3, 4, 10, 11, 30, 31, 100, 101)])
    assert [groups.names[label] for label in groups.labels] == [
        "0-3",
        "0-3",
        "4-10",
        "4-10",
        "11-30",
        "11-30",
        "31-100",
        "31-100",
        "over 100",
    ]


def test_words_make_a_group_each_and_rare_ones_go_together(monkeypatch):
    monkeypatch.setattr("genrec.evaluation.slices.MOST_VALUES", 2)
    dataset = with_users(job=["cook", "clerk", "cook", "smith", None, "clerk"])
    groups = attribute_groups(dataset, np.arange(6), "job")
    assert groups.names == ("clerk", "cook", "(rare values)")
    assert [groups.names[label] for label in groups.labels] == [
        "cook",
        "clerk",
        "cook",
        "(rare values)",
        "(rare values)",
        "clerk",
    ]
    assert attribute_groups(dataset, np.array([5, 1]), "job").names == ("clerk",)


def test_few_values_and_a_missing_one():
    groups = attribute_groups(with_users(sex=["F", "M", None, "F"]), np.arange(4), "sex")
    assert groups.names == ("F", "M", "unknown")
    assert groups.labels.tolist() == [0, 1, 2, 0]


def test_numbers_in_bins_of_equal_size():
    groups = attribute_groups(with_users(age=[20, 80, 30, 25, None, 50, 60, 40, 35]), np.arange(9), "age", bins=4)
    assert groups.names == ("20-25", "30-35", "40-50", "60-80", "unknown")
    assert groups.labels.tolist() == [0, 3, 1, 0, 4, 2, 3, 2, 1]


def test_a_number_that_most_have_leaves_no_bin_empty():
    groups = attribute_groups(with_users(age=[18, 18, 18, 18, 18, 19, 20, 20]), np.arange(8), "age", bins=2)
    assert np.bincount(groups.labels, minlength=len(groups.names)).min() > 0
    assert groups.names == ("18-18", "19-20")


def test_numbers_of_few_values_stay_as_they_are():
    assert attribute_groups(with_users(children=[2, 0, 1, 0]), np.arange(4), "children").names == ("0", "1", "2")


def test_columns_that_make_groups():
    zips = [f"{row:05d}" for row in range(6)]
    dataset = with_users(age=[1, 2, 3, 4, 5, 6], sex=list("FFMMMM"), zip=zips, member=[True, False] * 3)
    assert attribute_columns(dataset) == ["age", "sex", "member"]
    assert attribute_columns(replace(dataset, user_attributes=None)) == []
    for column in ("height", "user_id"):
        with pytest.raises(DataError, match="no attribute"):
            attribute_groups(dataset, np.arange(6), column)


@pytest.fixture(scope="module")
def measured():
    split = leave_last_out(toy_dataset())
    return split, evaluate(ItemKNN().fit(split.train), split.test)


def test_slices_of_users_add_up_to_the_whole(measured):
    split, evaluation = measured
    values = evaluation.per_user["ndcg@10"]
    groups = attribute_groups(split.train, split.test.users, "age")
    slices = slice_by_user(values, groups, "ndcg@10")
    assert sum(s.questions for s in slices) == len(values)
    assert sum(s.share * s.interval.mean for s in slices) == pytest.approx(evaluation.metrics["ndcg@10"])
    assert all(s.interval.low <= s.interval.mean <= s.interval.high for s in slices)


def test_with_one_target_a_slice_of_items_is_a_slice_of_questions(measured):
    split, evaluation = measured
    groups = item_popularity_groups(split.train)
    of_questions = Groups(groups.by, groups.names, groups.labels[np.concatenate(split.test.targets)])
    found = slice_by_target(evaluation.items, split.test.targets, groups, ndcg)
    assert found == slice_by_user(evaluation.per_user["ndcg@10"], of_questions, "ndcg@10")
    assert next(s for s in found if s.group == "cold").interval is None


def test_of_many_targets_those_of_the_group_count():
    items = np.array([[0, 3, 1], [3, 2, 0]])
    groups = Groups("item popularity", ("head", "tail"), np.array([0, 0, 1, 1]))
    head, tail = slice_by_target(items, [np.array([1, 2, 3]), np.array([2])], groups, recall, k=2)
    assert (head.questions, head.interval.mean) == (1, 0.0)  # 1 stands third
    assert (tail.questions, tail.interval.mean) == (2, (1 / 2 + 1) / 2)


def test_the_gap_by_hand():
    values = np.concatenate([np.full(30, 0.5), np.full(40, 0.2), np.full(30, 0.3), np.full(2, 9.0)])
    groups = Groups("job", ("a", "b", "c", "few"), np.repeat([0, 1, 2, 3], [30, 40, 30, 2]))
    gap = fairness_gap(values, groups, "ndcg@10")
    assert (gap.best, gap.worst, gap.left_out) == ("a", "b", ("few",))
    assert gap.difference == pytest.approx(0.3)
    assert (gap.low, gap.high) == pytest.approx((0.3, 0.3))
    assert gap.p_value < 0.01


def test_groups_that_are_alike_have_a_gap_by_chance_only():
    rng, trials = np.random.default_rng(0), 200
    groups = Groups("job", tuple("abcde"), rng.integers(0, 5, size=300))
    found = [
        fairness_gap(rng.random(300), groups, "m", rounds=199, seed=trial).p_value < 0.1 for trial in range(trials)
    ]
    assert np.mean(found) == pytest.approx(0.1, abs=3.3 * np.sqrt(0.09 / trials))


def test_one_group_has_no_gap():
    groups = Groups("job", ("a", "few"), np.repeat([0, 1], [30, 5]))
    assert fairness_gap(np.ones(35), groups, "m") is None
    with pytest.raises(ConfigError, match="groups of 35 questions for 34 values"):
        fairness_gap(np.ones(34), groups, "m")
