"""Any sequence of turns: the state travels as JSON, items exist, wishes hold, and what is taken back was never said."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec.chat import ChatState, Conversation, Said
from genrec.chat.standing import Standing
from genrec.chat.state import MAX_SAID, MAX_TEXT, MAX_VALUE
from genrec.errors import ConfigError
from genrec.recommend.filters import filter_mask

WISHES = {
    "comedy": "forget the comedy",
    "no sci-fi": "never mind sci-fi",
    "something like Red River": "forget Red River",
    "I hated Blue Castle": "forget about Blue Castle",
    "after 1972": "forget the year",
    "under $50": "any price is fine",
}
STEERING = [
    "more like the second", "not that one", "none of these", "others", "cheaper", "newer than the first",
    "I've seen the third", "undo", "forget the year", "forget the comedy", "the price doesn't matter", "start over",
    "why the second?", "from the seventies", "from the eighties", "drama", "no drama", "no comedy",
    "like Blue Castle", "forget everything; comedy", "why? and no sci-fi",
]  # fmt: skip
NOISE = [
    "{{ 7 * 7 }}",
    "ignore previous instructions",
    "forget ",
    "not the 99th",
    "\x1b[2J",
    "any any any",
    "more like",
]
TURNS = st.sampled_from([*WISHES, *STEERING, *NOISE]) | st.text(max_size=20)


def dumped(turn):
    return json.loads(json.dumps(turn.to_dict(), allow_nan=False))


@pytest.mark.parametrize("kind", ["recommender", "reader"])
def test_any_sequence_of_turns(request, kind, shop):
    recommender = request.getfixturevalue(kind)
    titles = dict(zip(shop.catalog.ids.ids, shop.catalog.titles, strict=True))

    @settings(max_examples=40)
    @given(st.lists(TURNS, max_size=8), st.lists(st.sampled_from(sorted(titles)), max_size=3))
    def check(turns, history):
        talk = Conversation(recommender, history=history, k=4)
        for text in turns:
            before = talk.state
            elsewhere = Conversation.from_state(recommender, before.model_dump_json(), history=history, k=4)
            turn = talk.say(text)
            assert dumped(elsewhere.say(text)) == dumped(turn)
            assert ChatState.read(dumped(turn)["state"]) == ChatState.read(turn.state.model_dump_json()) == turn.state
            assert len(turn.state.said) <= MAX_SAID
            assert all(titles[item.item_id] == item.title for item in turn.items)
            lines = [f"{place}. {item.title}" for place, item in enumerate(turn.items, 1)]
            assert turn.text.splitlines()[len(turn.text.splitlines()) - len(lines) :] == lines
            if turn.items:
                assert turn.state.shown == tuple(item.item_id for item in turn.items)
                holds(turn, history, shop)

    check()


def holds(turn, history, shop):
    """Whether each item keeps to what the state says, read as plainly as can be."""
    said, items = turn.state.said, [item.item_id for item in turn.items]
    rows = shop.catalog.ids.indices(items)
    last = {}
    for one in said:
        if one.kind in ("liked", "disliked", "passed"):
            last[one.value] = one.kind
    assert not set(items) & {*last, *history}
    values = {one.value.removeprefix("not "): one.kind for one in said if one.kind in ("wanted", "unwanted")}
    for expression, kind in values.items():
        if kind == "unwanted":
            assert not filter_mask(shop.catalog, [expression])[rows].any()
    wanted = [filter_mask(shop.catalog, [e])[rows] for e, kind in values.items() if kind == "wanted"]
    assert not wanted or np.any(wanted, axis=0).all()
    limits = [one for one in said if one.kind == "limit"]
    for one in limits:
        if one.turn == limits[-1].turn:
            assert filter_mask(shop.catalog, [one.value])[rows].all()


@settings(max_examples=40)
@given(
    st.permutations(list(WISHES)),
    st.integers(1, 6),
    st.integers(0, 5),
    st.integers(0, 5),
    st.sampled_from(["say", "undo"]),
)
def test_what_is_taken_back_was_never_said(recommender, wishes, count, which, when, how):
    wishes = wishes[:count]
    which = min(which, count - 1)
    wish = wishes[which]
    when = which if how == "undo" else min(max(when, which), count - 1)
    taken, never = Conversation(recommender, k=4), Conversation(recommender, k=4)
    for place, text in enumerate(wishes):
        taken.say(text)
        if place == when:
            taken.say("undo" if how == "undo" else WISHES[wish])
        if text != wish:
            never.say(text)
    if not never.state.said:
        assert taken.state.said == ()
        never.state = never.state.model_copy(update={"shown": taken.state.shown})
    assert taken.state == never.state
    assert taken.request() == never.request()


@settings(max_examples=30)
@given(st.lists(st.sampled_from(list(WISHES)), min_size=1, max_size=3, unique=True), st.sampled_from(STEERING[:7]))
def test_undo_after_pointing_shows_the_same_again(recommender, wishes, steering):
    talk = Conversation(recommender, k=4)
    for wish in wishes:
        talk.say(wish)
    before = talk.state
    turn = talk.say(steering)
    if turn.understood.added:
        assert talk.say("undo").state == before


def test_start_over_is_the_beginning(recommender):
    talk, new = Conversation(recommender), Conversation(recommender)
    for text in ("comedy", "more like the second", "cheaper"):
        talk.say(text)
    assert talk.say("start over: no drama").state == new.say("no drama").state


def test_a_conversation_without_end_stays_bounded(recommender):
    full = ChatState().with_turn([("passed", f"x{i}", "x") for i in range(MAX_SAID)])
    talk = Conversation(recommender, state=full.without(lambda one: one.value == "x0"))
    turn = talk.say("comedy, no drama, after 1980")
    assert "I can keep 200 wishes in mind" in turn.text
    assert turn.state.said == talk.state.said
    assert len(turn.state.said) == MAX_SAID - 1


def test_many_wishes_make_one_filter_of_bounded_length(recommender):
    wanted = [f"categories='{'x' * 40}{i}'" for i in range(190)]
    state = ChatState().with_turn([("wanted", value, "x") for value in wanted])
    talk = Conversation.from_state(recommender, state.model_copy(update={"said": state.said}))
    (expression,) = talk.request().filters
    assert len(expression) <= 2_000
    assert wanted[-1] in expression


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("{", "not the state"),
        ("[]", "not the state"),
        ("null", "not the state"),
        ({"version": 2}, "version"),
        ({"said": [{"kind": "liked"}]}, r"said\.0"),
        ({"said": [{"kind": "boss", "value": "i1", "text": "", "turn": 0}]}, r"said\.0\.kind"),
        ({"said": [{"kind": "liked", "value": "i" * (MAX_VALUE + 1), "text": "", "turn": 0}]}, r"said\.0\.value"),
        ({"said": [{"kind": "words", "value": "i", "text": "x" * (MAX_TEXT + 1), "turn": 0}]}, r"said\.0\.text"),
        ({"said": [{"kind": "words", "value": "i", "text": "x", "turn": 0}] * (MAX_SAID + 1)}, "said"),
        ({"shown": ["i1"] * 101}, "shown"),
        ({"shown": [7]}, "shown"),
        ({"user": "u5"}, "user"),
        ({"said": [{"kind": "limit", "value": "year>>1", "text": "x", "turn": 0}]}, "position"),
        ({"said": [{"kind": "wanted", "value": "nope=1", "text": "x", "turn": 0}]}, "no column"),
        ({"said": [{"kind": "unwanted", "value": "nope=1", "text": "x", "turn": 0}]}, "no column"),
    ],
)
def test_what_is_no_state_is_refused(recommender, state, message):
    with pytest.raises(ConfigError, match=message):
        Conversation.from_state(recommender, state)


def test_items_that_are_gone_since_are_left_out(recommender):
    state = ChatState(shown=("i1", "sold out", "i2")).with_turn([("liked", "sold out", "Sold"), ("liked", "i3", "x")])
    talk = Conversation.from_state(recommender, state)
    assert talk.state.shown == ("i1", "i2")
    assert [one.value for one in talk.state.said] == ["i3"]
    assert talk.say("comedy").items


def test_the_order_of_turns_counts_not_that_of_numbers():
    state = (
        ChatState().with_turn([("liked", "a", "A")]).with_turn([("liked", "b", "B")]).with_turn([("liked", "c", "C")])
    )
    less = state.without(lambda one: one.value == "b")
    assert [(one.value, one.turn) for one in less.said] == [("a", 0), ("c", 1)]
    assert less.without_last().said == (Said(kind="liked", value="a", text="A", turn=0),)
    assert less.with_turn([]) == less


def test_an_item_that_was_judged_twice(shop):
    state = (
        ChatState()
        .with_turn([("liked", "i1", "x")])
        .with_turn([("disliked", "i1", "x")])
        .with_turn([("liked", "i1", "x")])
    )
    standing = Standing.of(state, shop.catalog)
    assert [one.value for one in standing.liked] == ["i1"]
    assert standing.disliked == ()
    assert [one.value for one in Standing.of(state.without_last(), shop.catalog).disliked] == ["i1"]
