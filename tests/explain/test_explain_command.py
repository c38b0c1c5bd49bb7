"""``genrec explain`` as a user runs it."""

import json

import pytest
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.errors import UnknownIdError

runner = CliRunner()


def run(model, *arguments):
    return runner.invoke(app, ["explain", str(model), *arguments])


def test_sentences_and_tables(model_folder):
    done = run(model_folder, "--history", "i3,i4,i5", "-k", "2", "--top", "2", "--latest", "2")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("1. White Mirror: because of “Black Harbour”")
    assert "place without" in done.stdout
    assert done.stdout.count("│ i5 ") == 2


def test_json_has_every_fact(model_folder):
    done = run(model_folder, "--user=u2", "--prompt", "comedy after 1975", "--filter", "year<2010", "-k2", "--json")
    assert done.exit_code == 0, done.output
    explanations = json.loads(done.stdout)["explanations"]
    assert len(explanations) == 2
    first = explanations[0]
    assert {"item_id", "title", "place", "history", "words", "evidence", "filters", "sentence"} <= first.keys()
    assert len(first["history"]) == 6
    assert [word["text"] for word in first["words"]] == ["comedy", "after 1975"]
    assert [one["expression"] for one in first["filters"]] == ["year<2010", "year>1975"]


def test_nothing_to_explain(model_folder):
    assert "no items" in run(model_folder, "--history", "i3", "--filter", "year>3000").stdout
    done = run(model_folder)
    assert done.exit_code == 2
    assert "--prompt" in done.stderr
    with pytest.raises(UnknownIdError):
        raise run(model_folder, "--history", "nope").exception
