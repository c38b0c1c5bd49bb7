"""Generators that a run has trained, kept in its folder: alone, guided and among candidates, one is trained once."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from genrec.benchmark.cost import PeakMemory
from genrec.benchmark.digests import FORMAT, dataset_digest, questions_digest, recipe_digest
from genrec.checkout import commit
from genrec.items.encoder import charge_spared, charged, take_spared_seconds
from genrec.model.description import FILE as DESCRIPTION
from genrec.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet
    from genrec.training.config import FinetuneConfig

logger = logging.getLogger(__name__)

COST = "training_cost.json"
UNFINISHED = "unfinished-"
"""Before the digest, names a folder with the checkpoints of a training that has not ended."""


@dataclass(frozen=True)
class TrainingCost:
    """What a training took when it was run.

    Parameters
    ----------
    seconds
        Of the clock.
    grown_bytes
        By how much the memory of the process grew, at its peak.
    vectors
        Names of files of text vectors that the seconds pay for.
    commit
        Of the checkout that trained; None if it is not known.
    """

    seconds: float = 0.0
    grown_bytes: int = 0
    vectors: tuple[str, ...] = ()
    commit: str | None = None


class KeptGenerators:
    """Trains a generator, or finds the one that an earlier model of the run has trained just so.

    What is found costs nothing now, but a model is charged for what its training took: see :meth:`take_spared`. A
    training that was cut goes on from its last checkpoint, and one that another process is at is waited for.

    Parameters
    ----------
    folder
        ``R/generators``: one model folder a training, named by the digest of all that it depends on.
    validation
        Questions by which trainings stop: all of the split, also for a model that answers fewer, so that it shares the
        training of one that answers all. None: they train all epochs.

    Attributes
    ----------
    commits
        At which the generators that were found had been trained, as far as it is known.
    """

    def __init__(self, folder: Path, validation: EvalSet | None) -> None:
        self.folder = folder
        self.validation = validation
        self.commits: list[str] = []
        self._spared = TrainingCost()

    def trained(self, config: FinetuneConfig, dataset: Dataset) -> Path:
        """Give the model folder of a training.

        Parameters
        ----------
        config
            What to train and how.
        dataset
            All of it is trained on.

        Returns
        -------
        Path
            The folder, whole.
        """
        digest = _digest(config, dataset, self.validation)
        target = self.folder / digest
        asked = time.perf_counter()
        with self._alone_at(digest):
            waited = time.perf_counter() - asked
            if (target / COST).exists():
                cost = TrainingCost(**json.loads((target / COST).read_text(encoding="utf-8")))
                logger.info("found %s, trained in %.0f s by an earlier model of this run", target, cost.seconds)
                charged(cost.vectors)
                self.commits += [cost.commit] if cost.commit else []
                self._spared = replace(cost, seconds=cost.seconds - waited)
            else:
                self._train(config, dataset, target)
        return target

    @contextmanager
    def _alone_at(self, digest: str) -> Iterator[None]:
        """Two runs may share a folder; the lock of one that is killed is free."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / f"{digest}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("another process trains %s: waiting for it", self.folder / digest)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _train(self, config: FinetuneConfig, dataset: Dataset, target: Path) -> None:
        from genrec.training.checkpoint import last_progress  # torch and transformers take seconds
        from genrec.training.finetune import finetune
        from genrec.training.loop import CHECKPOINTS

        made = target.with_name(f"{UNFINISHED}{target.name}")
        before = last_progress(made / CHECKPOINTS).seconds
        if before > 0:
            logger.info("going on with %s after %.0f s", made, before)
        take_spared_seconds()
        start = time.perf_counter()
        with PeakMemory() as memory:
            if not (made / DESCRIPTION).exists():  # else it was cut between its last file and its new name
                finetune(config, dataset, made, validation=self.validation, resume=True)
        encoding, vectors = charge_spared()
        spared = before + encoding
        grown = memory.peak_bytes - memory.start_bytes
        cost = TrainingCost(spared + time.perf_counter() - start, grown, tuple(vectors), commit())
        (made / COST).write_text(json.dumps(asdict(cost)) + "\n", encoding="utf-8")
        made.replace(target)
        self._spared = TrainingCost(spared)

    def take_spared(self) -> TrainingCost:
        """What the last :meth:`trained` did not have to spend; nothing if it trained, or was asked about before."""
        spared, self._spared = self._spared, TrainingCost()
        return spared


def _digest(config: FinetuneConfig, dataset: Dataset, validation: EvalSet | None) -> str:
    parts = [
        __version__,
        FORMAT,
        dataset_digest(dataset),
        None if validation is None else questions_digest(validation),
        recipe_digest(config),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
