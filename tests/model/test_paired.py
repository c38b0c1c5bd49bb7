import numpy as np
import pytest
import torch

from genrec.model.paired import AT_ONCE, paired_products


@pytest.mark.parametrize("pairs", [0, 1, 7, 2 * AT_ONCE // 64, 2 * AT_ONCE // 64 + 3])
def test_pairs_in_parts_equal_pairs_at_once(pairs):
    torch.manual_seed(0)
    left, right = torch.randn(30, 64), torch.randn(500, 64)
    row, column = torch.randint(0, 30, (pairs,)), torch.randint(0, 500, (pairs,))
    with torch.inference_mode():
        ours = paired_products(left, right, row, column)
    wanted = np.einsum("ed,ed->e", left.numpy()[row.numpy()], right.numpy()[column.numpy()])
    np.testing.assert_allclose(ours, wanted, atol=1e-4)
    assert torch.equal(ours, paired_products(left, right, row, column))


def test_it_can_be_trained_through():
    left = torch.randn(3, 64, requires_grad=True)
    index = torch.zeros(AT_ONCE // 32, dtype=torch.int64)
    paired_products(left, torch.ones(2, 64), index, index).sum().backward()
    assert left.grad[0].unique().tolist() == [AT_ONCE // 32]
