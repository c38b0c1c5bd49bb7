"""Diversity and boosts: at most so many items of a category, and filters that prefer instead of exclude."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from genrec.decoding.decoded import Decoded
from genrec.decoding.weights import ItemWeights
from genrec.errors import ConfigError
from genrec.recommend.filters import filter_mask

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from genrec.data.catalog import Catalog

LARGEST_SHARE = 8
"""A boost of no more than one item in this many is kept as a list of items."""


class CategoryCap:
    """At most some items of a category among the k recommended.

    Going down the ranking, an item is taken if none of its categories is full. An item of several categories
    counts in each of them, one without categories is always taken. This is the best-first choice, not
    the set with the largest sum of scores, which a user could not retrace.

    Parameters
    ----------
    categories
        Categories of each item (N).
    at_most
        Items of one category to take, 1 or more.

    Raises
    ------
    ConfigError
        If ``at_most`` is below 1.

    Examples
    --------
    >>> cap = CategoryCap([["drama"], ["drama", "war"], ["war"], []], at_most=1)
    >>> cap.choose(np.array([1, 0, 2, 3]), k=2).tolist()
    [0, 3]
    """

    def __init__(self, categories: Sequence[Sequence[str]], at_most: int) -> None:
        if at_most < 1:
            raise ConfigError(f"a cap must be at least 1 item a category, got {at_most}")
        self.categories = categories
        self.at_most = at_most

    def choose(self, items: NDArray[np.integer], k: int) -> NDArray[np.int64]:
        """Places of at most k items of a ranking, best first; negative items are padding."""
        taken, places = Counter[str](), list[int]()
        for place, item in enumerate(items.tolist()):
            if len(places) == k or item < 0:
                break
            categories = set(self.categories[item])
            if all(taken[category] < self.at_most for category in categories):
                taken.update(categories)
                places.append(place)
        return np.array(places, dtype=np.int64)

    def search(
        self,
        decode: Callable[[int, NDArray[np.int64]], Decoded],
        k: int,
        *,
        num_users: int,
        num_items: int,
        first: int = 50,
    ) -> Decoded:
        """Decode more than k items, choose among them, and decode still more where the choice comes out short.

        Parameters
        ----------
        decode
            Returns the given number of best items of some users, as ``beam_search`` does for its ``k``; users are
            rows ``0 .. num_users - 1``. Its beams must be at least as many.
        k
            Items to return a user.
        num_users
            Number of users (B).
        num_items
            Number of items (N), beyond which there is nothing to decode.
        first
            Items to decode at first; doubled for users who have neither k items nor all there are. Default 50.

        Returns
        -------
        Decoded
            At most k items a user. With an exact ``decode`` they are those of the whole ranking; otherwise of
            what it finds.

        Examples
        --------
        >>> def decode(count, users):
        ...     logprobs = -np.arange(count, dtype=np.float32)[None]
        ...     return Decoded(np.arange(count, dtype=np.int32)[None], logprobs, logprobs)
        >>> cap = CategoryCap([["a"], ["a"], ["a"], ["b"]], at_most=1)
        >>> cap.search(decode, k=2, num_users=1, num_items=4, first=2).items
        array([[0, 3]], dtype=int32)
        """
        answer = Decoded(
            np.full((num_users, k), -1, dtype=np.int32),
            np.full((num_users, k), -np.inf, dtype=np.float32),
            np.full((num_users, k), -np.inf, dtype=np.float32),
        )
        count, users = min(max(k, first), num_items), np.arange(num_users)
        while len(users):
            decoded = decode(count, users)
            chosen = [self.choose(row, k) for row in decoded.items]
            for user, places, *row in zip(users, chosen, decoded.items, decoded.scores, decoded.logprobs, strict=True):
                for ours, theirs in zip((answer.items, answer.scores, answer.logprobs), row, strict=True):
                    ours[user, : len(places)] = theirs[places]
            # A row that ends in padding has told all it has.
            short = np.array([len(places) < k for places in chosen]) & (decoded.items[:, -1] >= 0)
            users = users[short] if count < num_items else users[:0]
            count = min(2 * count, num_items)
        return answer


def boost_weights(catalog: Catalog, boosts: Mapping[str, float]) -> ItemWeights:
    """Log-weights of the items that pass filters: ``{"genre=Comedy": 0.5}`` makes comedies 1.65 times as likely.

    Parameters
    ----------
    catalog
        The catalog, in the model's order of items.
    boosts
        Log-weight of each filter expression; negative ones demote, and those of several that an item passes add up.

    Returns
    -------
    ItemWeights
        (1, N), to be added to the other weights of a request.

    Raises
    ------
    FilterError
        If an expression does not parse.
    ConfigError
        If a weight is not finite.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> boost_weights(toy_dataset().catalog, {"year>=1990": 0.5}).shape[0]
    1
    """
    for expression, weight in boosts.items():
        if not np.isfinite(weight):
            raise ConfigError(
                f"the boost of {expression!r} is {weight}, not a finite number", hint="to exclude items, use a filter"
            )
    total = np.zeros(len(catalog), dtype=np.float32)
    for expression, weight in boosts.items():
        total[filter_mask(catalog, [expression])] += weight
    touched = np.flatnonzero(total)
    if len(touched) * LARGEST_SHARE <= len(total):
        return ItemWeights.from_sparse([touched], [total[touched]], len(total))
    return ItemWeights.from_priors(total)
