import pytest

from genrec.errors import DataError
from genrec.events import Event

GOOD = {"event_id": "e1", "user_id": "ann", "item_id": "tea", "kind": "interaction", "value": "view", "timestamp": 5}


def test_an_event_is_json_and_back():
    event = Event(**GOOD, dwell_ms=1_500, request_id="r1", position=0)
    assert Event(**event.to_dict()) == event


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("event_id", "", "event_id must have 1 to 512 characters, not 0"),
        ("user_id", "x" * 513, "user_id must have 1 to 512 characters, not 513"),
        ("item_id", 7, "item_id must be text, not int"),
        ("item_id", "te\0a", "item_id has a null character"),
        ("item_id", "\ud800", "item_id is not Unicode text"),
        ("kind", "click", "kind is 'click'"),
        ("value", "x" * 65, "value must have 0 to 64 characters, not 65"),
        ("timestamp", 1_700_000_000_000, "not milliseconds"),
        ("timestamp", -1, "timestamp must lie in"),
        ("timestamp", 1.5, "timestamp must be a whole number, not float"),
        ("timestamp", True, "timestamp must be a whole number, not bool"),
        ("dwell_ms", -1, "dwell_ms must lie in"),
        ("position", 2**31, "position must lie in"),
        ("request_id", None, "request_id must be text, not NoneType"),
    ],
)
def test_a_field_that_is_wrong_is_named(field, value, says):
    with pytest.raises(DataError) as caught:
        Event(**{**GOOD, field: value})
    assert says in str(caught.value)


def test_feedback_says_one_of_four_things():
    for value in ("like", "dislike", "hide", "undo"):
        assert Event(**{**GOOD, "kind": "feedback", "value": value}).value == value
    with pytest.raises(DataError, match="value of feedback is 'love'"):
        Event(**{**GOOD, "kind": "feedback", "value": "love"})
