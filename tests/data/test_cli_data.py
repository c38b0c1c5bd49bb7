import json

import pytest
from typer.testing import CliRunner

from genrec.cli.data import app
from genrec.data.dataset import Dataset
from genrec.errors import DataError


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("uid,item_id,stars\na,x,5\na,y,1\nb,x,4\nb,,4\n")
    return path


def test_import_prints_json_alone(log, tmp_path):
    options = ("--map", "user_id=uid", "--map", "rating=stars", "--on-bad-rows", "skip", "--min-rating", "2")
    result = run("import", log, "--out", tmp_path / "out", *options, "--name", "shop", "--licence", "CC0", "--json")
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert report["interactions"] == {
        "file": "log.csv", "read": 4, "kept": 2, "skipped": 1, "dropped": {"min_rating": 1},
    }  # fmt: skip
    assert "line 5, column 'item_id'" in result.stderr
    dataset = Dataset.load(tmp_path / "out")
    assert (dataset.name, dataset.licence, dataset.source) == ("shop", "CC0", "log.csv")


def test_import_prints_a_table(log, tmp_path):
    result = run("import", log, "--out", tmp_path / "out", "--map", "user_id=uid", "--on-bad-rows", "skip")
    assert result.exit_code == 0
    for text in ("log.csv", "no timestamps: file order is time order", "items without a row", "2 (0 never met)"):
        assert text in result.stdout
    assert f"wrote {tmp_path / 'out'}" in result.stderr


def test_import_hands_its_errors_on(log, tmp_path):
    result = run("import", log, "--out", tmp_path / "out")
    assert isinstance(result.exception, DataError)
    assert result.exception.hint == "say which column it is: --map user_id=uid"


def test_a_mapping_needs_an_equals_sign(log, tmp_path):
    result = run("import", log, "--out", tmp_path / "out", "--map", "user_id")
    assert result.exit_code == 2
    assert "is not NAME=COLUMN" in result.stderr


def test_unknown_choices_are_usage_errors(log, tmp_path):
    for option in (("--format", "xls"), ("--on-bad-rows", "ignore"), ("--k-core", "0")):
        assert run("import", log, "--out", tmp_path / "out", *option).exit_code == 2


def test_list():
    sets = json.loads(run("list", "--json").stdout)
    assert [row["name"] for row in sets] == ["ml-100k", "toy"]
    assert all(row["available"] for row in sets)
    assert "toy" in run("list").stdout


def test_show_named_set_and_folder(tmp_path):
    Dataset.load("toy").save(tmp_path / "d")
    by_name, by_folder = (json.loads(run("show", where, "--json").stdout) for where in ("toy", tmp_path / "d"))
    assert by_name == by_folder
    assert by_name["interactions"] == 600
    text = run("show", "toy").stdout
    assert "last items of user u0" in text
    assert "Black Harbour" in text
    assert "Red River" not in text, "the first of ten items is not among the last five"
