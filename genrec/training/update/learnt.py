"""Which events a model has learnt, so that every other is new to it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.events.store import EventStore

UPDATE_FILE = "update.json"
"""In an updated model's folder: which events of which store it has learnt."""


@dataclass(frozen=True)
class Learnt:
    """What a model has learnt of a store.

    Parameters
    ----------
    items
        Items that the model knew, the first in the order of its codes. Later ones are new: no event about them was
        learnt.
    last
        Number of the latest event that was looked at. Default: none.
    held_out
        Numbers of events up to that one which were asked for, and therefore not learnt.

    Examples
    --------
    >>> learnt = Learnt(items=10, last=3, held_out=(2,))
    >>> learnt.lacks(np.array([1, 1, 1, 12, 1]), np.array([0, 1, 2, 3, 4])).tolist()
    [False, False, True, True, True]
    """

    items: int
    last: int = 0
    held_out: tuple[int, ...] = ()

    @classmethod
    def of_model(cls, folder: Path, events: EventStore, items: int) -> Learnt:
        """What the model of a folder has learnt of a store; of another store than its own, nothing."""
        path = folder / UPDATE_FILE
        found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if found.get("store") != events.identity:
            return cls(items)
        return cls(items, int(found["last_event"]), tuple(map(int, found.get("held_out", ()))))

    def lacks(self, items: NDArray[np.int32], numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which events, by items and numbers, are to be learnt; number 0, of the data set, is none."""
        return (numbers > self.last) | self.asked(numbers) | ((items >= self.items) & (numbers > 0))

    def asked(self, numbers: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which events were asked for before."""
        return np.isin(numbers, self.held_out)
