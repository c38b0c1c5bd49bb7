"""A thousand malformed requests, none of which is the server's fault."""

import json
import socket

import numpy as np
import pytest

from genrec.testing.serving import is_ready

GOOD = {
    "/v1/recommend": {
        "user_id": "u1",
        "history": ["i1", "i2"],
        "prompt": "a comedy like Red River",
        "k": 5,
        "filters": ["year>=1980", "not genre=Drama"],
        "boosts": {"genre=Comedy": 0.5},
        "max_per_category": 3,
        "candidates": [f"i{n}" for n in range(24)],
        "include_seen": False,
        "beams": 10,
        "exact": False,
        "explain": True,
        "timeout_s": 5.0,
    },
    "/v1/similar": {"item_id": "i1", "k": 3, "filters": ["year>1970"]},
    "/v1/events": [
        {"event_id": "m", "user_id": "a", "item_id": "i1", "kind": "feedback", "value": "like", "timestamp": 5}
    ],
    "/v1/items": {"items": [{"item_id": "i1", "title": "Red River", "categories": ["Drama"], "year": 1970}]},
    "/v1/chat": {"text": "a comedy", "state": {"version": 1, "said": [], "shown": ["i1"]}, "user_id": "u1", "k": 3},
}
NASTY = [
    None, True, False, 0, -1, 1.5, 1e308, -1e308, float("nan"), float("inf"), 2**31, 2**63, 2**64, 10**400, "9" * 300,
    "", " ", "\0", "\x1b[2J", "\ud800", "\U0010ffff", "\u202e", "i1", "nope", "x" * 5000, "{{ 7*7 }}", "-0", "1e999",
    "'; DROP TABLE events; --", "../../etc", "http://127.0.0.1:1/", "year>", "((((", "not " * 400 + "year>1",
    "(" * 400, "year>" + "9" * 400, "year=nan", "title~'%_\\'", [], [[]], [None], ["i1"] * 1001, {}, {"": ""},
    {"a": {"b": {}}}, {"$ref": "#"},
]  # fmt: skip


def places(value, path=()):
    """Where something stands in a body."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield from places(part, (*path, name))


def replaced(value, path, new):
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def structural(generator, count):
    """Good bodies in which one or two parts are replaced by something nasty, dropped or doubled."""
    for _ in range(count):
        path = generator.choice(list(GOOD))
        body = GOOD[path]
        for _ in range(generator.integers(1, 3)):
            options = list(places(body))
            where = options[generator.integers(len(options))]
            body = replaced(body, where, NASTY[generator.integers(len(NASTY))])
        yield path, json.dumps(body).encode("utf-8", "surrogatepass")


def torn(generator, count):
    """Good bodies that are cut, with bytes that are flipped, or with others in between."""
    for _ in range(count):
        path = generator.choice(list(GOOD))
        raw = bytearray(json.dumps(GOOD[path]).encode())
        match generator.integers(3):
            case 0:
                raw = raw[: generator.integers(len(raw))]
            case 1:
                for at in generator.integers(len(raw), size=generator.integers(1, 6)):
                    raw[at] ^= 1 << generator.integers(8)
            case _:
                at = generator.integers(len(raw))
                raw[at:at] = generator.bytes(generator.integers(1, 20))
        yield path, bytes(raw)


def send(client, path, raw):
    return client.post(path, content=raw, headers={"Content-Type": "application/json"})


def test_a_thousand_malformed_bodies(client):
    generator, statuses = np.random.default_rng(6), []
    for path, raw in [*structural(generator, 600), *torn(generator, 400)]:
        answer = send(client, path, raw)
        statuses.append(answer.status_code)
        assert answer.status_code < 500, (path, raw[:300], answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail", "request_id"} <= set(answer.json())
    assert len(statuses) == 1000
    assert sum(status in (400, 404, 422) for status in statuses) > 700
    assert client.post("/v1/recommend", json={"history": ["i1"]}).json()["source"] == "generator"


@pytest.mark.parametrize(("open_", "close"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("path", list(GOOD))
def test_bodies_that_nest_without_end(client, path, open_, close):
    for depth in (50, 5_000, 100_000):
        answer = send(client, path, (open_ * depth + "1" + close * depth).encode())
        assert 400 <= answer.status_code < 500


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0}, {"limit": 201}, {"offset": -1}, {"offset": 2**70}, {"limit": "x"}, {"query": "x" * 501},
        {"query": "\0"}, {"query": "%"}, {"query": "\x1b[2J"}, {"query": "' OR 1=1"}, {"query": "(" * 300},
    ],
)  # fmt: skip
def test_queries_of_all_kinds(client, query):
    assert client.get("/v1/items", params=query).status_code in (200, 422)


@pytest.mark.parametrize("node", ["-1", "99999999999999999999", "x", "1.5", "", "0x1", "NaN"])
def test_nodes_of_all_kinds(client, node):
    assert client.get(f"/v1/tree?node={node}").status_code == 422


RAW = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /v1/model HTTP/1.1\r\n\r\n",
    b"GET /v1/model HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET " + b"/x" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"GET / HTTP/1.1\r\nHost: localhost\r\nX: \x00\x01\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET /%ff%00%0d%0a HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{}",
    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{}",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 200,
    bytes(range(256)) * 8,
]


@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_what_is_not_even_http(listening, raw):
    with socket.create_connection(("127.0.0.1", listening.port), timeout=10) as line:
        try:
            line.sendall(raw)
            line.shutdown(socket.SHUT_WR)
            said = b""
            while got := line.recv(65536):
                said += got
        except ConnectionResetError:
            pass
    assert b" 500 " not in said.split(b"\r\n")[0]
    assert is_ready(listening.url)
    assert "Traceback" not in "\n".join(listening.log)
