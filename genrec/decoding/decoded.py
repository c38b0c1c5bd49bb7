"""The k best items of each user, as every decoder returns them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.decoding.weights import ItemWeights

LOWEST = np.finfo(np.float32).min
"""Score of an eligible item that is as improbable as can be: still above -inf, which means excluded."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """Ranked items of B users, best first.

    Parameters
    ----------
    items
        int32 (B, k) item indices, -1 where fewer than k items were eligible.
    scores
        float32 (B, k): log-probability plus weighted prior, the order of the ranking; -inf at padding.
    logprobs
        float32 (B, k): the generator's log-probability alone; -inf at padding.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    logprobs: NDArray[np.float32]


def rank_items(
    user: NDArray[np.integer],
    item: NDArray[np.integer],
    logprob: NDArray[np.float32],
    *,
    num_users: int,
    k: int,
    weights: ItemWeights | None = None,
    alpha: float = 1.0,
) -> Decoded:
    """Rank scored (user, item) pairs within each user.

    Parameters
    ----------
    user, item, logprob
        (E,): the pairs, in any order, and the generator's log-probability of each.
    num_users
        Number of users (B).
    k
        Items to return a user.
    weights
        Item log-weights; excluded items are dropped. Default none.
    alpha
        Factor of the weights. Default 1.

    Returns
    -------
    Decoded
        Equal scores are ordered by item index.

    Examples
    --------
    >>> pairs = np.array([0, 0, 1]), np.array([4, 2, 7]), np.array([-1.0, -1.0, -0.5], dtype=np.float32)
    >>> rank_items(*pairs, num_users=2, k=2).items
    array([[ 2,  4],
           [ 7, -1]], dtype=int32)
    """
    score = logprob
    if weights is not None:
        weight = weights.of(user, item)
        eligible = weight > -np.inf
        user, item, logprob = user[eligible], item[eligible], logprob[eligible]
        score = logprob + np.float32(alpha) * weight[eligible]
    score = np.maximum(score, LOWEST)
    order = np.lexsort((item, -score, user))
    user, item, logprob, score = user[order], item[order], logprob[order], score[order]
    rank = np.arange(len(user)) - np.searchsorted(user, user)
    best = rank < k
    place = user[best], rank[best]
    decoded = Decoded(
        np.full((num_users, k), -1, dtype=np.int32),
        np.full((num_users, k), -np.inf, dtype=np.float32),
        np.full((num_users, k), -np.inf, dtype=np.float32),
    )
    decoded.items[place], decoded.scores[place], decoded.logprobs[place] = item[best], score[best], logprob[best]
    return decoded


def check_request(num_users: int, num_items: int, k: int, weights: ItemWeights | None) -> None:
    """Refuse a request that no decoder can serve.

    Raises
    ------
    ConfigError
        If k is below 1, or the weights are for other numbers of users or items.
    """
    if k < 1:
        raise ConfigError(f"k must be at least 1, got {k}")
    if weights is not None and weights.shape not in {(num_users, num_items), (1, num_items)}:
        raise ConfigError(f"item weights {weights.shape} do not fit {num_users} users and {num_items} items")
