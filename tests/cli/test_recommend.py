"""``genrec recommend`` as a user runs it."""

import json
import re
import subprocess
import sys

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.data.catalog import Catalog
from genrec.errors import ConfigError, FilterError, ModelError, UnknownIdError
from genrec.testing import toy_dataset
from genrec.testing.tiny_base import save_tiny_base
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
    assert said["items"][0].keys() == {"item_id", "title", "score", "logprob", "new"}
    assert said["history"][-1] == "i20"
    assert said["filters"] == ["year>=1975", "genre=Drama"]
    assert said["understood"] is None


def test_fewer_than_asked_for_says_why(model):
    done = recommend(model, "--history", "i3", "--filter", "year<1973")
    assert "only these 3 items pass the filters and were not seen yet" in done.stdout
    done = recommend(model, "--history", "i3", "--filter", "year<1000")
    assert done.stdout == "no items pass the filters and were not seen yet\n"


def test_a_value_that_no_item_has_is_told_its_nearest(model, caplog):
    done = recommend(model, "--history", "i3", "--filter", "categories=comdey or year>1000", "--boost", "genre=War:1")
    assert done.exit_code == 0
    assert caplog.messages == ["no item has categories='comdey': did you mean 'Comedy'?", "no item has genre='War'"]
    caplog.clear()
    assert recommend(model, "--history", "i3", "--filter", "genre=comedy and not genre=drama").exit_code == 0
    assert caplog.messages == []


def test_include_seen_and_exact(model):
    seen = answer(model, "--history", "i3", "-k", "24", "--include-seen", "--exact")
    assert len(seen["items"]) == 24


def test_new_items_have_the_last_places_and_are_told_as_new(tmp_path):
    toy = toy_dataset()
    rows = pa.table({"item_id": ["n0"], "title": [f"{toy.catalog.titles[3]} Returns"]})
    catalog = Catalog(pa.concat_tables([toy.catalog.table, rows], promote_options="default"))
    toy.with_catalog(catalog).save(tmp_path / "data")
    mapping = {
        "base": {"kind": "scratch", "layers": 1, "width": 32, "heads": 2},
        "items": {"kind": "atomic"},
        "training": {"epochs": 1, "validation_users": 0},
    }
    finetune(FinetuneConfig.from_mapping(mapping), tmp_path / "data", tmp_path / "model")
    found = answer(str(tmp_path / "model"), "--history", "i3", "-k", "3", "--new-items", "2")
    assert [item["new"] for item in found["items"]] == [False, False, True]
    assert found["items"][-1]["item_id"] == "n0"
    done = recommend(str(tmp_path / "model"), "--history", "i3", "-k", "3", "--new-items", "2")
    assert "3 new │ n0" in done.stdout
    done = recommend(str(tmp_path / "model"), "--history", "i3", "-k", "3", "--new-items", "4")
    assert "new_items must be 0 to k=3" in str(done.exception)


def test_boosts_caps_and_candidates(model):
    plain = answer(model, "--history", "i3", "-k", "23", "--exact")
    boosted = answer(
        model,
        "--history=i3",
        "-k23",
        "--exact",
        "--boost=genre=Comedy:0.5",
        "--boost",
        "genre=Comedy:-1",
        "--boost=year<1980:2",
    )
    scores = {item["item_id"]: item["score"] - item["logprob"] for item in boosted["items"]}
    assert {item["item_id"] for item in plain["items"]} == scores.keys()
    assert {round(score, 3) for score in scores.values()} == {0.0, -0.5, 2.0, 1.5}
    few = answer(model, "--history", "i3", "--candidates", "i1, i3,i5", "--max-per-category", "1")
    assert {item["item_id"] for item in few["items"]} <= {"i1", "i5"}
    done = recommend(model, "--history", "i3", "--max-per-category", "1", "-k", "20")
    assert "of 23 items that pass the filters" in done.stdout


@pytest.mark.parametrize("boost", ["genre=Comedy", "genre=Comedy:much", "0.5", ":"])
def test_a_boost_without_a_weight_is_a_usage_error(model, boost):
    done = recommend(model, "--history", "i3", "--boost", boost)
    assert done.exit_code == 2
    assert "--boost" in done.stderr


@pytest.mark.parametrize("option", ["--prompt", "--history", "--user"])
def test_what_is_empty_is_a_usage_error(model, option):
    for command in ("recommend", "explain"):
        done = runner.invoke(app, [command, model, option, " "])
        assert done.exit_code == 2
        assert f"{option} is empty" in done.stderr


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


@pytest.mark.parametrize("quantization", ["int3", "nf4", "dynamic-int8"])
def test_a_quantization_that_does_not_apply_is_refused(model, quantization):
    error = recommend(model, "--history", "i1", "--quantization", quantization).exception
    assert isinstance(error, ConfigError)
    assert ("dynamic-int8" in error.hint) if quantization == "int3" else ("from scratch" in error.message)
    assert recommend(model, "--history", "i1", "--quantization", "none").exit_code == 0


def test_an_int8_model_does_not_speak_of_every_layer(tmp_path):
    titles = toy_dataset().catalog.titles
    mapping = {
        "base": {"kind": "pretrained", "name": str(save_tiny_base(tmp_path / "base", titles))},
        "items": {"kind": "atomic"},
        "training": {"epochs": 1, "validation_users": 0},
    }
    finetune(FinetuneConfig.from_mapping(mapping), "toy", tmp_path / "model")
    command = [sys.executable, "-m", "genrec", "recommend", str(tmp_path / "model"), "--history", "i1"]
    done = subprocess.run([*command, "--quantization", "int8"], capture_output=True, text=True, check=True)
    assert "MatMul8bitLt" not in done.stderr
    assert done.stdout.count("│ i") == 10


def test_a_folder_that_is_no_model(tmp_path):
    assert isinstance(recommend(str(tmp_path), "--history", "i1").exception, ModelError)
