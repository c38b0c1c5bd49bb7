"""Real processes: killed and resumed, and two of them training together."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from safetensors.torch import load_file

from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune as train

GENREC = ["-c", "from genrec.cli.main import main; main()"]
CONFIG = """
base: {kind: scratch, layers: 1, width: 32, heads: 2, dropout: DROPOUT}
items: {kind: atomic}
prompt: {max_items: 10, max_tokens: 32}
training: {epochs: 3, tokens_per_batch: 80, checkpoint_minutes: 0, validation_users: 10, validation_beams: 5}
"""


@pytest.fixture
def config(tmp_path):
    def write(dropout):
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.replace("DROPOUT", str(dropout)))
        return path

    return write


def finetune(config, out, *more):
    return [*GENREC, "finetune", "--config", str(config), "--data", "toy", "--out", str(out), *more]


def run(*arguments):
    environment = os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done


def records(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "tokens_per_second"} for line in lines]


def assert_same_model(first, second, tolerance):
    for name in ("model.safetensors", "code_head.safetensors"):
        ours, theirs = load_file(first / name), load_file(second / name)
        for key, tensor in ours.items():
            torch.testing.assert_close(tensor, theirs[key], rtol=tolerance, atol=tolerance, msg=key)


def test_killed_and_resumed_it_ends_as_if_it_had_never_stopped(config, tmp_path):
    config = config(0.2)
    train(FinetuneConfig.from_yaml(config), "toy", tmp_path / "whole")
    out = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, *finetune(config, out)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list((out / "checkpoints").glob("step-*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (out / "genrec.json").exists()
    run(*finetune(config, out, "--resume"))
    steps = [record["step"] for record in records(out) if "loss" in record]
    assert steps == list(range(1, len(steps) + 1))
    assert records(out) == [pytest.approx(record, rel=1e-5) for record in records(tmp_path / "whole")]
    assert_same_model(out, tmp_path / "whole", 1e-6)


@pytest.mark.parametrize("head", ["{}", "{one_position: true, node_residual: true}"])
def test_two_processes_take_the_steps_of_one_that_accumulates_two_batches(config, tmp_path, head):
    """An odd number of batches an epoch: in its last step one process has none of its own."""
    config = config(0.0)
    train(FinetuneConfig.from_yaml(config, ["training.accumulate=2", f"head={head}"]), "toy", tmp_path / "one")
    script = tmp_path / "genrec_main.py"
    script.write_text("from genrec.cli.main import main\nmain()\n")
    both = finetune(config, tmp_path / "two", "--set", f"head={head}")[2:]
    run("-m", "torch.distributed.run", "--nproc_per_node=2", str(script), *both)
    assert records(tmp_path / "two") == [pytest.approx(record, rel=1e-4) for record in records(tmp_path / "one")]
    assert_same_model(tmp_path / "one", tmp_path / "two", 1e-4)
