"""What docs/serve.md and examples/ say is run: the shop's script, every curl command, the client, the visit."""

import itertools
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from genrec.serve.client import Client, RefusedError
from genrec.shipped import shipped_path
from genrec.testing.serving import is_ready

DOCUMENT = shipped_path("docs/serve.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def documented():
    """Each shell block of the document, and the JSON block that follows it, if one does."""
    blocks = list(BLOCK.finditer(DOCUMENT))
    for block, following in itertools.zip_longest(blocks, blocks[1:]):
        if block[1] == "sh":
            answered = following is not None and not DOCUMENT[block.end() : following.start()].strip()
            yield block[2], json.loads(following[2]) if answered else None


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """The shop of examples/, made and served by its own script."""
    folder = tmp_path_factory.mktemp("shop")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    script = shipped_path("examples/shop/run.sh")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + 240
    with (folder / "log").open("wb") as log:
        command = ["bash", str(script), str(folder), "--port", str(port)]
        running = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            while not is_ready(url):
                assert running.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
            yield url
            running.send_signal(signal.SIGTERM)
            assert running.wait(30) == 0
        finally:
            if running.poll() is None:  # with what the script started
                os.killpg(running.pid, signal.SIGKILL)


def answers(text):
    """The JSON texts that stand in a row."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text):
        value, at = decoder.raw_decode(text, at)
        found.append(value)
    return found


def same_shape(documented, answered, where="answer"):
    """Every field of the documented answer is in the real one, with a value of the same type."""
    if isinstance(documented, dict):
        assert isinstance(answered, dict), where
        for name, value in documented.items():
            assert name in answered, f"{where}.{name}"
            same_shape(value, answered[name], f"{where}.{name}")
    elif isinstance(documented, list):
        assert isinstance(answered, list), where
        assert bool(documented) <= bool(answered), where
        for part, real in zip(documented[:1], answered, strict=False):
            same_shape(part, real, f"{where}[0]")
    else:
        assert isinstance(answered, type(documented)) or (documented is None) == (answered is None), where


def test_every_command_of_the_document_answers_as_it_says(shop):
    count = 0
    for text, expected in documented():
        assert "curl" in text
        command = text.replace("localhost:8000", shop.removeprefix("http://"))
        command = command.replace("curl -s", "curl -sS --fail-with-body")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, (text, done.stdout, done.stderr)
        if expected is not None:
            same_shape(expected, answers(done.stdout)[-1])
        count += 1
    assert count >= 11


def test_the_limits_in_the_document_are_those_of_the_server(shop):
    limits = Client(shop).model()["limits"]
    for field, name in (("history", "history"), ("prompt", "prompt"), ("k", "k"), ("beams", "beams")):
        [row] = re.findall(rf"^\| `{field}` \|.*?\|(.*?)\|", DOCUMENT, re.MULTILINE)
        assert int(re.search(r"[\d,]+", row)[0].replace(",", "")) == limits[name], field


def test_the_visit(shop):
    script = shipped_path("examples/shop/visit.py")
    done = subprocess.run([sys.executable, str(script), shop], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "looks at Espresso Roast, 9.8 euro" in done.stdout
    assert "events deleted" in done.stdout


def test_the_client_does_what_the_routes_do(shop):
    client = Client(shop + "/")
    answer = client.recommend(history=["C01"], k=3, filters=["price<10"], explain=True)
    assert len(answer["items"]) == 3
    assert (
        client.recommend_all([{"history": ["C01"], "k": 3, "filters": ["price<10"]}])[0]["items"][0]["item_id"]
        == (answer["items"][0]["item_id"])
    )
    assert client.similar("T04", k=2)["history"] == ["T04"]
    assert client.find_items("teapot")["total"] == 2
    event = {"event_id": "c/1", "user_id": "a/b c", "item_id": "C01", "kind": "interaction"}
    assert client.send_events([event])["accepted"] == 1
    assert client.user("a/b c")["history"][0]["title"] == "Espresso Roast"
    assert client.forget("a/b c")["events"] == 1
    turn = client.chat("tea, please")
    assert client.chat("undo", turn["state"])["state"]
    assert client.send_items([{"item_id": "C01", "price": 9.9}]) == {"new": 0, "changed": 1}
    with pytest.raises(RefusedError, match="k") as refused:
        client.recommend(history=["C01"], k=1000)
    assert refused.value.problem["limit"] == 200


def test_the_client_comes_back_to_a_busy_server(model_folder, tmp_path):
    from genrec.serve.auth import KeyRing
    from genrec.serve.settings import ServeSettings
    from genrec.testing.serving import ServerThread

    ring, key = KeyRing().with_new("shop", ["admin"])
    ring.write(tmp_path / "keys.json")
    settings = ServeSettings(keys=tmp_path / "keys.json", rate_per_s=2)
    with ServerThread(model_folder, tmp_path / "events.db", settings) as running:
        client = Client(running.url, key)
        assert [client.model()["items"] for _ in range(6)] == [24] * 6
        hasty = Client(running.url, key, retries=0)
        with pytest.raises(RefusedError) as refused:
            [hasty.model() for _ in range(6)]
        assert refused.value.problem["status"] == 429
        with pytest.raises(RefusedError):
            Client(running.url, "gr_wrong").model()
