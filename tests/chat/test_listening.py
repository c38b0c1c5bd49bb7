"""Hearing commands: whatever the text, it takes little time and loses no wish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.chat.conversation import MAX_CHARS
from genrec.chat.listening import listen
from genrec.chat.shown import ITEMS, places
from genrec.prompt.builder import clean


def heard(text, count=5):
    return listen(text, [], count, lambda words: "year" in words)


@pytest.mark.parametrize(
    "piece",
    [
        "a ", "the first and ", "number 1, ", "forget ", "it ", "not ", "no, no, ", "and but ok ", "any ",
        "whatever the ", "i have ", "like the ", "doesn't ", "x doesn't ", "the ", "cheaper than ", "why ",
        "that's ", "show me ", " ",
        ".", ", ", "\x27", "like 2 ", "does n", "please ", "no no no ",
    ],
)  # fmt: skip
def test_repetition_takes_bounded_time(piece, faster_than):
    assert faster_than(0.5, lambda: heard(clean((piece * MAX_CHARS)[:MAX_CHARS])))


@given(
    st.text(max_size=60)
    | st.lists(st.sampled_from(["not", "the second", "like", "it", "forget", ",", "year"])).map(" ".join)
)
def test_any_text_is_heard_and_keeps_its_length(text):
    text = clean(text)
    one = heard(text)
    assert len(one.rest) == len(text)
    assert all(new in (old, ".") for new, old in zip(one.rest, text, strict=True))
    assert all(0 <= start <= end <= len(text) for start, end in one.forget)


@pytest.mark.parametrize(
    "text",
    [
        "not that scary",
        "I like this kind of movie",
        "something like that film by Lynch",
        "more horror",
        "the first of May",
    ],
)
def test_words_that_only_look_like_pointing(text):
    one = heard(text)
    assert (one.liked, one.disliked, one.passed, one.more, one.rest) == ((), (), (), False, text)


def test_pointing_without_anything_shown_is_only_heard_where_it_names_a_place():
    assert heard("not that one", count=0).disliked == ()
    assert heard("not the second", count=0).disliked == (1,)


def test_several_places():
    assert places("number 3, the second and #1", 5) == [2, 1, 0]
    assert places("the first two and the last", 5) == [0, 1, 4]
    assert "(?P<" not in ITEMS
