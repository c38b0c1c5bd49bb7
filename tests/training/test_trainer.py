"""The loop: what must not change its steps."""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from genrec.errors import TrainingError
from genrec.testing import toy_dataset
from genrec.training import loop
from genrec.training.batches import collate, grouped
from genrec.training.checkpoint import last_progress, list_checkpoints, remove_checkpoints
from genrec.training.data import load_training_data
from genrec.training.finetune import _build
from genrec.training.loop import Trainer


class Stop(Exception):
    """Ends a run in the middle, as a kill would."""


class Run:
    """A trainer on toy data, and what its run wrote."""

    def __init__(self, config, folder, validate=None):
        parts = load_training_data(config, toy_dataset(users=40, length=8))
        built = _build(config, parts.train, torch.device("cpu"))
        self.generator = built.generator
        self.folder = folder
        source = parts.examples(config, built.builder)
        self.trainer = Trainer(self.generator, source, config.training, folder, validate)

    def train(self, resume=False):
        return self.trainer.train(resume=resume)

    def train_until(self, step):
        """Train, and be stopped after a step has been logged and before anything else happens."""
        save = self.trainer._save_if_due

        def save_or_stop(log):
            if self.trainer._progress.step == step:
                raise Stop
            save(log)

        self.trainer._save_if_due = save_or_stop
        with pytest.raises(Stop):
            self.train()

    @property
    def records(self):
        return [json.loads(line) for line in (self.folder / "metrics.jsonl").read_text().splitlines()]

    @property
    def losses(self):
        return [(record["step"], record["loss"]) for record in self.records if "loss" in record]

    @property
    def weights(self):
        return {name: tensor.detach().clone() for name, tensor in self.generator.trainable().items()}


def assert_same(first, second, tolerance=1e-6):
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        torch.testing.assert_close(tensor, second[name], rtol=tolerance, atol=tolerance, msg=name)


@pytest.fixture
def config(toy_config):
    """With dropout, so that its randomness must be right too."""
    base = {"kind": "scratch", "layers": 1, "width": 32, "heads": 2, "dropout": 0.2}
    return lambda *overrides: toy_config("training.checkpoint_minutes=0", *overrides, base=base)


def test_accumulating_eight_batches_of_one_is_one_batch_of_eight(toy_config, tmp_path):
    """Histories of 6 train items are 7 tokens: 7 tokens a batch are one of them, 56 are eight."""
    small = Run(toy_config("training.tokens_per_batch=7", "training.accumulate=8"), tmp_path / "small")
    large = Run(toy_config("training.tokens_per_batch=56"), tmp_path / "large")
    for run in (small, large):
        run.trainer._groups = lambda epoch, skip, run=run: iter(regrouped(run.trainer))
        run.train()
    assert small.losses == [(step, pytest.approx(loss, rel=1e-5)) for step, loss in large.losses]
    assert len(small.losses) == 2 * 5
    assert_same(small.weights, large.weights, 1e-4)


def regrouped(trainer):
    """The examples in their order, cut into batches without shuffling."""
    examples = list(trainer.source.epoch(0, 0))
    size, config = trainer.config.tokens_per_batch // 7, trainer.config
    batches = [collate(examples[start : start + size]) for start in range(0, len(examples), size)]
    return grouped(batches, config.accumulate)


def test_the_same_seed_trains_the_same_model(config, tmp_path):
    runs = [Run(config(f"training.seed={seed}"), tmp_path / str(number)) for number, seed in enumerate((1, 1, 2))]
    for run in runs:
        run.train()
    assert runs[0].losses == runs[1].losses != runs[2].losses
    assert_same(runs[0].weights, runs[1].weights, 0)


