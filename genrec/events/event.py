"""One thing that somebody did, or was shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal, get_args

from genrec.errors import DataError

Kind = Literal["interaction", "impression", "feedback"]
Feedback = Literal["like", "dislike", "hide", "undo"]

KINDS, FEEDBACKS = get_args(Kind), get_args(Feedback)
MAX_ID = 512
MAX_WORD = 64
LATEST = 100_000_000_000
"""Seconds: the year 5138. What is later was given in milliseconds."""
LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Event:
    """Something that happened between a user and an item.

    Parameters
    ----------
    event_id
        Names the event: sent again, it counts once. At most 512 characters, like the other ids.
    user_id, item_id
        Who, and what.
    kind
        interaction (viewed, bought ...), impression (was shown), or feedback (said something about it).
    value
        Feedback: like, dislike, hide, or undo, which takes back what was said before. Otherwise a free word of at
        most 64 characters, such as view, cart or purchase.
    timestamp
        When, in seconds UTC.
    dwell_ms
        How long the user stayed with the item, in milliseconds, where that is known.
    request_id
        The request whose answer the item was in, where there was one.
    position
        The place of the item in that answer, from 0.

    Raises
    ------
    DataError
        A field is missing, too long, of another type or out of range; the message names it.

    Examples
    --------
    >>> Event("e1", "ann", "tea", "feedback", "like", timestamp=1_700_000_000).value
    'like'
    """

    event_id: str
    user_id: str
    item_id: str
    kind: Kind
    value: str = ""
    timestamp: int = 0
    dwell_ms: int | None = None
    request_id: str = ""
    position: int | None = None

    def __post_init__(self) -> None:
        for name in ("event_id", "user_id", "item_id"):
            _check_text(name, getattr(self, name), MAX_ID, least=1)
        _check_text("request_id", self.request_id, MAX_ID)
        _check_text("value", self.value, MAX_WORD)
        if self.kind not in KINDS:
            raise DataError(f"kind is {self.kind!r}", hint=f"kinds are {', '.join(KINDS)}")
        if self.kind == "feedback" and self.value not in FEEDBACKS:
            raise DataError(f"value of feedback is {self.value!r}", hint=f"values are {', '.join(FEEDBACKS)}")
        _check_number("timestamp", self.timestamp, LATEST, hint="timestamps are in seconds, not milliseconds")
        for name in ("dwell_ms", "position"):
            if getattr(self, name) is not None:
                _check_number(name, getattr(self, name), LARGEST)

    def to_dict(self) -> dict[str, str | int | None]:
        """The fields by name, as JSON has them."""
        return asdict(self)


@dataclass(frozen=True)
class StoredEvent:
    """An event of the store.

    Parameters
    ----------
    number
        Its place in the order of arrival, from 1; numbers rise and are never given again, but may have gaps.
    event
        The event.
    received
        When it arrived, in seconds UTC.
    noise
        Why it is not learnt from: rate or dwell. Empty: it is.
    """

    number: int
    event: Event
    received: int
    noise: str = ""


def _check_text(name: str, value: object, most: int, least: int = 0) -> None:
    if not isinstance(value, str):
        raise DataError(f"{name} must be text, not {type(value).__name__}")
    if not least <= len(value) <= most:
        raise DataError(f"{name} must have {least} to {most} characters, not {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"{name} is not Unicode text: {value!r}") from error
    if "\0" in value:
        raise DataError(f"{name} has a null character: {value!r}")


def _check_number(name: str, value: object, most: int, hint: str | None = None) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise DataError(f"{name} must be a whole number, not {type(value).__name__}")
    if not 0 <= value <= most:
        raise DataError(f"{name} must lie in 0 .. {most}, not {value}", hint=hint if value > most else None)
