"""What a user's events say: the items to learn from, and those never to show again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.events.event import Event


@dataclass(frozen=True)
class Taste:
    """What is known of one user.

    Parameters
    ----------
    items
        Item ids learnt from, oldest first: interactions that are not noise, and likes of items that were not met
        before. Items that are hidden now are not among them.
    timestamps
        When each was met or liked, in seconds UTC.
    hidden
        Item ids that were disliked or hidden and not taken back, in the order in which that was said.
    """

    items: tuple[str, ...]
    timestamps: tuple[int, ...]
    hidden: tuple[str, ...]


def taste_of(events: Sequence[Event], noise: Sequence[str]) -> Taste:
    """Read one user's events; of what was said about an item, the last counts.

    Parameters
    ----------
    events
        Events of one user, in order of time.
    noise
        A reason for each not to learn from it, or empty. Who hides an item is believed all the same.

    Examples
    --------
    >>> from genrec.events.event import Event
    >>> said = ["like", "hide"]
    >>> events = [Event(f"e{n}", "ann", f"i{n}", "feedback", value, timestamp=n) for n, value in enumerate(said)]
    >>> taste_of(events, ["", ""])
    Taste(items=('i0',), timestamps=(0,), hidden=('i1',))
    """
    said: dict[str, Event] = {}  # the last word about each item, in the order in which it was said
    for event in events:
        if event.kind == "feedback":
            said.pop(event.item_id, None)
            said[event.item_id] = event
    hidden = {item for item, event in said.items() if event.value in ("dislike", "hide")}
    met: list[tuple[str, int]] = []
    known: set[str] = set()
    for event, reason in zip(events, noise, strict=True):
        is_like = said.get(event.item_id) is event and event.value == "like" and event.item_id not in known
        if event.item_id not in hidden and not reason and (event.kind == "interaction" or is_like):
            met.append((event.item_id, event.timestamp))
            known.add(event.item_id)
    items, timestamps = zip(*met, strict=True) if met else ((), ())
    return Taste(items, timestamps, tuple(item for item in said if item in hidden))