@pytest.mark.parametrize("step", [1, 3, 4, 5, 8], ids=lambda step: f"stopped after step {step}")
def test_a_resumed_run_is_the_uninterrupted_one(config, tmp_path, step):
    """At any step, that of an epoch's end and a validation's included; 4 steps an epoch."""
    scores = [0.3, 0.5, 0.4]
    settings = config("training.epochs=3", "training.validation_users=9", "training.tokens_per_batch=80")
    whole = Run(settings, tmp_path / "whole", validate=iter(scores).__next__)
    expected = whole.train()
    assert expected.steps == 12
    stopped = Run(settings, tmp_path / "stopped", validate=iter(scores).__next__)
    stopped.train_until(step)
    resumed = Run(settings, tmp_path / "stopped", validate=iter(scores[max(step - 1, 0) // 4 :]).__next__)
    result = resumed.train(resume=True)
    assert drop_times(resumed.records) == drop_times(whole.records)
    assert_same(resumed.weights, whole.weights, 0)
    assert replace(result, seconds=0) == replace(expected, seconds=0)
    assert (result.best, result.best_epoch) == (0.5, 2)


def drop_times(records):
    return [{key: value for key, value in record.items() if key != "tokens_per_second"} for record in records]


def test_checkpoint_minutes_zero_saves_after_every_step_and_validation(config, tmp_path, monkeypatch):
    saved = []
    real = loop.save_checkpoint

    def save(folder, progress, *arguments):
        saved.append((progress.step, progress.best_epoch))
        return real(folder, progress, *arguments)

    monkeypatch.setattr(loop, "save_checkpoint", save)
    run = Run(config("training.epochs=2", "training.tokens_per_batch=140"), tmp_path, validate=lambda: 0.5)
    run.train()
    assert saved == [(1, 0), (2, 0), (2, 1), (3, 1), (4, 1), (4, 1)]
    assert [path.name for path in list_checkpoints(tmp_path / "checkpoints")] == ["step-00000003", "step-00000004"]


def test_between_checkpoints_nothing_is_saved(toy_config, tmp_path):
    Run(toy_config("training.checkpoint_minutes=5"), tmp_path).train()
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize("at", range(6))
def test_a_kill_while_a_checkpoint_is_removed_leaves_no_half_one(config, tmp_path, monkeypatch, at):
    """Of the same step before it was validated, of one too many, and of all in the end."""
    folder, removed = tmp_path / "checkpoints", []
    real = shutil.rmtree

    def killed(path, **options):
        if not Path(path).exists():
            return
        removed.append(path)
        if len(removed) <= at:
            real(path, **options)
            return
        for file in sorted(Path(path).rglob("progress.json")):
            file.unlink()
        raise KeyboardInterrupt

    run = Run(config("training.epochs=2", "training.tokens_per_batch=140"), tmp_path, validate=lambda: 0.5)
    monkeypatch.setattr(shutil, "rmtree", killed)

    def whole_run():
        run.train()
        remove_checkpoints(folder)

    with pytest.raises(KeyboardInterrupt):
        whole_run()
    for checkpoint in list_checkpoints(folder):
        assert (checkpoint / "progress.json").exists()
    assert last_progress(folder).step >= (1 if at < 4 else 0)


def test_a_half_written_checkpoint_is_not_resumed_from(config, tmp_path):
    run = Run(config(), tmp_path)
    run.train_until(3)
    whole = list_checkpoints(tmp_path / "checkpoints")[-1]
    half = tmp_path / "checkpoints" / ".writing-00000003"
    half.mkdir()
    (half / "weights.safetensors").write_bytes(b"half")
    assert list_checkpoints(tmp_path / "checkpoints")[-1] == whole
    resumed = Run(config(), tmp_path)
    resumed.train(resume=True)
    assert [step for step, _ in resumed.losses] == list(range(1, resumed.losses[-1][0] + 1))
    assert not half.exists()


def test_the_rate_rises_and_then_falls(config, tmp_path):
    run = Run(config("training.epochs=10", "training.warmup=0.2", "training.final_rate=0.1"), tmp_path)
    run.train()
    rates = [record["rate"] for record in run.records]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert rates[top] == pytest.approx(1.0, abs=0.02)
    assert rates[-1] == pytest.approx(0.1)
    assert top / len(rates) == pytest.approx(0.2, abs=0.05)


def test_the_best_weights_are_kept(config, tmp_path):
    seen, scores = [], iter([0.2, 0.6, 0.4])
    run = Run(config("training.epochs=3"), tmp_path, validate=lambda: seen.append(run.weights) or next(scores))
    result = run.train()
    assert (result.best, result.best_epoch) == (0.6, 2)
    assert_same(run.weights, seen[1], 0)


def test_patience_stops_and_a_resumed_run_stays_stopped(config, tmp_path):
    """Killed after the last validation, before the model was written."""
    settings, scores = config("training.epochs=9", "training.patience=2"), [0.5, 0.4, 0.3]
    result = Run(settings, tmp_path, validate=iter(scores).__next__).train()
    again = Run(settings, tmp_path, validate=iter([]).__next__).train(resume=True)
    assert replace(again, seconds=0) == replace(result, seconds=0)
    assert result.steps == 9


def test_validation_every_other_epoch_and_at_the_end(config, tmp_path):
    run = Run(config("training.epochs=5", "training.validate_every=2"), tmp_path, validate=lambda: 0.1)
    run.train()
    validations = [record for record in run.records if "epoch" in record]
    assert [record["epoch"] for record in validations] == [2, 4, 5]


def test_validating_changes_no_step(config, tmp_path):
    """Dropout of a step does not depend on random numbers drawn in between."""
    plain = Run(config(), tmp_path / "plain")
    drawing = Run(config(), tmp_path / "drawing", validate=lambda: float(torch.rand(100).mean()))
    plain.train()
    drawing.train()
    assert plain.losses == drawing.losses


def test_the_epoch_loss_is_the_mean_over_its_targets(config, tmp_path):
    run = Run(config("training.epochs=1", "training.tokens_per_batch=140"), tmp_path, validate=lambda: 0.1)
    run.train()
    assert run.records[-1]["epoch_loss"] == pytest.approx(sum(loss for _, loss in run.losses) / 2, rel=1e-6)


@pytest.mark.parametrize("saved", [False, True])
def test_a_run_that_diverges_ends_with_the_step_and_the_way_out(toy_config, tmp_path, saved):
    minutes = 0 if saved else 5
    run = Run(toy_config("training.learning_rate=1e30", f"training.checkpoint_minutes={minutes}"), tmp_path)
    with pytest.raises(TrainingError, match=r"diverged at step \d+, at learning rate \d.*e\+\d\d: ") as error:
        run.train()
    last = run.records[-1]["step"]
    assert f"step {last + 1}," in error.value.message
    assert all(math.isfinite(loss) for _, loss in run.losses)
    assert all(tensor.isfinite().all() for tensor in run.weights.values())
    assert "training.learning_rate" in error.value.hint
    assert (f"step-{last:08d} is whole" in error.value.hint) == saved


def test_a_gradient_that_is_not_finite_changes_no_weights(toy_config, tmp_path):
    """The loss is finite, its gradient overflows."""
    run = Run(toy_config(), tmp_path)
    run.generator.head.code_vectors.register_hook(lambda gradient: gradient * torch.inf)
    before = run.weights
    with pytest.raises(TrainingError, match=r"diverged at step 1, .*gradient"):
        run.train()
    assert_same(run.weights, before, 0)
