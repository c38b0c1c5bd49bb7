"""The store against the simplest thing that could be right: a list and a dict in memory."""

from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from genrec.events import Event, EventStore, NoiseSettings

USERS = st.sampled_from(["ann", "bob", "carl"])
EVENTS = st.builds(
    Event,
    event_id=st.integers(0, 60).map("e{}".format),
    user_id=USERS,
    item_id=st.sampled_from("abcde"),
    kind=st.sampled_from(["interaction", "impression"]),
    value=st.sampled_from(["view", "cart"]),
    timestamp=st.integers(0, 200),
    dwell_ms=st.none() | st.sampled_from([100, 5_000]),
) | st.builds(
    Event,
    event_id=st.integers(0, 60).map("f{}".format),
    user_id=USERS,
    item_id=st.sampled_from("abcde"),
    kind=st.just("feedback"),
    value=st.sampled_from(["like", "dislike", "hide", "undo"]),
    timestamp=st.integers(0, 200),
)
MOST = 4


class StoreMachine(RuleBasedStateMachine):
    @initialize()
    def open(self):
        self.folder = TemporaryDirectory()
        self.kept = []
        self.reopen()

    @rule()
    def reopen(self):
        if hasattr(self, "store"):
            self.store.close()
        self.store = EventStore.open(f"{self.folder.name}/events.db", noise=NoiseSettings(max_per_minute=MOST))

    @rule(events=st.lists(EVENTS, max_size=8))
    def append(self, events):
        known = {event.event_id: event for event in self.kept}
        accepted, conflicts = 0, {}
        for event in events:
            if event.event_id not in known:
                known[event.event_id] = event
                self.kept.append(event)
                accepted += 1
            elif known[event.event_id] != event:
                conflicts[event.event_id] = None
        found = self.store.append(events)
        assert (found.accepted, found.duplicates) == (accepted, len(events) - accepted)
        assert found.conflicts == tuple(conflicts)

    @rule(user=USERS)
    def forget(self, user):
        mine = [event for event in self.kept if event.user_id == user]
        assert self.store.forget(user).events == len(mine)
        self.kept = [event for event in self.kept if event.user_id != user]

    @invariant()
    def all_is_kept_in_order(self):
        if not hasattr(self, "store"):
            return
        found = list(self.store.read())
        assert [one.event for one in found] == self.kept
        flags = {event.event_id: flag for event, flag in self.flagged()}
        assert {one.event.event_id: one.noise for one in found} == flags

    @invariant()
    def users_are_as_their_events_say(self):
        if not hasattr(self, "store"):
            return
        for user in ("ann", "bob", "carl"):
            history, hidden = self.expected(user)
            assert self.store.history(user) == history
            assert self.store.hidden(user) == hidden
            assert len(self.store.export_user(user)) == sum(event.user_id == user for event in self.kept)

    def flagged(self):
        for event in self.kept:
            acts = [e.timestamp for e in self.kept if e.user_id == event.user_id and e.kind != "impression"]
            windows = [[t for t in acts if start <= t < start + 60] for start in acts]
            is_fast = any(event.timestamp in window and len(window) > MOST for window in windows)
            is_slip = event.kind == "interaction" and event.value == "view" and event.dwell_ms == 100
            yield event, "rate" if is_fast and event.kind != "impression" else "dwell" if is_slip else ""

    def expected(self, user):
        mine = sorted((pair for pair in self.flagged() if pair[0].user_id == user), key=lambda p: p[0].timestamp)
        last = {}
        for event, _ in mine:
            if event.kind == "feedback":
                last.pop(event.item_id, None)
                last[event.item_id] = event
        hidden = [item for item, event in last.items() if event.value in ("dislike", "hide")]
        history = []
        for event, flag in mine:
            counts = event.kind == "interaction" or (last.get(event.item_id) is event and event.value == "like")
            new = event.kind == "interaction" or event.item_id not in history
            if counts and new and not flag and event.item_id not in hidden:
                history.append(event.item_id)
        return history, hidden

    def teardown(self):
        if hasattr(self, "store"):
            self.store.close()
            self.folder.cleanup()


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
