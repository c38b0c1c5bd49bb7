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


def explained(model, *arguments):
    done = run(model, "--history", "i3,i4", "--json", *arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)["explanations"]


def test_boosts_are_named_and_what_is_excluded_is_not(model_folder):
    plain = explained(model_folder, "-k", "3")
    first, category = plain[0], "categories=Comedy"
    boosted = explained(model_folder, "-k", "3", "--boost", f"{category}:0.5", "--boost", f"{category}:8")
    assert boosted[0]["boosts"] == [{"expression": category, "weight": 8.5}]
    assert boosted[0]["score"] == pytest.approx(boosted[0]["logprob"] + 8.5, abs=1e-4)
    others = explained(model_folder, "-k", "3", "--exclude", first["item_id"])
    assert [one["item_id"] for one in others][:2] == [one["item_id"] for one in plain[1:]]
    assert run(model_folder, "--history", "i3", "--boost", "Comedy").exit_code == 2


def test_without_what_guides_the_search_the_score_is_the_model_s(guided_folder):
    guided, alone = explained(guided_folder), explained(guided_folder, "--no-evidence")
    assert any(abs(one["score"] - one["logprob"]) > 1e-3 for one in guided)
    assert all(one["score"] == pytest.approx(one["logprob"], abs=1e-4) for one in alone)
    assert any(reason["guided"] for one in guided for reason in one["history"])
    assert not any(reason["guided"] for one in alone for reason in one["history"])


def test_nothing_to_explain(model_folder):
    assert "no items" in run(model_folder, "--history", "i3", "--filter", "year>3000").stdout
    done = run(model_folder)
    assert done.exit_code == 2
    assert "--prompt" in done.stderr
    with pytest.raises(UnknownIdError):
        raise run(model_folder, "--history", "nope").exception
