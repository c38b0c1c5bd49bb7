"""Which windows of histories an epoch trains on, and what each of their items counts for."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from genrec.training.augment import augment
from genrec.training.imbalance import history_weights, inverse_propensity, keep_probability, tail_items

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.histories import Histories
    from genrec.training.config import ExamplesConfig


@dataclass(frozen=True)
class Window:
    """A run of a history.

    Parameters
    ----------
    start, end
        Interactions ``start .. end - 1`` of all histories laid end to end.
    only_tail
        Whether tail items alone are targets.
    """

    start: int
    end: int
    only_tail: bool = False


class HistorySampler:
    """Draws windows of histories, by default each history once an epoch.

    Parameters
    ----------
    histories
        Of the training part of a split.
    num_items
        Items of the catalog (N).
    max_items
        Longest window, in items.
    config
        What is sampled more often, passed over, weighed or changed. Default: nothing.
    """

    def __init__(
        self, histories: Histories, num_items: int, max_items: int, config: ExamplesConfig | None = None
    ) -> None:
        self._histories = histories
        self._max_items = max_items
        self._config = config
        self._users = np.flatnonzero(histories.lengths > 0)
        self._chance: NDArray[np.float64] | None = None
        self._keep: NDArray[np.float64] | None = None
        self._is_tail: NDArray[np.bool_] | None = None
        self._weights: NDArray[np.float32] | None = None
        if config is None:
            return
        counts = histories.item_counts(num_items)
        if config.history_exponent:
            weights = history_weights(histories, counts, config.history_exponent)[self._users]
            self._chance = weights / weights.sum()
        if config.target_threshold is not None:
            self._keep = keep_probability(counts, config.target_threshold)
        if config.tail_copies:
            self._is_tail = tail_items(counts, config.tail_share)
        if config.propensity_exponent:
            self._weights = inverse_propensity(counts, config.propensity_exponent, config.propensity_clip)

    @property
    def windows_per_epoch(self) -> int:
        """Windows of an epoch, on average, before they are sampled."""
        once = expected_windows(self._histories.lengths, self._max_items)
        if self._is_tail is None or self._config is None:
            return round(once)
        # A tail item makes its window come again; windows with several come no more often for that.
        with_tail = sum(self._is_tail[self._histories.items[w.start : w.end]].any() for w in self._all(self._users, 1))
        return round(once + with_tail * self._config.tail_copies)

    def draw(self, rng: np.random.Generator) -> list[Window]:
        """Windows of an epoch."""
        users = self._users
        if self._chance is not None:
            users = rng.choice(users, size=len(users), p=self._chance)
        drawn = self._all(users, rng)
        if self._is_tail is not None and self._config is not None:
            tails = [w for w in drawn if self._is_tail[self._histories.items[w.start : w.end]].any()]
            drawn += [Window(w.start, w.end, only_tail=True) for w in tails] * self._config.tail_copies
        return drawn

    def targets(
        self, window: Window, rng: np.random.Generator, drawn: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float32] | None]:
        """Interactions of a window in the order they are trained in, and what each counts for.

        Parameters
        ----------
        window
            Of those that :meth:`draw` gave.
        rng
            Changes and passes over items.
        drawn
            int64 (R,): which interaction is predicted in the place of each, -1 for none. Default: itself.

        Returns
        -------
        interactions
            int64 (n,): numbers of interactions, of all histories laid end to end.
        weights
            float32 (n,), 0 for what is only read; None: all count 1.
        """
        length = window.end - window.start
        interactions = np.arange(window.start, window.end)
        config = self._config
        if config is None:
            return interactions, None
        shares = {"crop": config.crop, "mask": config.mask, "reorder": config.reorder}
        interactions = interactions[augment(length, config.augment, config.augment_chance, shares, rng)]
        target = interactions if drawn is None else drawn[interactions]
        items = self._histories.items[target]
        if self._weights is None and self._keep is None and not window.only_tail and target.min() >= 0:
            return interactions, None
        weights = np.ones(len(items), dtype=np.float32) if self._weights is None else self._weights[items]
        if self._keep is not None:
            weights = weights * (rng.random(len(items)) < self._keep[items])
        if window.only_tail and self._is_tail is not None:
            weights = weights * self._is_tail[items]
        weights = weights * (target >= 0)
        return interactions, weights.astype(np.float32)

    def _all(self, users: NDArray[np.int64], offsets: np.random.Generator | int) -> list[Window]:
        """Windows of the histories of some users."""
        found: list[Window] = []
        for user in users:
            length, first = int(self._histories.lengths[user]), int(self._histories.indptr[user])
            offset = offsets if isinstance(offsets, int) else int(offsets.integers(1, self._max_items + 1))
            found += [Window(first + start, first + end) for start, end in windows(length, self._max_items, offset)]
        return found


def windows(length: int, size: int, offset: int) -> list[tuple[int, int]]:
    """Cut ``length`` positions into windows of at most ``size``, the first of which ends at ``offset``.

    Parameters
    ----------
    length
        Length of a history.
    size
        Longest window.
    offset
        1 .. size; a random one makes the cuts fall elsewhere in every epoch.

    Returns
    -------
    list of (start, end)
        They cover every position once. A window of a single item trains too: the first item of a sequence is
        a target like the others.

    Examples
    --------
    >>> windows(7, 3, 2)
    [(0, 2), (2, 5), (5, 7)]
    """
    if length <= size:
        return [(0, length)]
    cuts = [0, *range(offset, length, size), length]
    return list(pairwise(cuts))


def expected_windows(lengths: NDArray[np.int64], size: int) -> float:
    """Windows of histories of these lengths, (U,), on average over ``offset`` from 1 to ``size``.

    Examples
    --------
    >>> float(expected_windows(np.array([7]), size=3)), float(np.mean([len(windows(7, 3, o)) for o in (1, 2, 3)]))
    (3.0, 3.0)
    """
    # The mean over o of ceil((length - o) / size) is (length - 1) / size.
    many = 1 + (lengths - 1) / size
    return float(np.where(lengths > size, many, lengths > 0).sum())
