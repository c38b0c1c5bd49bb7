"""``--online``: what is met more now than in the data set moves up within seconds, also after a change of the model."""

import time


def lift(client, item):
    """What an item's score has beyond the generator's log-probability."""
    asked = {"history": ["i0"], "k": 24, "exact": True}
    [found] = [one for one in client.post("/v1/recommend", json=asked).json()["items"] if one["item_id"] == item]
    return found["score"] - found["logprob"]


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_what_is_met_more_now_moves_up(serving):
    with serving(online=True) as client:
        before = lift(client, "i17")
        kind = {"item_id": "i17", "kind": "interaction"}
        events = [{"event_id": f"rush-{n}", "user_id": f"new-{n}", **kind} for n in range(800)]
        assert client.post("/v1/events", json=events).json()["accepted"] == 800
        wait_for(lambda: lift(client, "i17") > before + 0.3)
        assert client.post("/v1/items", json={"items": [{"item_id": "i3", "year": 1999}]}).status_code == 200
        assert lift(client, "i17") > before + 0.3
        assert client.post("/admin/reload").status_code == 200
        assert lift(client, "i17") > before + 0.3


def test_without_it_scores_are_the_generators(serving):
    with serving() as client:
        assert abs(lift(client, "i17")) < 1e-6
