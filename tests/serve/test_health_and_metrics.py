"""Health checks, metrics, the log, and what every answer carries."""

import json
import logging
import re

import pytest
from starlette.testclient import TestClient

from genrec.errors import ModelError
from genrec.events import EventStore
from genrec.serve.app import create_app
from genrec.serve.engine import Service
from genrec.serve.settings import ServeSettings


def metric(client, name):
    found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def test_alive_is_not_ready(tmp_path):
    def broken():
        raise ModelError("no model")

    app = create_app(Service(broken), EventStore.open(tmp_path / "e.db"), ServeSettings())
    with TestClient(app, base_url="http://localhost") as client:
        assert client.get("/health/live").json() == {"status": "alive"}
        not_ready = client.get("/health/ready")
        assert not_ready.status_code == 503
        assert not_ready.headers["retry-after"] == "1"
        for path in ("/v1/model", "/v1/items", "/v1/tree", "/v1/users/u1"):
            assert client.get(path).status_code == 503
        assert client.post("/v1/recommend", json={"history": ["i1"]}).status_code == 503
        assert metric(client, "genrec_ready") == 0


def test_metrics_count_what_happened(client):
    name = 'genrec_requests_total{method="POST",route="/v1/recommend",status="200"}'
    before, answers = metric(client, name), metric(client, 'genrec_answers_total{source="generator"}')
    client.post("/v1/recommend", json={"requests": [{"history": ["i1"]}, {"history": ["i2"]}]})
    assert metric(client, name) == before + 1
    assert metric(client, 'genrec_answers_total{source="generator"}') == answers + 2
    assert metric(client, "genrec_ready") == 1
    text = client.get("/metrics").text
    assert f'genrec_model_info{{version="{client.get("/health/ready").json()["model_version"]}"}} 1.0' in text
    assert "process_open_fds" in text


def test_metrics_have_templates_and_no_paths(client):
    client.get("/v1/users/a-secret-name")
    client.get("/wp-admin/a-secret-name")
    client.request("BREW", "/v1/items")
    text = client.get("/metrics").text
    assert "a-secret-name" not in text
    assert 'route="/v1/users/{user_id}"' in text
    assert 'route="unmatched"' in text
    assert 'method="other"' in text


def test_a_request_keeps_its_name(client):
    assert client.get("/health/live", headers={"X-Request-ID": "shop-7.a_b"}).headers["x-request-id"] == "shop-7.a_b"
    for bad in ("a b", "x" * 65, "\x1b[2J", "ü", "a;b", ""):
        given = client.get("/health/live", headers={"X-Request-ID": bad.encode()}).headers["x-request-id"]
        assert re.fullmatch(r"[0-9a-f]{32}", given)
    answer = client.post("/v1/recommend", json={"history": ["i1"]}, headers={"X-Request-ID": "named"})
    assert answer.json()["request_id"] == "named"


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("GET", "/v1/model"), ("GET", "/nowhere")])
def test_every_answer_has_safe_headers(client, method, path):
    headers = client.request(method, path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_the_log_has_a_line_a_request_and_nothing_of_users(client, caplog):
    with caplog.at_level(logging.INFO, logger="genrec.serve.access"):
        body = {"user_id": "u1", "prompt": "hidden words", "history": ["i3"], "k": 4}
        client.post("/v1/recommend", json=body, headers={"X-Request-ID": "line-1"})
        client.get("/v1/users/nobody-knows")
    first, second = (json.loads(record.getMessage()) for record in caplog.records)
    assert (first["request_id"], first["route"], first["status"]) == ("line-1", "/v1/recommend", 200)
    assert (first["k"], first["requests"], first["fallbacks"]) == (4, 1, 0)
    assert first["ms"] > 0
    assert (second["route"], second["status"]) == ("/v1/users/{user_id}", 404)
    assert not re.search("hidden words|nobody-knows|u1|i3", caplog.text)


def test_what_nobody_foresaw_is_500_and_says_nothing(serving, caplog):
    with serving() as client:

        def fail(user_id):
            raise RuntimeError("secret inside")

        client.app.state.parts.store.taste = fail
        answer = client.post("/v1/recommend", json={"user_id": "u1"}, headers={"X-Request-ID": "failed-1"})
        assert answer.status_code == 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret" not in answer.text
        assert "failed-1" in caplog.text
        assert "secret inside" in caplog.text


def test_unknown_routes_and_methods_are_problems(client):
    for method, path, status in (("GET", "/v2", 404), ("GET", "/v1/recommend", 405), ("PUT", "/v1/items", 405)):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["hint"]
