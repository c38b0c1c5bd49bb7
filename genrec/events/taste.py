"""What a user's events say: the items to learn from, and those never to show again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.events.event import StoredEvent


@dataclass(frozen=True)
class Taste:
    """What is known of one user.

    Parameters
    ----------
    items
        Item ids learnt from, oldest first: interactions that are not noise, and likes of items that were not met
        before. Items that are hidden now are not among them.
    timestamps, numbers
        When each was met or liked, in seconds UTC, and the number of the event that says so.
    hidden
        Item ids that were disliked or hidden and not taken back, in the order in which that was said.
    """

    items: tuple[str, ...]
    timestamps: tuple[int, ...]
    numbers: tuple[int, ...]
    hidden: tuple[str, ...]


def taste_of(events: Sequence[StoredEvent]) -> Taste:
    """Read one user's events; of what was said about an item, the last counts.

    Parameters
    ----------
    events
        Events of one user, flagged, in order of time. Flagged ones are not learnt from, but who hides an item is
        believed all the same.

    Examples
    --------
    >>> from genrec.events.event import Event, StoredEvent
    >>> said = ["like", "hide"]
    >>> events = [Event(f"e{n}", "ann", f"i{n}", "feedback", value, timestamp=n) for n, value in enumerate(said)]
    >>> taste_of([StoredEvent(number, event, received=9) for number, event in enumerate(events, start=1)])
    Taste(items=('i0',), timestamps=(0,), numbers=(1,), hidden=('i1',))
    """
    said: dict[str, StoredEvent] = {}  # the last word about each item, in the order in which it was said
    for one in events:
        if one.event.kind == "feedback":
            said.pop(one.event.item_id, None)
            said[one.event.item_id] = one
    hidden = {item: None for item, one in said.items() if one.event.value in ("dislike", "hide")}
    learnt: list[StoredEvent] = []
    met: set[str] = set()
    for one in events:
        item = one.event.item_id
        likes = said.get(item) is one and one.event.value == "like" and item not in met
        if item not in hidden and not one.noise and (one.event.kind == "interaction" or likes):
            learnt.append(one)
            met.add(item)
    return Taste(
        items=tuple(one.event.item_id for one in learnt),
        timestamps=tuple(one.event.timestamp for one in learnt),
        numbers=tuple(one.number for one in learnt),
        hidden=tuple(hidden),
    )
