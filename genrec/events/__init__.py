"""What people did, kept durably: the record that answers, and the next training, are made from."""

from genrec.events.event import Event, Feedback, Kind, StoredEvent
from genrec.events.forgetting import Forgotten
from genrec.events.noise import NoiseSettings
from genrec.events.store import EventStore
from genrec.events.taste import Taste
from genrec.events.writer import Appended

__all__ = ["Appended", "Event", "EventStore", "Feedback", "Forgotten", "Kind", "NoiseSettings", "StoredEvent", "Taste"]
