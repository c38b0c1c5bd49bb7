"""Bots and accidental clicks: kept and flagged, not learnt from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveInt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.events.event import Event

RATE = "rate"
DWELL = "dwell"
MINUTE = 60
DAY = 86_400


class NoiseSettings(BaseModel):
    """What counts as noise. Changed settings apply to old events too: flags are worked out when events are read.

    Examples
    --------
    >>> NoiseSettings(min_dwell_ms=0).max_per_minute
    60
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_per_minute: PositiveInt = 60
    """A user with more interactions and feedback within any 60 seconds is a machine: all of them are flagged rate."""
    max_per_day: PositiveInt = 2_000
    """The same within any 24 hours."""
    min_dwell_ms: NonNegativeInt = 1_000
    """An interaction that lasted less was a slip of the finger, and is flagged dwell. 0: none is."""
    deliberate: tuple[str, ...] = ("cart", "purchase", "rating")
    """Values of interactions that nobody does by accident, however short."""


def noise_of(events: Sequence[Event], settings: NoiseSettings) -> list[str]:
    """Say of each event of one user why it is not learnt from.

    Parameters
    ----------
    events
        Events of one user, in order of time.
    settings
        The thresholds.

    Returns
    -------
    list of str
        rate, dwell, or empty for what is learnt from. Impressions are never flagged: a page shows many at once.

    Examples
    --------
    >>> from genrec.events.event import Event
    >>> short = Event("e1", "ann", "tea", "interaction", "view", timestamp=1, dwell_ms=200)
    >>> long = Event("e2", "ann", "tea", "interaction", "view", timestamp=9, dwell_ms=9_000)
    >>> noise_of([short, long], NoiseSettings())
    ['dwell', '']
    """
    found = [DWELL if _is_slip(event, settings) else "" for event in events]
    acts = [row for row, event in enumerate(events) if event.kind != "impression"]
    if len(acts) > min(settings.max_per_minute, settings.max_per_day):
        times = np.array([events[row].timestamp for row in acts], dtype=np.int64)
        fast = _crowded(times, MINUTE, settings.max_per_minute) | _crowded(times, DAY, settings.max_per_day)
        for at in np.flatnonzero(fast):
            found[acts[at]] = RATE
    return found


def _is_slip(event: Event, settings: NoiseSettings) -> bool:
    if event.kind != "interaction" or event.dwell_ms is None or event.value in settings.deliberate:
        return False
    return event.dwell_ms < settings.min_dwell_ms


def _crowded(times: NDArray[np.int64], seconds: int, most: int) -> NDArray[np.bool_]:
    """Which of the sorted times lie in a window of so many seconds that holds more than ``most`` of them."""
    start = np.arange(len(times))
    end = np.searchsorted(times, times + seconds, side="left")
    over = end - start > most
    depth = np.zeros(len(times) + 1, dtype=np.int64)
    np.add.at(depth, start[over], 1)
    np.add.at(depth, end[over], -1)
    return np.cumsum(depth)[:-1] > 0
