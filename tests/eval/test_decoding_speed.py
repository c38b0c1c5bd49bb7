import json

from eval.decoding_speed import Part, main

PARTS = [Part.trie, Part.step, Part.weights, Part.titles]  # codes are decoded and measured as titles are


def test_parts_are_measured_against_their_bars(tmp_path, capsys):
    out = tmp_path / "speed.json"
    main(part=",".join(PARTS), quick=True, out=out, as_json=True)
    report = json.loads(out.read_text())
    assert json.loads(capsys.readouterr().out) == report
    assert set(report["parts"]) == set(PARTS)
    assert all(len(measured["bars"]) >= 2 for measured in report["parts"].values())
    ours = report["parts"][Part.titles]["results"]["genrec"]
    spent = ours["profile"]["seconds"]
    assert {"prefill", "level passes", "head", "selection", "all else"} <= set(spent)
    assert abs(sum(spent.values()) - 2 * spent["total"]) < 0.5 * spent["total"]
    assert ours["profile"]["floor_seconds"] > 0
    assert ours["peak_bytes_of_decoding"] > 0
