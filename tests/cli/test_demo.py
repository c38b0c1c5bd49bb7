from __future__ import annotations

import json
from pathlib import Path

import pytest

from genrec.cli.demo import QUICK, demo, remove_made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    demo(out=out, quick=True)
    return out


def test_the_quick_demo_answers_every_prompt_and_history(made: Path):
    answers = json.loads((made / "quick" / "answers.json").read_text(encoding="utf-8"))
    assert [a["prompt"] for a in answers if "prompt" in a] == list(QUICK.prompts)
    assert [tuple(a["history"]) for a in answers if "prompt" not in a] == list(QUICK.histories)
    for answer in answers:
        recommended = [item["item_id"] for item in answer["items"]]
        assert len(recommended) == len(set(recommended)) == min(5, answer["eligible"])
        assert not set(recommended) & set(answer["history"])


def test_the_quick_demo_compares_with_every_baseline_and_beats_popularity(made: Path):
    report = json.loads((made / "quick" / "benchmark" / "report.json").read_text(encoding="utf-8"))
    found = {model["name"]: model["results"][0]["metrics"]["ndcg@10"]["mean"] for model in report["models"]}
    assert list(found) == ["popularity", "item-knn", "ease", "generative (small GPT)", "generative (small GPT), guided"]
    assert found["generative (small GPT)"] > found["popularity"]
    assert (made / "quick" / "benchmark" / "report.md").is_file()


def test_a_second_demo_reuses_the_first_and_says_so(made: Path, capsys: pytest.CaptureFixture[str]):
    folder = made / "quick"
    before = {path: path.stat().st_mtime_ns for path in (folder / "gpt").rglob("*")}
    answers = (folder / "answers.json").read_bytes()
    demo(out=made, quick=True)
    printed = capsys.readouterr().out
    assert before == {path: path.stat().st_mtime_ns for path in (folder / "gpt").rglob("*")}
    assert answers == (folder / "answers.json").read_bytes()
    assert printed.count("reused: ") == 2
    assert [line[0] for line in printed.splitlines() if line[1:3] == ". "] == ["1", "2", "3", "4"]


def test_fresh_removes_what_a_demo_made_and_nothing_else(tmp_path: Path):
    for made in ("gpt", "benchmark"):
        (tmp_path / made).mkdir()
        (tmp_path / made / "file").touch()
    (tmp_path / "answers.json").touch()
    (tmp_path / "thesis.txt").touch()
    remove_made(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
