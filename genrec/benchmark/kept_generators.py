"""Generators that a run has trained, kept in its folder: alone, guided and among candidates, one is trained once."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from genrec.benchmark.cost import PeakMemory
from genrec.benchmark.digests import FORMAT, dataset_digest, questions_digest
from genrec.version import __version__

if TYPE_CHECKING:
    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet
    from genrec.training.config import FinetuneConfig

logger = logging.getLogger(__name__)

COST = "training_cost.json"


@dataclass(frozen=True)
class TrainingCost:
    """What a training took when it was run.

    Parameters
    ----------
    seconds
        Of the clock.
    grown_bytes
        By how much the memory of the process grew, at its peak.
    """

    seconds: float = 0.0
    grown_bytes: int = 0


class KeptGenerators:
    """Trains a generator, or finds the one that an earlier model of the run has trained just so.

    What is found costs nothing now, but a model is charged for what its training took: see :meth:`take_spared`.

    Parameters
    ----------
    folder
        ``R/generators``: one model folder a training, named by the digest of all that it depends on.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._spared = TrainingCost()

    def trained(self, config: FinetuneConfig, dataset: Dataset, validation: EvalSet | None) -> Path:
        """Give the model folder of a training.

        Parameters
        ----------
        config
            What to train and how.
        dataset
            All of it is trained on.
        validation
            Questions by which to stop; None: it trains all epochs.

        Returns
        -------
        Path
            The folder, whole.
        """
        target = self.folder / _digest(config, dataset, validation)
        if (target / COST).exists():
            self._spared = TrainingCost(**json.loads((target / COST).read_text(encoding="utf-8")))
            logger.info("found %s, trained in %.0f s by an earlier model of this run", target, self._spared.seconds)
            return target
        from genrec.training.finetune import finetune  # transformers takes seconds

        self.folder.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.folder, prefix="unfinished-") as scratch:
            made = Path(scratch) / "model"
            start = time.perf_counter()
            with PeakMemory() as memory:
                finetune(config, dataset, made, validation=validation)
            cost = TrainingCost(time.perf_counter() - start, memory.peak_bytes - memory.start_bytes)
            (made / COST).write_text(json.dumps(asdict(cost)) + "\n", encoding="utf-8")
            made.replace(target)
        return target

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
        config.model_dump(mode="json"),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
