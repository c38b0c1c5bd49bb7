"""Keys: every route but the health checks needs one, and none ever comes out."""

import base64
import logging

import pytest

from genrec.errors import ConfigError
from genrec.serve.auth import KeyRing, scope_of

OPEN = {"/health/live", "/health/ready"}
BODIES = {
    "/v1/recommend": {"history": ["i1"]},
    "/v1/similar": {"item_id": "i1"},
    "/v1/events": {"event_id": "a", "user_id": "a", "item_id": "i1", "kind": "interaction"},
    "/v1/items": {"items": [{"item_id": "i1", "year": 1970}]},
    "/v1/chat": {"text": "a comedy"},
}


def routes(client):
    """Every route of the OpenAPI text, and those that it leaves out."""
    with_key = {"Authorization": f"Bearer {client.admin}"} if hasattr(client, "admin") else {}
    described = client.get("/openapi.json", headers=with_key).json()["paths"]
    found = [(method.upper(), path) for path, methods in described.items() for method in methods]
    return [*found, ("GET", "/"), ("GET", "/page/app.js"), ("GET", "/openapi.json")]


def call(client, method, path, key=None, **headers):
    if key is not None:
        headers["Authorization"] = f"Bearer {key}"
    body = BODIES.get(path) if method == "POST" else None
    return client.request(method, path.replace("{user_id}", "u1"), json=body, headers=headers)


@pytest.fixture(scope="module")
def every_route(client):
    return routes(client)


def test_the_list_of_routes_is_whole(client, every_route):
    known = {(method, path) for method, path in every_route}
    assert len(known) >= 16
    for route in client.app.routes:
        for method in getattr(route, "methods", ()) - {"HEAD"}:
            path = route.path_format
            assert (method, path) in known or path in ("/page/{name}",), path


def test_without_a_key_nothing_but_health_answers(guarded, every_route):
    for method, path in every_route:
        answer = call(guarded, method, path)
        if path in OPEN:
            assert answer.status_code == 200
        else:
            assert answer.status_code == 401, (method, path)
            assert answer.json()["type"] == "urn:genrec:problem:key"
            of_a_browser = path == "/" or path.startswith(("/page/", "/v1/report"))  # it asks for a password there
            kind = "Basic" if of_a_browser else "Bearer"
            assert answer.headers["www-authenticate"].startswith(kind)


def test_a_scope_opens_its_routes_and_no_others(guarded, secrets, every_route):
    for method, path in every_route:
        needed = scope_of(method, path.replace("{user_id}", "u1"))
        for scope in ("recommend", "events", "admin"):
            status = call(guarded, method, path, secrets[scope]).status_code
            if needed in (None, scope) or scope == "admin":
                assert status not in (401, 403), (method, path, scope)
            else:
                assert status == 403, (method, path, scope)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Bearer gr_00000000_" + "x" * 43,
        "Basic",
        "Basic !!!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Digest username=x",
        "Bearer " + "a" * 5000,
        "Bearer \xff",
    ],
)
def test_what_is_no_key_is_refused(guarded, header):
    assert guarded.get("/v1/model", headers={"Authorization": header.encode("latin-1")}).status_code == 401


def test_a_key_with_one_letter_changed_is_none(guarded, secrets):
    key = secrets["recommend"]
    for place in range(len(key)):
        other = key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :]
        assert call(guarded, "GET", "/v1/model", other).status_code == 401


def test_a_browser_may_send_the_key_as_a_password(guarded, secrets):
    assert guarded.get("/v1/model", auth=("anyone", secrets["recommend"])).status_code == 200


def test_keys_never_come_out(guarded, secrets, every_route, caplog):
    keys = [secrets[scope] for scope in ("recommend", "events", "admin")]
    hidden = [key.split("_", 2)[2] for key in keys]
    said = []
    with caplog.at_level(logging.DEBUG):
        for method, path in every_route:
            for key in keys:
                answer = call(guarded, method, path, key)
                said.append(answer.text + str(answer.headers))
        said.append(guarded.post("/v1/recommend", content=b"{", headers={"Authorization": f"Bearer {keys[0]}"}).text)
        said.append(guarded.get("/nowhere", headers={"Authorization": f"Bearer {keys[0]}"}).text)
    hashes = [key.sha256 for key in KeyRing.read(secrets["file"]).keys.values()]
    for text in [*said, caplog.text]:
        found = [secret for secret in [*hidden, *hashes] if secret in text]
        assert not found, text
    assert any('"key": "' in record.getMessage() for record in caplog.records)  # the log names it by its id


def test_a_key_that_is_taken_back_ends_at_once(serving, tmp_path):
    ring, key = KeyRing().with_new("shop", ["recommend"])
    ring.write(tmp_path / "keys.json")
    with serving(keys=tmp_path / "keys.json") as client:
        assert call(client, "GET", "/v1/model", key).status_code == 200
        more, second = ring.with_new("second", ["admin"])
        more.write(tmp_path / "keys.json")
        assert call(client, "GET", "/v1/model", second).status_code == 200
        more.without(key.split("_", 2)[1]).write(tmp_path / "keys.json")
        assert call(client, "GET", "/v1/model", key).status_code == 401
        assert call(client, "GET", "/v1/model", second).status_code == 200
        (tmp_path / "keys.json").write_text("nonsense")
        assert call(client, "GET", "/v1/model", second).status_code == 401
        (tmp_path / "keys.json").unlink()
        assert call(client, "GET", "/v1/model", second).status_code == 401


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"keys": [{"id": "x"}]}', '{"keys": 5}', "\x00"])
def test_a_file_that_has_no_keys_is_refused(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        KeyRing.read(path)


def test_a_file_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "keys.json"
    KeyRing().write(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="other users"):
        KeyRing.read(path)


def test_the_openapi_text_says_which_scope_a_route_needs(guarded, secrets):
    text = call(guarded, "GET", "/openapi.json", secrets["recommend"]).json()
    assert "`events`" in text["paths"]["/v1/events"]["post"]["description"]
    assert text["paths"]["/admin/reload"]["post"]["security"]
    assert "security" not in text["paths"]["/health/live"]["get"]
