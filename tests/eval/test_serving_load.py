import json

import pytest

from eval.serving_load import Part, main
from genrec.testing import toy_dataset
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("load") / "model"
    config = FinetuneConfig.from_mapping(
        {
            "base": {"kind": "scratch", "layers": 1, "width": 16, "heads": 2},
            "items": {"kind": "atomic"},
            "training": {"epochs": 1, "validation_users": 0},
        }
    )
    finetune(config, toy_dataset(), folder)
    return folder


PARTS = [Part.latency, Part.sustained, Part.poisson, Part.returning]  # the language model is measured alike


def test_a_server_is_measured_against_its_bars(model, tmp_path, capsys):
    out = tmp_path / "load.json"
    main(
        model, language_model=model, data="toy", part=",".join(PARTS), seconds=1.0, is_quick=True, out=out, as_json=True
    )
    report = json.loads(out.read_text())
    assert json.loads(capsys.readouterr().out) == report
    assert set(report["parts"]) == set(PARTS)
    results = {name: part["results"] for name, part in report["parts"].items()}
    assert results["latency"]["requests"] == 10
    loads = [results["latency"], results["sustained"], *results["poisson"].values()]
    for load in loads:
        assert load["statuses"] == {"200": load["requests"]}
        assert 0 < load["p50_ms"] <= load["p99_ms"] <= load["max_ms"]
    assert results["sustained"]["process"]["rss_mib"]["most"] > 50
    assert results["sustained"]["metrics"]["genrec_ready"] == 1
    assert results["returning"]["users"] == 3
    assert all({"cores", "cpu"} <= set(part["made"]["machine"]) for part in report["parts"].values())
    assert len([bar for part in report["parts"].values() for bar in part["bars"]]) == 7
    main(model, data="toy", part="latency", is_quick=True, out=out, as_json=True)
    again = json.loads(out.read_text())["parts"]
    assert set(again) == set(PARTS)
    assert again["sustained"] == report["parts"]["sustained"]
