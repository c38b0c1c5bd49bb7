"""``/v1/model``, ``/v1/tree``, ``/v1/report`` and ``/admin/reload``."""

import shutil

from genrec.testing.serving import train_toy_model


def test_the_model_says_what_it_is_and_where_it_lies_is_nobodys_business(client, recommender, model_folder):
    answer = client.get("/v1/model")
    about = answer.json()
    assert about["items"] == 24
    assert about["levels"] == 2
    assert about["item_tokenizer"] == "semantic"
    assert about["reads_text"] is False
    columns = {column["name"]: column for column in about["columns"]}
    year = {"name": "year", "type": "int64", "kind": "number", "lowest": 1970, "highest": 1993}
    assert columns["year"] == year
    genres = columns["categories"]
    assert (genres["type"], genres["kind"], genres["values"][0]) == ("string", "text", "Adventure")
    assert set(genres["values"]) == {genre for row in recommender.catalog.categories for genre in row}
    assert about["limits"]["k"] == 200
    assert about["version"] == client.get("/health/ready").json()["model_version"]
    assert str(model_folder) not in answer.text


def test_the_tree_holds_every_item_once(client, recommender):
    def items_below(node):
        answer = client.get("/v1/tree", params={"node": node, "limit": 200}).json()
        assert answer["items"] == max(1, sum(child["items"] for child in answer["children"]))
        assert answer["total"] == len(answer["children"])
        found = []
        for child in answer["children"]:
            deeper = client.get("/v1/tree", params={"node": child["node"]}).json()
            assert deeper["parent"] == node
            assert deeper["path"] == [*answer["path"], child["code"]]
            found += [child["samples"][0]["item_id"]] if child["leaf"] else items_below(child["node"])
        return found

    found = items_below(0)
    assert sorted(found) == sorted(recommender.catalog.ids.ids)


def test_samples_are_items_of_the_node(client, recommender):
    trie, ids = recommender.model.vocabulary.trie, recommender.catalog.ids
    for child in client.get("/v1/tree").json()["children"]:
        assert 1 <= len(child["samples"]) <= 3
        for sample in child["samples"]:
            assert child["node"] in trie.paths[int(ids.indices([sample["item_id"]])[0])]


def test_an_item_is_found_in_the_tree(client, recommender):
    for item in recommender.catalog.ids.ids:
        node = client.get("/v1/tree", params={"item_id": item}).json()
        leaves = [child["samples"][0]["item_id"] for child in node["children"] if child["leaf"]]
        assert item in leaves
    assert client.get("/v1/tree", params={"item_id": "nothing"}).status_code == 404


def test_a_node_that_is_not_there(client):
    answer = client.get("/v1/tree", params={"node": 10_000})
    assert answer.status_code == 404
    assert answer.json()["field"] == "node"


def test_the_report_is_the_one_file_that_was_named(serving, client, tmp_path):
    assert client.get("/v1/report").status_code == 404
    report = tmp_path / "report.html"
    report.write_text("<h1>figures</h1>")
    with serving(report=report) as with_report:
        answer = with_report.get("/v1/report")
        assert answer.text == "<h1>figures</h1>"
        assert answer.headers["content-type"].startswith("text/html")
        assert "sandbox" in answer.headers["content-security-policy"]
        assert with_report.get("/v1/model").json()["report"] is True


def test_reload_swaps_and_a_broken_model_is_refused(serving, model_folder, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    with serving(folder) as client:
        before = client.get("/health/ready").json()["model_version"]
        asked = {"history": ["i3"], "exact": True}
        old = client.post("/v1/recommend", json=asked).json()
        (folder / "code_head.safetensors").write_bytes(b"broken")
        refused = client.post("/admin/reload")
        assert refused.status_code == 409
        assert "code_head.safetensors" in refused.json()["detail"]
        kept = client.post("/v1/recommend", json=asked).json()
        assert kept["items"] == old["items"]
        assert kept["model_version"] == before
        shutil.rmtree(folder)
        train_toy_model(folder, epochs=3)
        swapped = client.post("/admin/reload").json()
        assert swapped["previous"] == before != swapped["model_version"]
        new = client.post("/v1/recommend", json=asked).json()
        assert new["model_version"] == swapped["model_version"]
        assert [item["score"] for item in new["items"]] != [item["score"] for item in old["items"]]
