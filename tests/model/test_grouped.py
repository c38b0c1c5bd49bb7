"""Grouped products against plain ones, with their gradients."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from genrec.model.grouped import grouped_logits
from genrec.testing import tiny_generator


@given(st.lists(st.integers(1, 5), min_size=1, max_size=6), st.lists(st.integers(0, 5), max_size=12), st.integers(0, 9))
def test_products_and_gradients_equal_plain_ones(counts, rows, seed):
    torch.manual_seed(seed)
    begin = np.cumsum([0, *counts])
    rows = [row % len(counts) for row in rows]
    first, count = torch.tensor(begin[rows], dtype=torch.int64), torch.tensor(np.array(counts)[rows], dtype=torch.int64)
    hidden = torch.randn(len(rows), 3, dtype=torch.float64, requires_grad=True)
    vectors = torch.randn(int(begin[-1]) + 1, 3, dtype=torch.float64, requires_grad=True)
    plain = [hidden[m] @ vectors[begin[row] : begin[row + 1]].T for m, row in enumerate(rows)]
    expected = torch.cat([*plain, hidden.new_zeros(0)])
    found = grouped_logits(hidden, vectors, first, count)
    torch.testing.assert_close(found, expected)
    weights = torch.randn(len(expected), dtype=torch.float64)
    if len(rows):
        grads = torch.autograd.grad((found * weights).sum(), [hidden, vectors])
        plain_grads = torch.autograd.grad((expected * weights).sum(), [hidden, vectors])
        torch.testing.assert_close(grads, plain_grads)


def test_training_and_decoding_score_children_alike():
    codes = np.array([[0, 2, 5], [0, 3, 5], [0, 3, 6], [1, 2, 6], [1, 4, 5]], dtype=np.int32)
    head = tiny_generator(codes=codes, node_residual=True).head
    torch.nn.init.normal_(head.node_vectors)
    nodes = torch.tensor([2, 1, 4, 1, 3])
    hidden = torch.randn(5, head.width)
    training = head.child_logprobs(hidden, nodes)
    with torch.no_grad():
        decoding = head.child_logprobs(hidden, nodes)
    assert training.node.tolist() == decoding.node.tolist()
    torch.testing.assert_close(training.logprob, decoding.logprob)
