import pytest


@pytest.fixture
def taste(store, event):
    """What is known of somebody who did these things, one after the other: "view tea", "like mate"."""

    def tell(*told):
        for words in told:
            value, item = words.split()
            kind = "feedback" if value in ("like", "dislike", "hide", "undo") else "interaction"
            store.append([event(item=item, kind=kind, value=value)])
        return store.history("ann"), store.hidden("ann")

    return tell


@pytest.mark.parametrize(
    ("told", "history", "hidden"),
    [
        (["view a", "view b", "view a"], ["a", "b", "a"], []),
        (["like a"], ["a"], []),
        (["view a", "like a"], ["a"], []),
        (["like a", "view a"], ["a", "a"], []),
        (["like a", "view b", "like a"], ["b", "a"], []),
        (["like a", "undo a"], [], []),
        (["view a", "like a", "undo a"], ["a"], []),
        (["hide a"], [], ["a"]),
        (["dislike a", "hide b"], [], ["a", "b"]),
        (["view a", "hide a"], [], ["a"]),
        (["view a", "hide a", "undo a"], ["a"], []),
        (["hide a", "like a"], ["a"], []),
        (["like a", "dislike a"], [], ["a"]),
        (["hide a", "hide b", "dislike a"], [], ["b", "a"]),
        (["undo a"], [], []),
        (["hide a", "view a"], [], ["a"]),
    ],
)
def test_of_what_was_said_about_an_item_the_last_counts(taste, told, history, hidden):
    assert taste(*told) == (history, hidden)


def test_the_order_is_that_of_time_and_not_of_arrival(store, event):
    store.append([event(item="second", timestamp=20), event(item="first", timestamp=10)])
    store.append([event(kind="feedback", value="undo", item="first", timestamp=9)])
    assert store.history("ann") == ["first", "second"]


def test_noise_is_kept_and_not_learnt_from(store, event):
    store.append([event(item="slip", dwell_ms=100), event(item="read", dwell_ms=9_000)])
    store.append([event(user="bot", item=f"i{n}", timestamp=50) for n in range(100)])
    assert store.history("ann") == ["read"]
    assert store.history("bot") == []
    flags = [(one.event.user_id, one.noise) for one in store.read()]
    assert flags == [("ann", "dwell"), ("ann", ""), *[("bot", "rate")] * 100]


def test_a_bot_that_hides_is_believed(store, event):
    store.append([event(user="bot", item=f"i{n}", kind="feedback", value="hide", timestamp=50) for n in range(100)])
    assert store.hidden("bot") == [f"i{n}" for n in range(100)]


def test_impressions_are_no_history(store, event):
    store.append([event(kind="impression", value="", position=0)])
    assert store.history("ann") == []
    assert list(store.tastes()) == []


def test_a_hidden_item_stays_hidden_however_much_comes_after(store, event, monkeypatch):
    monkeypatch.setattr("genrec.events.store.RECENT", 3)
    store.append([event(item="never", kind="feedback", value="hide")])
    store.append([event(item=f"i{n}") for n in range(10)])
    assert store.hidden("ann") == ["never"]
    assert store.history("ann") == ["i7", "i8", "i9"]


def test_all_users_at_once_are_as_each_alone(store, event):
    store.append([event(user=user, item=item) for user in "bca" for item in ("tea", "mate")])
    store.append([event(user="a", item="tea", kind="feedback", value="hide")])
    found = dict(store.tastes())
    assert list(found) == ["a", "b", "c"]
    assert all(taste == store.taste(user) for user, taste in found.items())
    assert found["a"].items == ("mate",)
