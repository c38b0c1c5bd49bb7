"""Limits hold while a body is still on its way, and for each key."""

import json
import socket
import time

import pytest

from genrec.serve.limits import RateLimiter


def talk(listening, head, *parts, wait=0.0):
    """Send raw bytes to a server, and read until it closes or says nothing more."""
    with socket.create_connection(("127.0.0.1", listening.port), timeout=10) as line:
        line.sendall(head.encode("latin-1"))
        for part in parts:
            try:
                line.sendall(part)
            except (BrokenPipeError, ConnectionResetError):
                break
            time.sleep(wait)
        said = b""
        while b"\r\n\r\n" not in said or b"}" not in said:
            try:
                got = line.recv(65536)
            except ConnectionResetError:
                break
            if not got:
                break
            said += got
    return said.decode("latin-1")


def head(length=None, chunked=False, path="/v1/events", kind="application/x-ndjson"):
    size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {length}"
    return f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{size}\r\n\r\n"


def test_a_body_that_is_announced_too_large_is_not_waited_for(listening):
    begin = time.monotonic()
    said = talk(listening, head(10**12))
    assert " 413 " in said.splitlines()[0]
    problem = json.loads(said.partition("\r\n\r\n")[2])
    assert (problem["field"], problem["limit"], problem["value"]) == ("body", 2 * 2**20, 10**12)
    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("path", ["/v1/events", "/v1/recommend"])
def test_a_body_of_no_announced_length_is_cut_where_the_limit_is(listening, path):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    kind = "application/x-ndjson" if path == "/v1/events" else "application/json"
    said = talk(listening, head(chunked=True, path=path, kind=kind), *[chunk] * 200)
    assert " 413 " in said.splitlines()[0]
    problem = json.loads(said.partition("\r\n\r\n")[2])
    assert problem["limit"] == 2 * 2**20
    assert problem["value"] <= 2 * 2**20 + 2**19  # it stopped there: 13 MB were on their way


def test_a_body_that_does_not_come_is_not_waited_for_forever(serving):
    import asyncio

    from genrec.serve.limits import bounded
    from genrec.serve.problems import Problem

    async def never():
        await asyncio.sleep(60)

    async def read():
        await bounded(never, 1000, None, 0.05)()

    with pytest.raises(Problem) as refused:
        asyncio.run(read())
    assert refused.value.status_code == 408


def test_the_rate_of_a_key_is_its_own(serving, secrets):
    with serving(keys=secrets["file"], rate_per_s=5) as client:

        def ask(scope):
            return client.get("/v1/model", headers={"Authorization": f"Bearer {secrets[scope]}"})

        answers = [ask("recommend") for _ in range(30)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:10] == [200] * 10
        refused = next(answer for answer in answers if answer.status_code == 429)
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["limit"] == 5
        assert ask("admin").status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_a_bucket_fills_again_and_never_overflows():
    now = [0.0]
    limiter = RateLimiter(10.0, clock=lambda: now[0])
    assert [limiter.wait("a") for _ in range(20)] == [0.0] * 20
    assert limiter.wait("a") == pytest.approx(0.1)
    now[0] = 0.35
    assert [limiter.wait("a") == 0.0 for _ in range(4)] == [True, True, True, False]
    now[0] = 1e6
    assert sum(limiter.wait("a") == 0.0 for _ in range(100)) == 20


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_body_that_is_not_said_to_be_json_is_not_read(client, kind):
    for path in ("/v1/recommend", "/v1/events", "/v1/items", "/v1/chat", "/admin/reload"):
        answer = client.post(path, content=b'{"history": ["i1"]}', headers={"Content-Type": kind})
        assert answer.status_code == 415
        assert answer.json()["field"] == "Content-Type"


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "", "[::2]", "0"])
def test_a_name_that_leads_here_by_a_trick_is_refused(client, host):
    answer = client.get("/v1/model", headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:9", "LOCALHOST:1"])
def test_names_of_this_machine_are_taken(client, host):
    assert client.get("/v1/model", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:9999", "http://[", "file://"])
def test_a_page_of_another_site_cannot_do_anything(client, origin):
    for method, path in (("POST", "/admin/reload"), ("DELETE", "/v1/users/u1"), ("POST", "/v1/events")):
        answer = client.request(method, path, headers={"Origin": origin})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    preflight = client.options("/v1/recommend", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
    assert "access-control-allow-origin" not in preflight.headers


def test_our_own_page_can(client):
    headers = {"Origin": "http://localhost"}
    assert client.post("/v1/recommend", json={"history": ["i1"]}, headers=headers).status_code == 200
