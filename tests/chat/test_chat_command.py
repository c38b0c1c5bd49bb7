"""``genrec chat`` as a user runs it: lines in, answers out."""

import json

import pytest
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.errors import ConfigError
from genrec.testing.serving import train_toy_model

runner = CliRunner()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(train_toy_model(tmp_path_factory.mktemp("chat") / "model"))


def chat(model, lines, *arguments):
    done = runner.invoke(app, ["chat", model, *arguments], input=lines)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_conversation(model):
    out = chat(model, "a comedy like Red River\n\nmore like the second\nundo\nquit\nnever read\n", "-k", "3")
    assert out.count("Looking for: like Red River; Comedy.") == 2
    assert out.count("item_id") == 3
    assert "Forgotten: " in out
    assert "\x1b" not in out


def test_json_lines_and_a_state_that_is_kept(model, tmp_path):
    path = tmp_path / "talk.json"
    first = [
        json.loads(line) for line in chat(model, "comedy\nafter 1975\n", "--json", "--state", str(path)).splitlines()
    ]
    assert [len(turn["items"]) for turn in first] == [5, 5]
    assert json.loads(path.read_text()) == first[-1]["state"]
    (second,) = [
        json.loads(line) for line in chat(model, "forget the year\n", "--json", "--state", str(path)).splitlines()
    ]
    assert [one["text"] for one in second["understood"]["taken_back"]] == ["after 1975"]
    assert [one["text"] for one in second["state"]["said"]] == ["Comedy"]


@pytest.mark.parametrize("content", [b"{", b'{"said": 3}', b"\xff"])
def test_a_state_that_is_none_is_named(model, tmp_path, content):
    path = tmp_path / "talk.json"
    path.write_bytes(content)
    error = runner.invoke(app, ["chat", model, "--state", str(path)], input="comedy\n").exception
    assert isinstance(error, ConfigError)
    assert str(path) in error.message
    assert "remove it" in error.hint
    assert path.read_bytes() == content


def test_an_empty_history_is_a_usage_error(model):
    done = runner.invoke(app, ["chat", model, "--history", ""], input="comedy\n")
    assert done.exit_code == 2
    assert "--history is empty" in done.stderr


def test_a_history_is_read(model):
    out = chat(model, "no drama\n", "--history", "i3, i4", "--json", "-k", "24")
    assert not {"i3", "i4"} & {item["item_id"] for item in json.loads(out)["items"]}


def test_control_characters_do_not_reach_the_terminal(model):
    assert "\x1b" not in chat(model, "comedy \x1b[2Jxyz\n")
