"""``genrec recommend`` as a user runs it."""

import json
import re

import pytest
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.errors import FilterError, ModelError, UnknownIdError
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

runner = CliRunner()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    mapping = {
        "base": {"kind": "scratch", "layers": 1, "width": 32, "heads": 2},
        "items": {"kind": "atomic"},
        "training": {"epochs": 1, "validation_users": 0},
    }
    finetune(FinetuneConfig.from_mapping(mapping), "toy", folder)
    return str(folder)


def recommend(model, *arguments):
    return runner.invoke(app, ["recommend", model, *arguments])


def answer(model, *arguments):
    done = recommend(model, *arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_history_gives_a_table(model):
    done = recommend(model, "--history", "i3, i4", "-k", "3")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert all(name in lines[0] + lines[1] for name in ("item_id", "title", "score"))
    items = re.findall(r"\bi\d+\b", done.stdout)
    assert len(set(items)) == 3
    assert not {"i3", "i4"} & set(items)


def test_what_was_understood_is_shown(model):
    done = recommend(model, "--prompt", "comedy like Red River, after 1980")
    assert done.stdout.startswith("understood: liked=['Red River'], wanted=['Comedy'], filters=['year>1980']")
    said = answer(model, "--prompt", "comedy like Red River, after 1980")
    assert said["understood"]["liked"] == ["Red River"]
    assert said["history"] == ["i0"]


def test_json_has_everything(model):
    said = answer(model, "--user=u2", "--history=i20", "-k4", "--filter", "year>=1975", "--filter", "genre=Drama")
    assert len(said["items"]) == 4
    assert said["items"][0].keys() == {"item_id", "title", "score", "logprob"}
    assert said["history"][-1] == "i20"
    assert said["filters"] == ["year>=1975", "genre=Drama"]
    assert said["understood"] is None


def test_fewer_than_asked_for_says_why(model):
    done = recommend(model, "--history", "i3", "--filter", "year<1973")
    assert "only these 3 items pass the filters and were not seen yet" in done.stdout
    done = recommend(model, "--history", "i3", "--filter", "year<1000")
    assert done.stdout == "no items pass the filters and were not seen yet\n"


def test_include_seen_and_exact(model):
    seen = answer(model, "--history", "i3", "-k", "24", "--include-seen", "--exact")
    assert len(seen["items"]) == 24


def test_nothing_to_recommend_for_is_a_usage_error(model):
    done = recommend(model)
    assert done.exit_code == 2
    assert "--prompt" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--history", "nope"], UnknownIdError),
        (["--user", "nope"], UnknownIdError),
        (["--history", "i1", "--filter", "nope=1"], FilterError),
    ],
)
def test_errors_are_those_of_python(model, arguments, error):
    assert isinstance(recommend(model, *arguments).exception, error)


def test_a_folder_that_is_no_model(tmp_path):
    assert isinstance(recommend(str(tmp_path), "--history", "i1").exception, ModelError)
