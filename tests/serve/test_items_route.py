"""``/v1/items``: finding items, adding new ones, changing what is known of them."""

import pytest

from genrec.testing.serving import train_toy_model


@pytest.fixture(scope="module")
def atomic(serving, tmp_path_factory):
    """A model that takes new items."""
    with serving(train_toy_model(tmp_path_factory.mktemp("atomic") / "model", items="atomic")) as client:
        yield client


def find(client, **query):
    answer = client.get("/v1/items", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_all_words_have_to_be_there_and_beginnings_come_first(client):
    page = find(client, query="RED")
    titles = [item["title"] for item in page["items"]]
    assert page["total"] == len(titles)
    assert all("red" in title.lower() for title in titles)
    assert titles[0].startswith("Red")
    assert [item["title"] for item in find(client, query="castle blue")["items"]] == ["Blue Castle"]
    assert {item["item_id"] for item in find(client, query="i17")["items"]} == {"i17"}
    comedies = find(client, query="comedy", limit=200)
    assert all("Comedy" in item["categories"] for item in comedies["items"])
    assert find(client, query="no such thing") == {"items": [], "total": 0}


def test_pages_cover_everything_once(client):
    pages = [find(client, limit=7, offset=offset) for offset in range(0, 28, 7)]
    assert [item["item_id"] for page in pages for item in page["items"]] == [f"i{n}" for n in range(24)]
    assert {page["total"] for page in pages} == {24}
    assert find(client, offset=2**31 - 1)["items"] == []


def test_items_are_found_by_their_ids(client):
    page = client.get("/v1/items", params={"item_id": ["i7", "nothing", "i2"]}).json()
    assert [item["item_id"] for item in page["items"]] == ["i7", "i2"]
    assert page["total"] == 2


def test_a_query_parameter_that_there_is_not_is_refused(client):
    answer = client.get("/v1/items", params={"limt": 1})
    problem = answer.json()
    assert (answer.status_code, problem["field"], problem["value"]) == (422, "limt", "1")
    assert problem["hint"] == "did you mean limit?"
    assert client.get("/v1/model?x=1").json()["hint"] == "there are no parameters here"
    assert client.get("/health/ready?probe=1").status_code == client.get("/?utm_source=mail").status_code == 200


def test_an_item_has_all_its_columns(client, recommender):
    [item] = find(client, query="i4")["items"]
    assert item == recommender.catalog.table.slice(4, 1).to_pylist()[0]


def test_a_new_item_can_be_found_and_recommended_at_once(atomic):
    new = {"item_id": "n1", "title": "Red River Returns", "categories": ["Drama"], "year": 2024}
    answer = atomic.post("/v1/items", json={"items": [new, {"item_id": "i3", "year": 1999}]})
    assert answer.json() == {"new": 1, "changed": 1}
    assert find(atomic, query="returns")["items"] == [new]
    asked = {"history": ["i1"], "filters": ["year=2024"]}
    assert [item["title"] for item in atomic.post("/v1/recommend", json=asked).json()["items"]] == ["Red River Returns"]
    assert atomic.post("/v1/recommend", json={"history": ["n1"]}).json()["history"] == ["n1"]
    asked = {"history": ["i0"], "k": 3, "new_items": 5, "explain": True}
    *known, last = atomic.post("/v1/recommend", json=asked).json()["items"]
    assert (last["title"], last["new"], [item["new"] for item in known]) == ("Red River Returns", True, [False, False])
    assert last["reasons"]["sentence"]
    asked = {"history": ["i1"], "filters": ["year=1999"]}
    assert "i3" in [item["item_id"] for item in atomic.post("/v1/recommend", json=asked).json()["items"]]
    [changed] = find(atomic, query="i3")["items"]
    assert changed["title"] != "i3"  # what was not sent stays
    assert atomic.get("/v1/model").json()["items"] == 25


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([{"item_id": "n2"}], "items.0.title"),
        ([{"item_id": "i1", "title": None}], "items.0.title"),
        ([{"item_id": "i1", "price": 3.5}], "items.0.price"),
        ([{"item_id": "i1", "year": "long ago"}], "items.0.year"),
        ([{"item_id": "i1", "year": 2**70}], "items.0.year"),
        ([{"item_id": "i1", "year": {"a": 1}}], "items.0.year"),
        ([{"item_id": "i1", "year": 1}, {"item_id": "i1", "year": 2}], "items.1.item_id"),
        ([{"item_id": "i1", "categories": "Drama"}], "items.0.categories"),
        ([], "items"),
    ],
)
def test_what_does_not_fit_the_catalog_is_refused(client, items, field):
    refused = client.post("/v1/items", json={"items": items})
    assert refused.status_code == 422
    assert refused.json()["field"].startswith(field)
    assert find(client)["total"] == 24


def test_a_model_that_cannot_take_new_items_says_so(client):
    refused = client.post("/v1/items", json={"items": [{"item_id": "n1", "title": "New"}]})
    assert refused.status_code == 422
    assert refused.json()["hint"]
