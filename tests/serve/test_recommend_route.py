"""``/v1/recommend`` and ``/v1/similar``: what is asked over HTTP is what the recommender is asked."""

import threading
import uuid
from functools import partial

import pytest

from genrec.recommend.request import Request

ANSWER = {
    "request_id", "items", "understood", "history", "filters", "eligible", "warnings", "source",
    "model_version",
}  # fmt: skip


def ask(client, body, status=200):
    answer = client.post("/v1/recommend", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def ids(answer):
    return [item["item_id"] for item in answer["items"]]


def event(user_id, item_id, kind="interaction", value="view"):
    return {"event_id": uuid.uuid4().hex, "user_id": user_id, "item_id": item_id, "kind": kind, "value": value}


def test_values_that_no_item_has_are_named_and_the_answer_comes(client):
    mistyped = {"history": ["i3"], "filters": ["not genre=comedi"], "boosts": {"genre=Dramma": 1.0, "year>1980": 0.5}}
    answer = ask(client, mistyped)
    assert answer["warnings"] == [
        "no item has genre='comedi': did you mean 'Comedy'?",
        "no item has genre='Dramma': did you mean 'Drama'?",
    ]
    assert len(answer["items"]) == 10


@pytest.mark.parametrize(
    "asked",
    [
        {"history": ["i3", "i4"]},
        {"history": []},
        {"history": [], "prompt": ""},
        {"history": ["i3"], "k": 3, "filters": ["year>=1980", "genre=Drama"]},
        {"history": ["i3"], "k": 24, "include_seen": True, "exact": True},
        {"history": ["i3"], "boosts": {"genre=Comedy": 2.5}, "max_per_category": 2},
        {"history": ["i3"], "candidates": ["i7", "i9", "i3"]},
        {"history": ["i3"], "beams": 3, "k": 3},
        {"history": ["i3"], "new_items": 2, "k": 3},
        {"user_id": "u2", "history": ["i20"]},
        {"prompt": "comedy like Red River, after 1980"},
        {"user_id": "u5", "prompt": "not a comedy", "k": 4},
    ],
)
def test_every_field_means_what_the_recommender_means_by_it(client, recommender, asked):
    answer = ask(client, asked)
    fields = dict(asked)
    if "user_id" in fields:
        fields["user"] = fields.pop("user_id")
    right = recommender.recommend_batch([Request(**fields)])[0]
    assert set(answer) == ANSWER
    assert answer["warnings"] == []
    assert ids(answer) == [item.item_id for item in right.items]
    for sent, item in zip(answer["items"], right.items, strict=True):
        assert sent["title"] == item.title
        assert sent["score"] == pytest.approx(item.score, abs=1e-4)
        assert sent["logprob"] == pytest.approx(item.logprob, abs=1e-4)
        assert sent["new"] == item.new
        assert sent["categories"] == recommender.catalog.categories[int(item.item_id[1:])]
    assert answer["history"] == list(right.history)
    assert answer["filters"] == list(right.filters)
    assert answer["eligible"] == right.eligible
    assert answer["source"] == "generator"
    if right.understood is None:
        assert answer["understood"] is None
    else:
        assert answer["understood"]["liked"] == list(right.understood.liked_titles)
        assert answer["understood"]["wanted"] == list(right.understood.wanted)
        assert answer["understood"]["filters"] == list(right.understood.filters)


def test_several_at_once_are_answered_as_each_alone(client):
    requests = [{"history": [f"i{n}"], "k": 1 + n % 3} for n in range(8)]
    together = ask(client, {"requests": requests})["answers"]
    for request, answer in zip(requests, together, strict=True):
        alone = ask(client, request)
        assert ids(answer) == ids(alone)
        assert [one["score"] for one in answer["items"]] == pytest.approx([one["score"] for one in alone["items"]])
    assert len({answer["request_id"] for answer in together}) == 8


def test_the_very_next_request_knows_an_event(client):
    user = uuid.uuid4().hex
    assert ask(client, {"user_id": user}, 404)["field"] == "user_id"
    assert client.post("/v1/events", json=event(user, "i5")).json() == {"accepted": 1, "duplicates": 0}
    answer = ask(client, {"user_id": user})
    assert answer["history"] == ["i5"]
    assert "i5" not in ids(answer)
    assert ids(answer) == ids(ask(client, {"history": ["i5"]}))


def test_events_of_a_user_of_the_data_set_come_after_what_is_known(client, recommender):
    before = ask(client, {"user_id": "u7"})["history"]
    new = next(item for item in recommender.catalog.ids.ids if item not in before)
    client.post("/v1/events", json=event("u7", new))
    assert ask(client, {"user_id": "u7"})["history"] == [*before, new]


def test_what_a_user_hid_stays_out_until_they_take_it_back(client):
    user = uuid.uuid4().hex
    client.post("/v1/events", json=event(user, "i5"))
    first, second = ids(ask(client, {"user_id": user}))[:2]
    client.post("/v1/events", json=[event(user, first, "feedback", "hide"), event(user, second, "feedback", "dislike")])
    answer = ask(client, {"user_id": user, "k": 24, "include_seen": True})
    assert not {first, second} & set(ids(answer))
    assert answer["history"] == ["i5"]
    client.post("/v1/events", json=event(user, first, "feedback", "undo"))
    assert ids(ask(client, {"user_id": user}))[0] == first


def test_an_event_about_an_item_that_is_not_there_yet_harms_nothing(client):
    user = uuid.uuid4().hex
    client.post("/v1/events", json=[event(user, "later"), event(user, "i5"), event(user, "later", "feedback", "hide")])
    assert ask(client, {"user_id": user})["history"] == ["i5"]


def test_reasons_come_when_asked_for(client):
    assert "reasons" not in ask(client, {"history": ["i3", "i4"]})["items"][0]
    answer = ask(client, {"history": ["i3", "i4"], "explain": True, "k": 3, "filters": ["year>1970"]})
    for item in answer["items"]:
        assert item["reasons"]["item_id"] == item["item_id"]
        assert {reason["item_id"] for reason in item["reasons"]["history"]} == {"i3", "i4"}
        assert item["reasons"]["sentence"]


def test_similar_is_what_comes_after_the_item_alone(client):
    answer = client.post("/v1/similar", json={"item_id": "i3", "k": 4, "filters": ["year>1970"]}).json()
    assert ids(answer) == ids(ask(client, {"history": ["i3"], "k": 4, "filters": ["year>1970"]}))
    assert client.post("/v1/similar", json={"item_id": "nope"}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field", "limit", "value"),
    [
        ({"history": ["i1"], "k": 500}, 422, "k", 200, 500),
        ({"history": ["i1"], "k": 0}, 422, "k", 1, 0),
        ({"history": ["i1"], "k": "many"}, 422, "k", None, "many"),
        ({"history": ["i1"], "beams": 201}, 422, "beams", 200, 201),
        ({"history": ["i1"] * 1001}, 422, "history", 1000, 1001),
        ({"history": ["i1", "nope"]}, 422, "history.1", None, "nope"),
        ({"history": ["i1"], "candidates": ["i2", "i3", "no"]}, 422, "candidates.2", None, "no"),
        ({"history": ["i1"], "filters": ["year>1970", "year>"]}, 422, "filters.1", None, None),
        ({"history": ["i1"], "filters": ["colour=red"]}, 422, "filters", None, None),
        ({"history": ["i1"], "boosts": {"year>1970": 1000}}, 422, "boosts.year>1970", 100, 1000),
        ({"history": ["i1"], "boosts": {"year>": 1}}, 422, "boosts.0", None, None),
        ({"history": ["i1"], "timeout_s": 0}, 422, "timeout_s", 0, 0),
        ({"prompt": "x" * 4001}, 422, "prompt", 4000, None),
        ({"user_id": "nobody"}, 404, "user_id", None, "nobody"),
        ({"user_id": ""}, 422, "user_id", 1, None),
        ({}, 422, None, None, None),
        ({"prompt": ""}, 422, "prompt", None, ""),
        ({"prompt": " \n"}, 422, "prompt", None, None),
        ({"user_id": "nobody", "prompt": ""}, 404, "user_id", None, "nobody"),
        ({"history": ["i1"], "colour": "red"}, 422, "colour", None, "red"),
        ({"requests": []}, 422, "requests", 1, 0),
        ({"requests": [{"history": ["i1"]}] * 65}, 422, "requests", 64, 65),
        ({"requests": [{"history": ["i1"]}], "k": 3}, 422, None, None, None),
        ({"requests": [{"history": ["i1"]}, {"history": ["i1"], "k": -1}]}, 422, "requests.1.k", 1, -1),
        ({"requests": [{"history": ["i1"]}, {"history": ["no"]}]}, 422, "requests.1.history.0", None, "no"),
        ({"requests": [{"history": ["i1"]}, {"user_id": "no"}]}, 404, "requests.1.user_id", None, "no"),
    ],
)
def test_a_problem_names_field_limit_and_value(client, body, status, field, limit, value):
    answer = client.post("/v1/recommend", json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert answer.status_code == status == problem["status"], problem
    assert problem.get("field") == field, problem
    if limit is not None:
        assert problem["limit"] == limit
    if value is not None:
        assert problem["value"] == value
    assert problem["type"].startswith("urn:genrec:problem:")
    assert problem["detail"]
    assert problem["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("path", "body", "field", "hint"),
    [
        ("/v1/recommend", {"user": "u2"}, "user", "did you mean user_id?"),
        ("/v1/recommend", {"requests": [{"history": [], "filter": []}]}, "requests.0.filter", "did you mean filters?"),
        ("/v1/similar", {"item_id": "i3", "zzz": 1}, "zzz", "fields here are item_id, k, filters"),
        ("/v1/events", {"user": "ann", **event("ann", "i3")}, "user", "did you mean user_id?"),
        ("/v1/events", [{"userid": "ann", **event("ann", "i3")}], "0.userid", "did you mean user_id?"),
    ],
)
def test_a_field_that_there_is_not_is_told_its_nearest(client, path, body, field, hint):
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["field"], problem["hint"]) == (field, hint)
    assert problem["detail"] == f"{field}: there is no such field"


def test_what_is_late_is_answered_by_the_fallback_and_says_so(client):
    go_on, service = threading.Event(), client.app.state.parts.service
    client.portal.start_task_soon(partial(service.run, lambda _: go_on.wait(30), timeout_s=60))
    try:
        answer = ask(client, {"history": ["i3"], "timeout_s": 0.5, "filters": ["year>1975"], "explain": True})
    finally:
        go_on.set()
    assert answer["source"] == "fallback"
    assert "reasons" not in answer["items"][0]
    assert "i3" not in ids(answer)
