"""``/v1/users/{id}``: the export, and forgetting."""

import json


def act(client, user, *items):
    events = [
        {"event_id": f"{user}-{n}", "user_id": user, "item_id": item, "kind": "interaction", "timestamp": n}
        for n, item in enumerate(items)
    ]
    assert client.post("/v1/events", json=events).json()["accepted"] == len(items)


def test_everything_that_is_stored_of_a_user_is_exported(client):
    act(client, "ann", "i3", "i4")
    client.post(
        "/v1/events",
        json={"event_id": "h", "user_id": "ann", "item_id": "i9", "kind": "feedback", "value": "hide"},
    )
    user = client.get("/v1/users/ann").json()
    assert user["history"] == [{"item_id": "i3", "title": "Golden Forest"}, {"item_id": "i4", "title": "Silver Engine"}]
    assert user["hidden"] == ["i9"]
    assert [event["event_id"] for event in user["events"]] == ["ann-0", "ann-1", "h"]
    assert set(user["events"][0]) >= {"event_id", "user_id", "item_id", "kind", "value", "timestamp", "dwell_ms"}


def test_a_user_of_the_data_set_has_that_history_first(client):
    act(client, "u1", "i20")
    history = [item["item_id"] for item in client.get("/v1/users/u1").json()["history"]]
    assert history == [f"i{n}" for n in range(1, 11)] + ["i20"]


def test_nobody_knows_others(client):
    unknown = client.get("/v1/users/nobody")
    assert unknown.status_code == 404
    assert unknown.json()["field"] == "user_id"


def test_an_id_may_have_a_slash_and_any_letters(client):
    act(client, "shop/ann ö?&", "i3")
    assert client.get("/v1/users/shop%2Fann%20%C3%B6%3F%26").json()["user_id"] == "shop/ann ö?&"


def test_forgetting_leaves_no_trace_in_answers_or_files(serving):
    with serving() as client:
        store = client.app.state.parts.store
        act(client, "u3", "i20")
        act(client, "someone-new", "i5", "i6")
        assert client.post("/v1/recommend", json={"user_id": "u3"}).json()["history"][-1] == "i20"
        forgotten = client.delete("/v1/users/u3").json()
        assert (forgotten["events"], forgotten["retrain_after"], forgotten["in_dataset"]) == (1, True, True)
        gone = client.delete("/v1/users/someone-new").json()
        assert (gone["events"], gone["retrain_after"], gone["in_dataset"]) == (2, False, False)
        for user in ("u3", "someone-new"):
            assert client.get(f"/v1/users/{user}").status_code == 404
            assert client.post("/v1/recommend", json={"user_id": user}).status_code == 404
        act(client, "u3", "i7")  # who comes back begins anew
        assert client.post("/v1/recommend", json={"user_id": "u3"}).json()["history"] == ["i7"]
        files = [store.path, store.path.with_name(store.path.name + "-wal")]
        assert not any(b"someone-new" in file.read_bytes() for file in files if file.exists())


def test_the_answer_says_what_is_left_to_do(client):
    answer = client.delete("/v1/users/u4").json()
    assert json.dumps(answer).count("finetune") >= 1
    assert client.delete("/v1/users/never-seen").json()["events"] == 0
