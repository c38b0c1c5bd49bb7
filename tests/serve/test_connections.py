"""Real connections to a server that is busy: what it turns away, what it gives up, what it finishes."""

import asyncio
import json
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from genrec.serve.client import Client, RefusedError
from genrec.serve.settings import ServeSettings
from genrec.testing.serving import ServerThread, train_toy_model


@pytest.fixture(scope="module")
def busy_server(model_folder, tmp_path_factory):
    """A server with room for few, and no fallback."""
    events = tmp_path_factory.mktemp("busy") / "events.db"
    settings = ServeSettings(timeout_s=20)
    with ServerThread(model_folder, events, settings, max_waiting=4, fallback=False) as running:
        yield running


@contextmanager
def held_up(running):
    """What decodes is busy until the block ends."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_):
        begun.set()
        go_on.wait(60)

    running.call(running.service.run(wait, timeout_s=60))
    assert begun.wait(30)
    try:
        yield
    finally:
        go_on.set()


def until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def post(running, path, body):
    head = {"Content-Type": "application/json"}
    request = Request(running.url + path, data=json.dumps(body).encode(), headers=head, method="POST")
    with urlopen(request, timeout=10) as answer:
        return json.load(answer)


def ask(running, body):
    """Send a request, and do not wait for the answer."""
    line = socket.create_connection(("127.0.0.1", running.port))
    text = json.dumps(body)
    kind = "Content-Type: application/json"
    head = f"POST /v1/recommend HTTP/1.1\r\nHost: localhost\r\n{kind}\r\nContent-Length: {len(text)}"
    line.sendall(f"{head}\r\n\r\n{text}".encode())
    return line


def test_who_hangs_up_frees_the_place(busy_server):
    decoded = busy_server.service.counts.decoded
    with held_up(busy_server):
        lines = [ask(busy_server, {"history": ["i1"]}) for _ in range(4)]
        until(lambda: busy_server.service.counts.waiting == 4)
        for line in lines:
            line.close()
        until(lambda: busy_server.service.counts.waiting == 0)
    assert Client(busy_server.url).recommend(history=["i2"])["source"] == "generator"
    assert busy_server.service.counts.decoded == decoded + 1  # nothing was computed for those who left
    assert sum('"status": 499' in line for line in busy_server.log) == 4


def test_beyond_the_queue_it_says_at_once_when_to_come_back(busy_server):
    hasty = Client(busy_server.url, retries=0)
    with held_up(busy_server):
        lines = [ask(busy_server, {"history": [f"i{n}"], "k": 2}) for n in range(4)]
        until(lambda: busy_server.service.counts.waiting == 4)
        begin = time.monotonic()
        with pytest.raises(RefusedError) as refused:
            hasty.recommend(history=["i9"])
        took = time.monotonic() - begin
        assert refused.value.problem["type"] == "urn:genrec:problem:queue-full"
        assert refused.value.problem["status"] == 429
        # Others are served meanwhile: finding items and taking events do not wait for the model.
        assert hasty.find_items("red")["total"] > 0
        event = {"event_id": "busy", "user_id": "ann", "item_id": "i1", "kind": "interaction"}
        assert hasty.send_events([event])["accepted"] == 1
    assert took < 1.0  # 100 ms on a machine that is not shared: tests/reliability
    for line in lines:
        with line:
            assert line.recv(65536).startswith(b"HTTP/1.1 200")  # none was lost


def test_turning_away_takes_no_memory(busy_server):
    hasty, memory = Client(busy_server.url, retries=0), psutil.Process().memory_info
    refused = 0
    with held_up(busy_server):
        lines = [ask(busy_server, {"history": [f"i{n}"], "k": 2}) for n in range(4)]
        until(lambda: busy_server.service.counts.waiting == 4)
        for number in range(900):
            if number == 300:
                before = memory().rss
            try:
                hasty.recommend(history=[f"i{n % 24}" for n in range(1000)])
            except RefusedError as error:
                refused += error.problem["status"] == 429
        assert memory().rss - before < 16 * 2**20
    assert refused == 900
    for line in lines:
        with line:
            assert line.recv(65536).startswith(b"HTTP/1.1 200")


def test_too_late_without_a_fallback_is_504(busy_server):
    with held_up(busy_server), pytest.raises(RefusedError) as late:
        Client(busy_server.url).recommend(history=["i1"], timeout_s=0.05)
    assert late.value.problem["status"] == 504
    assert busy_server.service.counts.waiting == 0


@contextmanager
def no_thread_left(running):
    """All threads that read files for the loop are busy until the block ends, as where a disk hangs."""
    go_on = threading.Event()

    async def occupy():
        for _ in range(64):
            asyncio.get_running_loop().run_in_executor(None, go_on.wait, 60)

    running.call(occupy()).result(30)
    try:
        yield go_on
    finally:
        go_on.set()


@pytest.mark.parametrize("path", ["/v1/recommend", "/v1/chat"])
def test_reading_what_is_known_of_a_user_counts_against_the_deadline(model_folder, tmp_path, path):
    body = {"user_id": "u1", "text": "a drama"} if path == "/v1/chat" else {"user_id": "u1"}
    with ServerThread(model_folder, tmp_path / "events.db", ServeSettings(timeout_s=1)) as running:
        with no_thread_left(running), pytest.raises(HTTPError) as late:
            post(running, path, body)
        problem = json.load(late.value)
        assert (problem["status"], problem["type"]) == (504, "urn:genrec:problem:deadline")
        assert "user" in problem["detail"]
        assert post(running, path, body)["items"]


def test_what_is_left_after_the_reading_is_what_the_answer_has(model_folder, tmp_path):
    serving = ServerThread(model_folder, tmp_path / "events.db", ServeSettings(timeout_s=4))
    with serving as running, held_up(running), no_thread_left(running) as go_on:
        threading.Timer(3.0, go_on.set).start()
        began = time.monotonic()
        assert post(running, "/v1/recommend", {"user_id": "u1"})["source"] == "fallback"
        assert time.monotonic() - began < 6  # 3 + 4 if it had all of it


def test_one_that_fails_ends_its_batch_and_frees_all_places(busy_server):
    with held_up(busy_server), pytest.raises(RefusedError) as refused:
        Client(busy_server.url, retries=0).recommend_all([{"history": [f"i{n}"]} for n in range(8)])
    assert refused.value.problem["status"] == 429
    assert refused.value.problem["field"].startswith("requests.")
    until(lambda: busy_server.service.counts.waiting == 0)


def test_several_clients_at_once_get_what_each_would_get_alone(model_folder, tmp_path):
    with ServerThread(model_folder, tmp_path / "events.db", ServeSettings()) as running:
        client = Client(running.url)
        alone = [client.recommend(history=[f"i{n}"], k=5)["items"] for n in range(24)]
        together = [None] * 24

        def work(number):
            together[number] = client.recommend(history=[f"i{number}"], k=5)["items"]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one, other in zip(alone, together, strict=True):
            assert [item["item_id"] for item in one] == [item["item_id"] for item in other]


def test_a_reload_under_load_loses_no_request(model_folder, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(model_folder, folder)
    with ServerThread(folder, tmp_path / "events.db", ServeSettings()) as running:
        client, answers, stop = Client(running.url, retries=0), [], threading.Event()
        expected = {client.model()["version"]: client.recommend(history=["i3"], k=5)["items"]}

        def work():
            while not stop.is_set():
                answers.append(client.recommend(history=["i3"], k=5))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        shutil.rmtree(folder)
        train_toy_model(folder, epochs=3)
        urlopen(Request(f"{running.url}/admin/reload", method="POST")).close()
        until(lambda: answers[-1]["model_version"] not in expected)
        expected[client.model()["version"]] = client.recommend(history=["i3"], k=5)["items"]
        stop.set()
        for thread in threads:
            thread.join()
        assert len(expected) == 2
        assert {answer["model_version"] for answer in answers} == set(expected)
        for answer in answers:  # each is whole: of the model that it names
            right = expected[answer["model_version"]]
            assert [item["item_id"] for item in answer["items"]] == [item["item_id"] for item in right]
