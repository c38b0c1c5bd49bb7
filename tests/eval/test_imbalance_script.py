"""The script that measures the tools against imbalance, on toy data."""

import json

import pytest

from eval.imbalance import BEFORE, QUICK, main


def test_tail_recall_before_and_after_is_written_for_every_tool(tmp_path, capsys):
    main(data="ml-100k", epochs=5, seed=0, quick=True, out=tmp_path / "imbalance.json", as_json=True)
    report = json.loads((tmp_path / "imbalance.json").read_text())
    assert json.loads(capsys.readouterr().out) == report
    assert report["data"] == "toy"
    assert report["tail_questions"] > 0
    assert [row["tool"] for row in report["rows"]] == list(QUICK)
    for row in report["rows"]:
        assert row["difference"] == pytest.approx(row["tail recall@10 after"] - row["tail recall@10 before"])
        assert row["low"] <= row["difference"] <= row["high"]
        assert row["tail recall@10 before"] == report["rows"][0]["tail recall@10 after"]
    assert (report["rows"][0]["tool"], report["rows"][0]["difference"]) == (BEFORE, 0)
    text = (tmp_path / "imbalance.md").read_text()
    assert all(f"| {name} |" in text for name in QUICK)
    assert "tail recall@10 before | tail recall@10 after" in text
