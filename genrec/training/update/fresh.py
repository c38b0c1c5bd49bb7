"""Users with events that a model has not learnt: which of these it is asked for, and which it learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.training.update.config import UpdateConfig
    from genrec.training.update.histories import History
    from genrec.training.update.learnt import Learnt

FEWEST_ASKED = 50
"""Users who are asked if that is no more than half of them, however small the share."""


@dataclass(frozen=True, eq=False)
class Fresh:
    """The history of a user with new events.

    Parameters
    ----------
    history
        All that the user met.
    new
        bool (T,): what the model has not learnt.
    asked_before
        bool (T,): the part of it that an earlier update asked for.
    begin
        Where the last item, or basket, begins.
    targets
        Items to ask for, int32: what of the last ones is new, after others and for the first time. Empty: nothing is
        asked.
    """

    history: History
    new: NDArray[np.bool_]
    asked_before: NDArray[np.bool_]
    begin: int
    targets: NDArray[np.int32]

    @classmethod
    def of(cls, history: History, learnt: Learnt, *, baskets: bool) -> Fresh:
        """Find what a model has not learnt, and what it may be asked for; ``baskets`` as in ``gather``."""
        new, asked_before = learnt.lacks(history.items, history.numbers), learnt.asked(history.numbers)
        begin = max(0, len(history.items) - 1)
        if baskets and begin:
            begin = int(np.searchsorted(history.timestamps, history.timestamps[-1]))
        targets = np.unique(history.items[begin:][new[begin:]])
        targets = targets[~np.isin(targets, history.items[:begin])]
        if not begin or asked_before[begin:].any():  # what was asked for is learnt now, whatever else is not
            targets = targets[:0]
        return cls(history, new, asked_before, begin, targets)

    @property
    def held_out(self) -> list[int]:
        """Numbers of the events that are not learnt if the last item, or basket, is asked for."""
        return [int(number) for number in self.history.numbers[self.begin :][self.new[self.begin :]]]

    def taught(self, max_items: int, *, asked: bool) -> History:
        """What is trained on: from as far before the first new event as a model reads, up to what is asked for."""
        end = self.begin if asked else len(self.new)
        return self.history[max(0, min(int(self.new.argmax()), end) - max_items) : end]


def choose_asked(fresh: dict[str, Fresh], config: UpdateConfig, rng: np.random.Generator) -> list[str]:
    """Users who are asked: a share of those who can be, so that what the others met last is learnt now."""
    users = [user for user, one in fresh.items() if len(one.targets)]
    count = max(round(config.share * len(users)), min(FEWEST_ASKED, (len(users) + 1) // 2))
    return [users[at] for at in sorted(rng.permutation(len(users))[: min(count, config.questions)])]
