"""Metrics by hand, and against ir-measures."""

import ir_measures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG

from genrec.evaluation.metrics import average_precision, f1, hit_rate, hits, mrr, ndcg, precision, recall

RANKED = np.array([[4, 2, 7, 0], [1, 3, -1, -1], [5, 6, 8, 9]], dtype=np.int32)
TARGETS = [np.array([2, 0, 11]), np.array([3]), np.array([1])]


@pytest.mark.parametrize(
    ("metric", "k", "wanted"),
    [
        (recall, 4, [2 / 3, 1, 0]),
        (recall, 2, [1 / 3, 1, 0]),
        (precision, 4, [2 / 4, 1 / 4, 0]),
        (precision, 2, [1 / 2, 1 / 2, 0]),
        (f1, 4, [2 * 2 / (4 + 3), 2 * 1 / (4 + 1), 0]),
        (f1, 2, [2 * 1 / (2 + 3), 2 * 1 / (2 + 1), 0]),
        (average_precision, 4, [(1 / 2 + 2 / 4) / 3, (1 / 2) / 1, 0]),
        (average_precision, 2, [(1 / 2) / 3, (1 / 2) / 1, 0]),
        (hit_rate, 4, [1, 1, 0]),
        (hit_rate, 1, [0, 0, 0]),
        (mrr, 4, [1 / 2, 1 / 2, 0]),
        (mrr, 1, [0, 0, 0]),
        (
            ndcg,
            4,
            [
                (1 / np.log2(3) + 1 / np.log2(5)) / (1 / np.log2(2) + 1 / np.log2(3) + 1 / np.log2(4)),
                1 / np.log2(3),
                0,
            ],
        ),
        (ndcg, 2, [(1 / np.log2(3)) / (1 / np.log2(2) + 1 / np.log2(3)), 1 / np.log2(3), 0]),
    ],
)
def test_by_hand(metric, k, wanted):
    np.testing.assert_allclose(metric(RANKED, TARGETS, k), wanted)


def test_padding_is_never_a_hit_whatever_the_neighbours_want():
    ranked = np.array([[-1, -1], [-1, 0]], dtype=np.int32)
    assert hits(ranked, [np.array([3]), np.array([0])]).tolist() == [[False, False], [False, True]]


def test_a_neighbours_target_is_no_hit():
    ranked = np.array([[1, 2], [3, 4]], dtype=np.int32)
    assert not hits(ranked, [np.array([3, 4]), np.array([1, 2])]).any()


@st.composite
def questions(draw):
    num_items, k = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    users = draw(st.integers(1, 5))
    rankings = [draw(st.permutations(range(num_items)))[: draw(st.integers(0, num_items))] for _ in range(users)]
    ranked = np.full((users, max(k, num_items)), -1, dtype=np.int32)
    for row, ranking in zip(ranked, rankings, strict=True):
        row[: len(ranking)] = ranking
    targets = [
        np.array(draw(st.lists(st.integers(0, num_items - 1), min_size=1, unique=True)), dtype=np.int32)
        for _ in range(users)
    ]
    return ranked, targets, k


@given(questions())
def test_equal_to_ir_measures(question):
    ranked, targets, k = question
    run = [
        ir_measures.ScoredDoc(str(user), str(item), -float(rank))
        for user, row in enumerate(ranked)
        for rank, item in enumerate(row)
        if item >= 0
    ]
    qrels = [ir_measures.Qrel(str(user), str(item), 1) for user, items in enumerate(targets) for item in items]
    pairs = {
        R @ k: recall,
        P @ k: precision,
        Success @ k: hit_rate,
        nDCG @ k: ndcg,
        RR @ k: mrr,
        AP @ k: average_precision,
    }
    found = {
        (value.measure, int(value.query_id)): value.value for value in ir_measures.iter_calc(list(pairs), qrels, run)
    }
    for measure, metric in pairs.items():
        # A user without any ranked item is missing from what ir-measures gives, and counts 0.
        wanted = [found.get((measure, user), 0.0) for user in range(len(targets))]
        np.testing.assert_allclose(metric(ranked, targets, k), wanted, rtol=0, atol=1e-9, err_msg=str(measure))


@given(questions())
def test_with_one_target_recall_is_hit_rate(question):
    ranked, targets, k = question
    single = [items[:1] for items in targets]
    np.testing.assert_array_equal(recall(ranked, single, k), hit_rate(ranked, single, k))
    np.testing.assert_allclose(average_precision(ranked, single, k), mrr(ranked, single, k), rtol=0, atol=1e-15)
