"""The history of one user, of the data set and of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class History:
    """What one user met, oldest first.

    Parameters
    ----------
    items
        Items of the model, int32 (T,).
    timestamps
        int64 (T,).
    numbers
        int64 (T,): number of the event that an item comes from, 0 for the data set.
    """

    items: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def __getitem__(self, span: slice | NDArray[np.bool_]) -> History:
        """Some of it."""
        return History(self.items[span], self.timestamps[span], self.numbers[span])
