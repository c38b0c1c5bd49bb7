"""``genrec serve`` and ``genrec keys`` as a user runs them: a process of its own, signals, the keys' file."""

import gc
import json
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.error import HTTPError

import pytest
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.errors import ConfigError, ModelError
from genrec.events import EventStore
from genrec.recommend.recommender import Recommender
from genrec.serve.client import Client
from genrec.serve.settings import ServeSettings
from genrec.testing import toy_dataset
from genrec.testing.serving import ServerThread
from genrec.testing.tiny_base import save_tiny_base
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

runner = CliRunner()


def event(number):
    return {"event_id": f"e{number}", "user_id": "ann", "item_id": "i3", "kind": "interaction", "timestamp": number}


def test_sigterm_lets_what_is_under_way_finish_and_ends_with_0(server):
    running = server("--notice", "1").start()
    accepted, answers, stop = [], [], threading.Event()

    def work():
        number = 0
        while not stop.is_set():
            try:
                running.post("/v1/events", event(number := number + 1))
                accepted.append(f"e{number}")
                answers.append(running.post("/v1/recommend", {"user_id": "ann", "k": 5}))
            except HTTPError as error:  # told to go away is an answer too
                answers.append(error.code)
            except OSError:
                return

    worker = threading.Thread(target=work)
    worker.start()
    while len(answers) < 5:
        time.sleep(0.01)
    running.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert not running.is_ready()
    assert running.process.poll() is None  # it still answers, for those who have not seen it yet
    count = len(answers)
    time.sleep(0.3)
    assert len(answers) > count
    assert running.process.wait(30) == 0
    stop.set()
    worker.join()
    assert all(isinstance(answer, dict) for answer in answers)
    with EventStore.open(running.events) as store:
        assert {one.event.event_id for one in store.read()} >= set(accepted)


def test_sigint_without_notice_ends_it_too_and_no_child_is_left(server):
    running = server().start()
    assert running.stop(signal.SIGINT) == 0
    assert "Traceback" not in running.log.read_text()
    children = subprocess.run(["ps", "--ppid", str(running.process.pid)], capture_output=True, text=True)
    assert len(children.stdout.splitlines()) <= 1


def test_acknowledged_events_survive_a_kill(server, model_folder):
    running = server().start()
    for number in range(20):
        running.post("/v1/events", event(number))
    assert running.stop(signal.SIGKILL) == -signal.SIGKILL
    with ServerThread(model_folder, running.events, ServeSettings()) as again:
        client = Client(again.url)
        assert client.send_events([event(7)]) == {"accepted": 0, "duplicates": 1}
        assert len(client.user("ann")["events"]) == 20
        assert client.recommend(user_id="ann")["history"][-1] == "i3"


def test_a_language_model_is_served_quantized(server, tmp_path):
    toy, folder = toy_dataset(), tmp_path / "model"
    config = {
        "base": {"kind": "pretrained", "name": str(save_tiny_base(tmp_path / "base", toy.catalog.titles))},
        "items": {"kind": "atomic"},
        "training": {"epochs": 1, "validation_users": 0},
    }
    finetune(FinetuneConfig.from_mapping(config), toy, folder)
    asked = {"history": ["i3", "i4"], "prompt": "a comedy", "k": 5}

    def scores(quantization):
        found = Recommender.from_pretrained(folder, toy, quantization=quantization).recommend(**asked).items
        return {item.item_id: item.score for item in found}

    found = server("--quantization", "dynamic-int8", model=folder).start().post("/v1/recommend", asked)["items"]
    assert {item["item_id"]: item["score"] for item in found} == pytest.approx(scores("dynamic-int8"), abs=1e-4)
    assert scores("dynamic-int8") != pytest.approx(scores(None), abs=1e-4)


def test_a_broken_model_ends_the_server_and_is_named(tmp_path):
    (tmp_path / "nothing").mkdir()
    options = ["--port", "0", "--events", str(tmp_path / "events.db")]
    done = runner.invoke(app, ["serve", str(tmp_path / "nothing"), *options])
    assert isinstance(done.exception, ModelError)
    gc.unfreeze()  # this process goes on
    assert "nothing is not a model folder" in str(done.exception)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quantization", "int3"], "no quantization 'int3'"),
        (["--quantization", "nf4"], "from scratch"),
        (["--report", "nope.html"], "--report nope.html: there is no such file"),
    ],
)
def test_what_cannot_be_served_is_refused_at_the_start(model_folder, tmp_path, options, said):
    events = tmp_path / "events.db"
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that it ends, too, where it is not refused
        port = str(taken.getsockname()[1])
        done = runner.invoke(app, ["serve", str(model_folder), "--port", port, "--events", str(events), *options])
    assert isinstance(done.exception, ConfigError)
    assert said in str(done.exception)
    assert not events.exists()


def test_a_model_that_is_not_there_leaves_no_events_behind(tmp_path):
    events = tmp_path / "events.db"
    done = runner.invoke(app, ["serve", str(tmp_path / "nope"), "--port", "0", "--events", str(events)])
    assert isinstance(done.exception, ModelError)
    assert not events.exists()


def test_a_port_that_is_taken_is_said(model_folder, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options = ["--port", str(port), "--events", str(tmp_path / "events.db")]
        done = runner.invoke(app, ["serve", str(model_folder), *options])
    assert isinstance(done.exception, ConfigError)
    assert f"127.0.0.1:{port}" in str(done.exception)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "shop.example"])
def test_an_address_that_others_reach_needs_keys(model_folder, host):
    done = runner.invoke(app, ["serve", str(model_folder), "--host", host])
    assert isinstance(done.exception, ConfigError)
    assert "API keys" in str(done.exception)


def test_keys_are_made_listed_and_taken_back(tmp_path):
    keys = str(tmp_path / "keys.json")
    scopes = ["--scope", "recommend", "--scope", "events"]
    made = runner.invoke(app, ["keys", "add", "shop front", *scopes, "--keys", keys])
    secret = made.stdout.strip()
    assert secret.startswith("gr_")
    assert stat.S_IMODE(Path(keys).stat().st_mode) == 0o600
    assert secret.split("_", 2)[2] not in (tmp_path / "keys.json").read_text()
    listed = json.loads(runner.invoke(app, ["keys", "ls", "--keys", keys, "--json"]).stdout)
    assert [(one["name"], one["scopes"]) for one in listed] == [("shop front", ["recommend", "events"])]
    assert runner.invoke(app, ["keys", "rm", listed[0]["id"], "--keys", keys]).exit_code == 0
    assert json.loads(runner.invoke(app, ["keys", "ls", "--keys", keys, "--json"]).stdout) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["add", "x", "--scope", "everything"],
        ["add", "a\x1b[2Jb"],
        ["rm", "00000000"],
    ],
)
def test_keys_that_make_no_sense(tmp_path, arguments):
    keys = tmp_path / "keys.json"
    runner.invoke(app, ["keys", "add", "first", "--keys", str(keys)])
    before = keys.read_text()
    assert isinstance(runner.invoke(app, ["keys", *arguments, "--keys", str(keys)]).exception, ConfigError)
    assert keys.read_text() == before


def test_the_command_line_starts_without_the_server(tmp_path):
    loaded = "print([m for m in ('fastapi', 'uvicorn', 'prometheus_client', 'torch') if m in sys.modules])"
    code = f"import sys; from genrec.cli.main import app; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
