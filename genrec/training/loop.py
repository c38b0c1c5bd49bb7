"""The training loop."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from accelerate import Accelerator

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

TRACKED_PROJECT = "genrec"


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

    Every random choice depends on ``config.seed`` and the epoch alone, so a resumed run sees the same
    batches as one that was never stopped.

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
    """

    def __init__(
        self,
        generator: Generator,
        source: ExampleSource,
        config: TrainingConfig,
        folder: Path,
        validate: Callable[[], float] | None = None,
        report_to: tuple[str, ...] = (),
    ) -> None:
        self.generator = generator
        self.source = source
        self.config = config
        self.folder = folder
        self.validate = validate
        self.accelerator = Accelerator(log_with=list(report_to) or None, project_dir=folder)
        loss = CodeLoss(generator, config.label_smoothing)
        self.loss, self.optimizer = self.accelerator.prepare(loss, _optimizer(generator, config))
        self._total = source.examples_per_epoch * config.epochs
        self._best: dict[str, Tensor] | None = None
        self._progress = Progress()

    def train(self, *, resume: bool = False) -> TrainingResult:
        """Run the loop to its end.

        Parameters
        ----------
        resume
            Go on from the last whole checkpoint in the folder, if there is one.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.config.seed)
        checkpoints = list_checkpoints(self.folder / "checkpoints") if resume else []
        if checkpoints:
            self._progress, self._best = load_checkpoint(checkpoints[-1], self._weights(), self.optimizer)
        log = MetricsLog(self.folder / "metrics.jsonl", self._progress.step)
        self.accelerator.init_trackers(TRACKED_PROJECT, config=self.config.model_dump())
        with TrainingProgress(self._total, self._progress.examples) as bar:
            loss, padding = self._epochs(log, bar)
        log.close()
        self.accelerator.end_training()
        if self._best is not None:
            with torch.no_grad():
                for name, tensor in self._weights().items():
                    tensor.copy_(self._best[name])
        done = self._progress
        best = done.best if done.best_epoch else None
        return TrainingResult(done.step, done.tokens, done.seconds, loss, best, done.best_epoch, padding)

    def _epochs(self, log: MetricsLog, bar: TrainingProgress) -> tuple[float, float]:
        loss = padding = 0.0
        for epoch in range(self._progress.epoch, self.config.epochs):
            loss, padding = self._epoch(epoch, log, bar)
            self._progress = replace(self._progress, epoch=epoch + 1, group=0)
            last = epoch + 1 == self.config.epochs
            if self.validate and (last or (epoch + 1) % self.config.validate_every == 0):
                self._validate(epoch, loss, log, bar)
            if self._stale(epoch):
                bar.say(f"no better validation for {self.config.patience} times: stopped")
                break
        return loss, padding

    def _epoch(self, epoch: int, log: MetricsLog, bar: TrainingProgress) -> tuple[float, float]:
        """One pass; returns its mean loss a target and its padding share."""
        self.generator.train()
        total_loss = total_targets = tokens = computed = 0.0
        saved = time.monotonic()
        for group in self._groups(epoch, skip=self._progress.group):
            began = time.monotonic()
            targets = sum(batch.num_targets for batch in group)
            loss = self._step(group, targets)
            real = sum(batch.num_tokens for batch in group)
            seconds = time.monotonic() - began
            done = self._progress
            self._progress = done = replace(
                done,
                step=done.step + 1,
                group=done.group + 1,
                examples=done.examples + sum(batch.num_examples for batch in group),
                tokens=done.tokens + real,
                seconds=done.seconds + seconds,
            )
            total_loss, total_targets = total_loss + loss * targets, total_targets + targets
            tokens, computed = tokens + real, computed + sum(batch.mask.numel() for batch in group)
            self._log(log, {"loss": loss, "rate": self._rate(), "tokens_per_second": real / seconds})
            bar.advance(done.examples, total_loss / total_targets, real / seconds)
            if time.monotonic() - saved > 60 * self.config.checkpoint_minutes:
                self._save()
                saved = time.monotonic()
        return total_loss / max(total_targets, 1), 1 - tokens / max(computed, 1)

    def _step(self, group: list[Batch], targets: int) -> float:
        """One optimizer step over a group of batches; returns the mean loss a target."""
        for param_group in self.optimizer.param_groups:
            param_group["lr"] = param_group["peak"] * self._rate()
        # Gradients are averaged over processes, losses divided by the targets of all of them.
        everyone = self.accelerator.reduce(torch.tensor(float(targets), device=self.generator.device), "sum")
        scale = self.accelerator.num_processes / everyone.clamp(min=1)
        total = 0.0
        for number, batch in enumerate(group):
            last = number + 1 == len(group)
            # Gradients are exchanged between processes only at the last batch of a step.
            with nullcontext() if last else self.accelerator.no_sync(self.loss):
                loss = self.loss(batch.to(self.generator.device)) * scale
                self.accelerator.backward(loss)
            total += float(loss.detach())
        self.accelerator.clip_grad_norm_(list(self.generator.trainable().values()), self.config.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total

    def _groups(self, epoch: int, skip: int) -> Iterator[list[Batch]]:
        """This process's groups of batches; the ones before ``skip`` are made and dropped."""
        rng = np.random.default_rng([self.config.seed, epoch, 1])
        examples = self.source.epoch(self.config.seed, epoch)
        batches = bucket(examples, self.config.tokens_per_batch, rng)
        world, rank = self.accelerator.num_processes, self.accelerator.process_index
        for number, group in enumerate(grouped(batches, self.config.accumulate * world)):
            if number >= skip and len(group) >= world:
                yield group[rank::world]

    def _rate(self) -> float:
        """Share of the peak rate: linear warm-up, then a cosine, over the examples of the run."""
        share = min(self._progress.examples * self.accelerator.num_processes / max(self._total, 1), 1.0)
        warmup, final = self.config.warmup, self.config.final_rate
        if share < warmup:
            return max(share, 1 / max(self._total, 1)) / warmup
        along = (share - warmup) / max(1 - warmup, 1e-9)
        return final + (1 - final) * 0.5 * (1 + math.cos(math.pi * along))

    def _validate(self, epoch: int, loss: float, log: MetricsLog, bar: TrainingProgress) -> None:
        assert self.validate is not None  # noqa: S101 - asked by the caller
        began = time.monotonic()
        self.generator.eval()
        ndcg = self.validate()
        done = replace(self._progress, seconds=self._progress.seconds + time.monotonic() - began)
        if ndcg > done.best:
            done = replace(done, best=ndcg, best_epoch=epoch + 1)
            self._best = {name: tensor.detach().clone() for name, tensor in self._weights().items()}
        self._progress = done
        self._log(log, {"epoch": epoch + 1, "epoch_loss": loss, "validation_ndcg@10": ndcg})
        bar.say(f"epoch {epoch + 1}: loss {loss:.4f}, validation NDCG@10 {ndcg:.4f}")
        if self.config.checkpoint_minutes == 0 or done.seconds > 60 * self.config.checkpoint_minutes:
            self._save()

    def _stale(self, epoch: int) -> bool:
        patience = self.config.patience
        if self.validate is None or patience is None:
            return False
        return epoch + 1 - self._progress.best_epoch >= patience * self.config.validate_every

    def _log(self, log: MetricsLog, values: dict[str, float]) -> None:
        if self.accelerator.is_main_process:
            log.write({"step": self._progress.step, **values})
            self.accelerator.log(values, step=self._progress.step)

    def _save(self) -> None:
        if self.accelerator.is_main_process:
            save_checkpoint(self.folder / "checkpoints", self._progress, self._weights(), self.optimizer, self._best)

    def _weights(self) -> dict[str, Tensor]:
        return {name: parameter.data for name, parameter in self.generator.trainable().items()}


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
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=rate, betas=(0.9, 0.98))
