"""The training loop."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate import Accelerator

from genrec.errors import TrainingError
from genrec.training.batches import Batch, bucket, grouped
from genrec.training.checkpoint import Progress, list_checkpoints, load_checkpoint, save_checkpoint
from genrec.training.loss import CodeLoss
from genrec.training.progress import MetricsLog, TrainingProgress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from torch import Tensor

    from genrec.model.generator import Generator
    from genrec.training.config import TrainingConfig
    from genrec.training.examples import ExampleSource
    from genrec.training.teacher import TeacherTargets

TRACKED_PROJECT = "genrec"
METRICS = "metrics.jsonl"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class TrainingResult:
    """How a run ended.

    Parameters
    ----------
    steps, tokens
        Optimizer steps, and real tokens trained on.
    seconds
        Time of training, validation included, over all resumed parts.
    loss
        Mean loss of the last epoch's targets, nats a token.
    best
        Best validation NDCG@10, or None if nothing was validated.
    best_epoch
        Epoch (from 1) whose weights the model now has.
    padding
        Share of padding among the tokens computed in the last epoch.
    """

    steps: int
    tokens: int
    seconds: float
    loss: float
    best: float | None
    best_epoch: int
    padding: float


class Trainer:
    """Trains a generator on an example source.

    Every random choice depends on the seed and the step or epoch alone, so a resumed run takes the same
    steps as one that was never stopped.

    Parameters
    ----------
    generator
        Trained in place; ends up with its best weights.
    source
        Gives the examples.
    config
        The loop's settings.
    folder
        Gets ``metrics.jsonl`` and ``checkpoints/``.
    validate
        Returns the validation NDCG@10 of the generator as it stands; None: the last weights are kept.
    report_to
        Trackers beside ``metrics.jsonl``.
    teacher
        Soft targets, with ``config.teacher``.
    """

    def __init__(
        self,
        generator: Generator,
        source: ExampleSource,
        config: TrainingConfig,
        folder: Path,
        validate: Callable[[], float] | None = None,
        report_to: tuple[str, ...] = (),
        teacher: TeacherTargets | None = None,
    ) -> None:
        self.generator = generator
        self.source = source
        self.config = config
        self.folder = folder
        self.validate = validate
        self.accelerator = Accelerator(log_with=list(report_to) or None, project_dir=folder)
        sampled = config.teacher is not None and config.teacher.sampled
        self._code_loss = CodeLoss(generator, config.label_smoothing, teacher, sampled=sampled)
        self.loss, self.optimizer = self.accelerator.prepare(self._code_loss, _optimizer(generator, config))
        self._total = source.examples_per_epoch * config.epochs
        self._best: dict[str, Tensor] | None = None
        self._progress = Progress()
        self._saved = time.monotonic()

    def train(self, *, resume: bool = False) -> TrainingResult:
        """Run the loop to its end.

        Parameters
        ----------
        resume
            Go on from the last whole checkpoint in the folder, if there is one.

        Raises
        ------
        TrainingError
            If the loss or its gradient is NaN or infinite. The weights are then those of the step before.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        checkpoints = list_checkpoints(self.folder / CHECKPOINTS) if resume else []
        if checkpoints:
            self._progress, self._best = load_checkpoint(checkpoints[-1], self._weights(), self.optimizer)
        self.accelerator.wait_for_everyone()
        self.accelerator.init_trackers(TRACKED_PROJECT, config=_flat(self.config.model_dump()))
        main = self.accelerator.is_main_process
        with (
            MetricsLog(self.folder / METRICS, keep=self._progress.records, write=main) as log,
            TrainingProgress(self._total, self._progress.examples, show=main) as bar,
        ):
            while self._progress.epoch < self.config.epochs:
                if self._stale():
                    bar.say(f"no better validation for {self.config.patience} times: stopped")
                    break
                self._epoch(log, bar)
        for tracker in self.accelerator.trackers:
            tracker.finish()
        if self._best is not None:
            with torch.no_grad():
                for name, tensor in self._weights().items():
                    tensor.copy_(self._best[name])
        done = self._progress
        best = done.best if done.best_epoch else None
        return TrainingResult(done.step, done.tokens, done.seconds, done.loss, best, done.best_epoch, done.padding)

    def _epoch(self, log: MetricsLog, bar: TrainingProgress) -> None:
        """One pass over the examples, or what a stopped run left of it, and its validation."""
        self.generator.train()
        epoch = self._progress.epoch
        if self._progress.group == 0:
            self._progress = replace(self._progress, loss_sum=0.0, targets=0, real=0, computed=0)
        for group in self._groups(epoch, skip=self._progress.group):
            began = time.monotonic()
            loss = self._step(group)
            seconds = time.monotonic() - began
            real = sum(batch.num_tokens for batch in group)
            targets = sum(batch.num_targets for batch in group)
            done = self._progress
            self._progress = done = replace(
                done,
                step=done.step + 1,
                group=done.group + 1,
                examples=done.examples + sum(batch.num_examples for batch in group),
                tokens=done.tokens + real,
                seconds=done.seconds + seconds,
                loss_sum=done.loss_sum + loss * targets,
                targets=done.targets + targets,
                real=done.real + real,
                computed=done.computed + sum(batch.mask.numel() for batch in group),
            )
            self._log(log, {"loss": loss, "rate": self._rate(), "tokens_per_second": real / seconds})
            bar.advance(done.examples, done.loss, real / seconds)
            self._save_if_due(log)
        self._progress = replace(self._progress, epoch=epoch + 1, group=0)
        if self.validate and (epoch + 1 == self.config.epochs or (epoch + 1) % self.config.validate_every == 0):
            self._validate(self.validate, log, bar)
        self._save_if_due(log)

    def _step(self, group: list[Batch]) -> float:
        """One optimizer step over the batches of all processes; returns the mean loss a target."""
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        for param_group in self.optimizer.param_groups:
            param_group["lr"] = param_group["peak"] * self._rate()
        self._code_loss.teacher_weight = self._teacher_weight()
        _seed_dropout(self.config.seed, self._progress.step, rank)
        # Gradients are averaged over processes, the loss is a mean over the targets of all of them.
        scale = world / max(sum(batch.num_targets for batch in group), 1)
        # With fewer batches than processes, some repeat the first one with no weight: all must take part in a step.
        own = [(batch, scale) for batch in group[rank::world]] or [(group[0], 0.0)]
        total = torch.zeros((), device=self.generator.device)
        for number, (batch, weight) in enumerate(own):
            # Gradients are exchanged between processes only at the last batch of a step.
            with nullcontext() if number + 1 == len(own) else self.accelerator.no_sync(self.loss):
                loss = self.loss(batch.to(self.generator.device)) * weight
                self.accelerator.backward(loss)
            total += loss.detach()
        norm = self.accelerator.clip_grad_norm_(list(self.generator.trainable().values()), self.config.max_grad_norm)
        loss = float(self.accelerator.reduce(total, "mean"))
        # A gradient scaler leaves out steps that overflow, and goes on with a smaller scale.
        scaled = self.accelerator.scaler is not None
        if not (math.isfinite(loss) and (scaled or norm is None or math.isfinite(norm))):
            raise self._diverged(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss

    def _diverged(self, loss: float) -> TrainingError:
        """All processes see the same loss and gradient, and end together."""
        rate = max(group["lr"] for group in self.optimizer.param_groups)
        what = f"loss {loss}" if not math.isfinite(loss) else "its gradient is NaN or infinite"
        step = self._progress.step + 1
        hint = "train in another folder with a lower training.learning_rate or code_learning_rate, or a longer warmup"
        checkpoints = list_checkpoints(self.folder / CHECKPOINTS)
        if checkpoints:
            hint += f"; {checkpoints[-1]} is whole, from before"
        return TrainingError(f"training diverged at step {step:,}, at learning rate {rate:.3g}: {what}", hint=hint)

    def _groups(self, epoch: int, skip: int) -> Iterator[list[Batch]]:
        """Groups of batches that make a step, of all processes; the ones before ``skip`` are made and dropped."""
        rng = np.random.default_rng([self.config.seed, epoch, 1])
        examples = self.source.epoch(self.config.seed, epoch)
        batches = bucket(examples, self.config.tokens_per_batch, rng)
        yield from islice(grouped(batches, self.config.accumulate * self.accelerator.num_processes), skip, None)

    def _share(self) -> float:
        """How much of the run is done, by examples."""
        return min(self._progress.examples / max(self._total, 1), 1.0)

    def _teacher_weight(self) -> float:
        """The teacher's share of the loss, along a line from its first value to its last."""
        teacher = self.config.teacher
        if teacher is None:
            return 0.0
        last = teacher.weight if teacher.final_weight is None else teacher.final_weight
        return teacher.weight + (last - teacher.weight) * self._share()

    def _rate(self) -> float:
        """Share of the peak rate: linear warm-up, then a cosine, over the examples of the run."""
        share = self._share()
        warmup, final = self.config.warmup, self.config.final_rate
        if share < warmup:
            return max(share, 1 / max(self._total, 1)) / warmup
        along = (share - warmup) / max(1 - warmup, 1e-9)
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * along))

    def _validate(self, validate: Callable[[], float], log: MetricsLog, bar: TrainingProgress) -> None:
        """Rank validation users after an epoch, and keep the weights if they are the best so far."""
        began = time.monotonic()
        self.generator.eval()
        # All processes rank, and believe the first one: they must agree on when to stop.
        mine = validate() * self.accelerator.is_main_process
        ndcg = float(self.accelerator.reduce(torch.tensor(mine, device=self.generator.device, dtype=torch.float64)))
        done = replace(self._progress, seconds=self._progress.seconds + time.monotonic() - began)
        if ndcg > done.best:
            done = replace(done, best=ndcg, best_epoch=done.epoch)
            self._best = {name: tensor.detach().clone() for name, tensor in self._weights().items()}
        self._progress = done
        self._log(log, {"epoch": done.epoch, "epoch_loss": done.loss, "validation_ndcg@10": ndcg})
        bar.say(f"epoch {done.epoch}: loss {done.loss:.4f}, validation NDCG@10 {ndcg:.4f}")

    def _stale(self) -> bool:
        """Whether ``patience`` validations have passed without a better one."""
        patience, done = self.config.patience, self._progress
        if self.validate is None or patience is None:
            return False
        return done.epoch - done.best_epoch >= patience * self.config.validate_every

    def _log(self, log: MetricsLog, values: dict[str, float]) -> None:
        self._progress = replace(self._progress, records=self._progress.records + 1)
        log.write({"step": self._progress.step, **values})
        self.accelerator.log(values, step=self._progress.step)

    def _save_if_due(self, log: MetricsLog) -> None:
        """Write a checkpoint if the last one is ``checkpoint_minutes`` old; at 0, always."""
        if time.monotonic() - self._saved < 60 * self.config.checkpoint_minutes:
            return
        if self.accelerator.is_main_process:
            log.sync()
            save_checkpoint(self.folder / CHECKPOINTS, self._progress, self._weights(), self.optimizer, self._best)
        self._saved = time.monotonic()

    def _weights(self) -> dict[str, Tensor]:
        return {name: parameter.data for name, parameter in self.generator.trainable().items()}


def _seed_dropout(seed: int, step: int, rank: int) -> None:
    """Dropout of a step depends on nothing that came before it, so there is no random state to save."""
    torch.manual_seed(int(np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)[0]))


def _flat(settings: dict[str, object]) -> dict[str, int | float | str | bool]:
    """Settings as trackers take them: numbers and strings."""
    return {key: value if isinstance(value, int | float | str) else str(value) for key, value in settings.items()}


def _optimizer(generator: Generator, config: TrainingConfig) -> torch.optim.AdamW:
    """AdamW in three groups: matrices of the backbone (decayed), its vectors, the code head."""
    named = generator.trainable()
    head = [p for name, p in named.items() if name.startswith("head.")]
    matrices = [p for name, p in named.items() if not name.startswith("head.") and p.ndim > 1]
    vectors = [p for name, p in named.items() if not name.startswith("head.") and p.ndim <= 1]
    rate = config.learning_rate
    groups = [
        {"params": matrices, "peak": rate, "weight_decay": config.weight_decay},
        {"params": vectors, "peak": rate, "weight_decay": 0.0},
        {"params": head, "peak": config.code_learning_rate or rate, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=rate, betas=(0.9, 0.98), fused=True)
