"""``POST /v1/chat``: the client keeps the state."""

import uuid


def say(client, text, state=None, **fields):
    answer = client.post("/v1/chat", json={"text": text, "state": state, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_turns_add_up_and_are_taken_back(client, recommender):
    first = say(client, "a comedy like Red River", k=3)
    categories = dict(zip(recommender.catalog.ids.ids, recommender.catalog.categories, strict=True))
    assert len(first["items"]) == 3
    assert all("Comedy" in categories[item["item_id"]] for item in first["items"])
    second = say(client, "after 1980", first["state"], k=3)
    years = dict(zip(recommender.catalog.ids.ids, recommender.catalog.column("year").to_pylist(), strict=True))
    assert all(years[item["item_id"]] > 1980 for item in second["items"])
    assert all("Comedy" in categories[item["item_id"]] for item in second["items"])
    back = say(client, "undo", second["state"], k=3)
    assert [item["item_id"] for item in back["items"]] == [item["item_id"] for item in first["items"]]
    assert back["understood"]


def test_a_state_from_elsewhere_is_a_problem(client):
    for state in ({"version": 9}, {"said": "x"}, {"said": [{"kind": "limit", "value": "no=1", "text": "", "turn": 0}]}):
        refused = client.post("/v1/chat", json={"text": "a comedy", "state": state})
        assert refused.status_code == 422, refused.text
        assert refused.headers["content-type"] == "application/problem+json"


def test_the_server_keeps_nothing(client):
    say(client, "a comedy like Red River")
    assert say(client, "others")["state"] == say(client, "others")["state"]


def test_a_user_brings_a_history_and_what_they_hid(client):
    user = uuid.uuid4().hex
    base = {"user_id": user, "kind": "interaction", "timestamp": 1}
    client.post("/v1/events", json=[{**base, "event_id": uuid.uuid4().hex, "item_id": "i3"}])
    offered = say(client, "a comedy", user_id=user)["items"][0]["item_id"]
    hide = {**base, "event_id": uuid.uuid4().hex, "item_id": offered, "kind": "feedback", "value": "hide"}
    client.post("/v1/events", json=hide)
    items = [item["item_id"] for item in say(client, "a comedy", user_id=user, k=24)["items"]]
    assert offered not in items
    assert "i3" not in items
