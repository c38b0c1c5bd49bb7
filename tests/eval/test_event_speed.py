import json

from eval.event_speed import SHAPES, main


def test_every_shape_is_measured(tmp_path, capsys):
    main(seconds=0.2, folder=tmp_path, as_json=True)
    report = json.loads(capsys.readouterr().out)
    assert len(report["shapes"]) == len(SHAPES)
    assert all(figures["events_per_second"] > 0 for figures in report["shapes"].values())
    assert report["stored"] > 0
    assert report["history_ms"] < 1_000
    assert not list(tmp_path.iterdir())
