import json

from eval.decoding_speed import Part, main


def test_every_part_is_measured_against_its_bars(tmp_path, capsys):
    out = tmp_path / "speed.json"
    main(part=",".join(Part), quick=True, out=out, as_json=True)
    report = json.loads(out.read_text())
    assert json.loads(capsys.readouterr().out) == report
    assert set(report["parts"]) == set(Part)
    for measured in report["parts"].values():
        assert all(one["value"] > 0 or "adds" in one["name"] or "add" in one["name"] for one in measured["bars"])
    for name in (Part.small, Part.smollm2):
        ours = report["parts"][name]["results"]["genrec"]
        spent = ours["profile"]["seconds"]
        assert {"prefill", "level passes", "head", "selection", "all else"} <= set(spent)
        assert abs(sum(spent.values()) - 2 * spent["total"]) < 0.5 * spent["total"]
        assert ours["profile"]["floor_seconds"] > 0
        assert ours["peak_bytes_of_decoding"] > 0
