"""``POST /v1/events``: one, an array, or a line each; all or none; each once."""

import json

import pytest


def event(number, **fields):
    return {"event_id": str(number), "user_id": "ann", "item_id": "i1", "kind": "interaction", **fields}


def send(client, body, kind="application/json"):
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post("/v1/events", content=content, headers={"Content-Type": kind})


@pytest.fixture(scope="module")
def taken(client):
    """What the server says is stored of a user."""
    return lambda user: client.get(f"/v1/users/{user}").json()["events"]


def test_one_an_array_and_lines(client, taken):
    assert send(client, event("one", user_id="forms")).json() == {"accepted": 1, "duplicates": 0}
    two = [event("two", user_id="forms", timestamp=5), event("three", user_id="forms", dwell_ms=0, position=3)]
    assert send(client, two).json() == {"accepted": 2, "duplicates": 0}
    lines = "\n".join(json.dumps(event(f"line{n}", user_id="forms", timestamp=n)) for n in range(500))
    assert send(client, lines + "\n\n", "application/x-ndjson; charset=utf-8").json()["accepted"] == 500
    stored = {one["event_id"]: one for one in taken("forms")}
    assert len(stored) == 503
    assert stored["two"]["timestamp"] == 5
    assert stored["three"]["position"] == 3
    assert stored["one"]["timestamp"] > 1_700_000_000  # now, where nothing was said


def test_an_event_id_counts_once(client, taken):
    first = event("same", user_id="twice", value="view")
    assert send(client, [first, first]).json() == {"accepted": 1, "duplicates": 1}
    again = {**first, "value": "purchase"}
    assert send(client, again).json() == {"accepted": 0, "duplicates": 1}
    assert [one["value"] for one in taken("twice")] == ["view"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"kind": "click"}, "kind"),
        ({"kind": "feedback", "value": "love"}, "value"),
        ({"kind": "feedback"}, "value"),
        ({"timestamp": -1}, "timestamp"),
        ({"timestamp": 1_700_000_000_000}, "timestamp"),
        ({"timestamp": "yesterday"}, "timestamp"),
        ({"dwell_ms": -5}, "dwell_ms"),
        ({"position": 2**40}, "position"),
        ({"user_id": ""}, "user_id"),
        ({"item_id": "a\nb"}, "item_id"),
        ({"event_id": "x" * 257}, "event_id"),
        ({"value": "x" * 65}, "value"),
        ({"price": 3}, "price"),
    ],
)
def test_one_wrong_event_keeps_all_out(client, wrong, field):
    good, bad = event(f"good-{field}", user_id="none"), event("bad", user_id="none", **{})
    bad = {**bad, **wrong}
    assert send(client, bad).json()["field"] == field
    assert send(client, [good, bad]).json()["field"] == f"1.{field}"
    lines = f"{json.dumps(good)}\n\n{json.dumps(bad)}\n"
    refused = send(client, lines, "application/x-ndjson")
    assert refused.status_code == 422
    assert refused.json()["field"] == f"line 3.{field}"
    assert client.get("/v1/users/none").status_code == 404


@pytest.mark.parametrize("body", ["", "{", "[{]", "nul", '{"a": }', "\xff", '"text"', "5", "[]x", "[5]"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_what_is_no_event_is_refused(client, body, kind):
    refused = send(client, body.encode("latin-1"), kind)
    if body == "" and kind.endswith("ndjson"):
        assert refused.json() == {"accepted": 0, "duplicates": 0}
    else:
        assert refused.status_code in (400, 422)
        assert refused.headers["content-type"] == "application/problem+json"


def test_no_more_than_so_many_at_once(client):
    many = [event(n, user_id="many", timestamp=1) for n in range(10_001)]
    lines = "\n".join(json.dumps(one, separators=(",", ":")) for one in many)
    refused = send(client, lines, "application/x-ndjson")
    assert refused.status_code == 413
    assert (refused.json()["limit"], refused.json()["value"]) == (10_000, 10_001)
    assert send(client, many).status_code == 413
    assert client.get("/v1/users/many").status_code == 404


def test_a_full_disk_is_507_and_keeps_nothing(serving, tmp_path):
    from genrec.events import EventStore

    with serving() as client:
        parts = client.app.state.parts
        parts.store = EventStore.open(tmp_path / "small.db", max_bytes=200_000)
        answers = [send(client, [event(f"{n}-{m}", user_id="x" * 200) for m in range(100)]) for n in range(40)]
        statuses = [answer.status_code for answer in answers]
        assert set(statuses) == {200, 507}
        full = next(answer.json() for answer in answers if answer.status_code == 507)
        assert full["type"] == "urn:genrec:problem:storage-full"
        acknowledged = sum(answer.json()["accepted"] for answer in answers if answer.status_code == 200)
        assert sum(1 for _ in parts.store.read()) == acknowledged
