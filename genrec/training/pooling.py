"""Several scorers as one distribution over items: a log-linear pool, fitted on validation questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from scipy.optimize import minimize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

QUESTIONS = 2000
"""Questions the weights are fitted on, at most: there are as few weights as scorers."""


def pool_weights(scores: Sequence[NDArray[np.float32]], targets: Sequence[NDArray[np.int32]]) -> NDArray[np.float64]:
    r"""Fit the weights of a log-linear pool by maximum likelihood.

    :math:`p(i) \propto \exp \sum_s w_s z_{si}` with :math:`w_s \ge 0` [1]_: a scorer that says nothing beside the
    others gets the weight 0, and one that is no probability gets its scale. The problem is convex.

    Parameters
    ----------
    scores
        Of each of S scorers float32 (M, N), finite.
    targets
        M arrays of right items.

    Returns
    -------
    NDArray
        float64 (S,).

    References
    ----------
    .. [1] Genest, Zidek, "Combining probability distributions: a critique and an annotated bibliography",
       Statistical Science 1986.

    Examples
    --------
    >>> right, noise = np.log([[0.7, 0.2, 0.1]]), np.zeros((1, 3))
    >>> answers = [np.array([0] * 7 + [1] * 2 + [2])]
    >>> pool_weights([right, noise], answers).round(2).tolist()
    [1.0, 0.0]
    """
    stacked = torch.from_numpy(np.stack(scores)).float()  # (S, M, N)
    spread = stacked.std(dim=2).mean(dim=1).double().numpy()
    row = torch.from_numpy(np.repeat(np.arange(len(targets)), [len(items) for items in targets]))
    right = stacked[:, row, torch.from_numpy(np.concatenate(targets)).long()]  # (S, targets)

    def loss(spreads: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = torch.from_numpy(spreads / scale).float().requires_grad_()
        normaliser = torch.logsumexp(torch.einsum("s,smn->mn", weights, stacked), dim=1)
        value = (normaliser[row] - weights @ right).mean()
        value.backward()
        assert weights.grad is not None
        return value.item(), weights.grad.double().numpy() / scale

    # In units of the spread, weights are about alike in size. Without spread there is no gradient: the weight is 0.
    useful = spread > 1e-6
    scale = np.where(useful, spread, 1.0)
    bounds = [(0.0, None if use else 0.0) for use in useful]
    found = minimize(loss, np.where(useful, 0.5, 0.0), jac=True, method="L-BFGS-B", bounds=bounds)
    return np.asarray(found.x / scale, dtype=np.float64)
