"""``genrec finetune`` as a user runs it."""

import json

import pytest
from typer.testing import CliRunner

from genrec.cli.main import app
from genrec.errors import ConfigError
from genrec.model.folder import load_model

runner = CliRunner()
SMALL = ("base.layers=1", "base.width=32", "base.heads=2", "training.epochs=1", "training.validation_users=5")


def finetune(out, *more):
    settings = [part for setting in SMALL for part in ("--set", setting)]
    config = "finetune/configs/gpt-atomic.yaml"
    return runner.invoke(app, ["finetune", "--config", config, "--data", "toy", "--out", str(out), *settings, *more])


def test_a_shipped_configuration_trains_a_model(tmp_path):
    done = finetune(tmp_path / "model")
    assert done.exit_code == 0, done.output
    assert "estimate: 540 tokens" in done.stderr
    assert "items: atomic: 24 items" in done.stderr
    assert "validation NDCG@10" in done.stdout
    assert f"genrec recommend {tmp_path / 'model'}" in done.stdout
    assert load_model(tmp_path / "model").description.dataset.name == "toy"


def test_json_is_alone_on_stdout(tmp_path):
    done = finetune(tmp_path / "model", "--json")
    report = json.loads(done.stdout)
    assert report["model"] == str(tmp_path / "model")
    assert report["tokens"] == 540
    assert report["best_epoch"] == 1


def test_estimate_only_trains_nothing(tmp_path):
    done = finetune(tmp_path / "model", "--estimate-only")
    assert done.exit_code == 0
    assert "estimate: " in done.stderr
    assert not (tmp_path / "model").exists()


def test_an_estimate_is_json_when_asked_for(tmp_path):
    done = finetune(tmp_path / "model", "--estimate-only", "--json")
    report = json.loads(done.stdout)
    assert report["tokens"] == 540
    assert report["memory_bytes"] > 0
    assert not (tmp_path / "model").exists()


def test_the_next_command_can_be_pasted(tmp_path):
    done = finetune(tmp_path / "my model")
    assert f"genrec recommend '{tmp_path / 'my model'}'" in done.stdout


def test_a_run_that_was_started_is_resumed(tmp_path):
    assert finetune(tmp_path / "model", "--set", "training.checkpoint_minutes=0").exit_code == 0
    (tmp_path / "model" / "genrec.json").unlink()  # as if it had been killed before the end
    done = finetune(tmp_path / "model", "--set", "training.checkpoint_minutes=0", "--resume")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "model" / "genrec.json").exists()


def test_what_never_changes_is_said_once(tmp_path, caplog):
    with caplog.at_level("INFO", "genrec"):
        finetune(tmp_path / "model", "--set", "training.epochs=2")
    assert caplog.text.count("epoch ") == 2
    assert caplog.text.count("targets are in") <= 1


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--set", "training.epoch=3"], "training.epoch"),
        (["--set", "training.epochs"], "expected key=value"),
        (["--set", "training.epoch=3"], "--set training.epoch=3: there is no key"),
        (["--resume"], "there is no run to resume"),
        (["--config", "no/such.yaml"], "cannot be read"),
        (["--config", "gpt-atomic"], "did you mean finetune/configs/gpt-atomic.yaml"),
    ],
)
def test_what_is_not_right_is_a_usage_error(tmp_path, more, message):
    done = finetune(tmp_path / "model", *more)
    assert isinstance(done.exception, ConfigError)
    assert message in str(done.exception)
    assert done.exception.exit_status == 2
    assert not (tmp_path / "model").exists()
