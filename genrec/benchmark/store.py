"""Finished models of a run, kept in its folder so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ValidationError

from genrec.benchmark.report.schema import ModelEntry
from genrec.evaluation.protocol import Evaluation
from genrec.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from genrec.benchmark.entrants import Entrant
    from genrec.data.dataset import Dataset
    from genrec.data.split import Split

logger = logging.getLogger(__name__)

RESULT, ITEMS, SECONDS = "result.json", "items", "seconds"
MODES = {True: "filtered", False: "kept"}


class ModelResult(BaseModel, extra="forbid"):
    """What ``result.json`` of a model holds."""

    fingerprint: str
    """Of everything that made it; see :func:`fingerprint`."""

    budget_seconds: float | None
    """Of the run; another budget repeats a model that this one cut short."""

    entry: ModelEntry
    """Without the results, which are made from the arrays."""

    seeds: dict[str, dict[str, list[float]]] = {}
    """Mean over users for each seed, by seen-mode and metric."""


@dataclass(frozen=True)
class ModelFolder:
    """Where one model of a run is kept: ``result.json``, an array file a seen-mode, its log.

    Parameters
    ----------
    path
        ``R/models/NAME``.
    """

    path: Path

    @classmethod
    def of(cls, run: Path, name: str) -> ModelFolder:
        """The folder of a model, named after it as far as file systems allow."""
        plain = re.sub(r"[^\w.-]+", "_", name).strip(".") or "model"
        suffix = "" if plain == name else f"-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        return cls(run / "models" / f"{plain}{suffix}")

    def write(self, result: ModelResult, evaluations: Sequence[Evaluation]) -> None:
        """Keep a model; ``result.json`` is written last and at once, so what is there is whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / RESULT).unlink(missing_ok=True)
        for evaluation in evaluations:
            arrays = {ITEMS: evaluation.items, SECONDS: np.array(evaluation.seconds), **evaluation.per_user}
            np.savez_compressed(self.path / f"{MODES[evaluation.filter_seen]}.npz", allow_pickle=False, **arrays)
        aside = self.path / f"{RESULT}.new"
        aside.write_text(result.model_dump_json(indent=2) + "\n", encoding="utf-8")
        aside.replace(self.path / RESULT)

    def read(self) -> ModelResult | None:
        """What is kept, or None when there is nothing that this version can read."""
        try:
            return ModelResult.model_validate_json((self.path / RESULT).read_bytes())
        except FileNotFoundError:
            return None
        except ValidationError:
            logger.info("%s is not of this version: the model is run again", self.path / RESULT)
            return None

    def evaluations(self, name: str) -> list[Evaluation]:
        """Per-user values and rankings, one :class:`Evaluation` a seen-mode."""
        found = []
        for filter_seen, mode in MODES.items():
            file = self.path / f"{mode}.npz"
            if not file.exists():
                continue
            with np.load(file, allow_pickle=False) as arrays:
                per_user = {key: arrays[key] for key in arrays.files if key not in (ITEMS, SECONDS)}
                items, seconds = arrays[ITEMS], float(arrays[SECONDS])
            metrics = {key: float(values.mean()) for key, values in per_user.items()}
            found.append(Evaluation(name, filter_seen, len(items), metrics, per_user, items, seconds))
        return found


def fingerprint(data: str, entrant: Entrant, settings: Mapping[str, object]) -> str:
    """Digest of what a model's figures depend on.

    Parameters
    ----------
    data
        Of :func:`split_digest`.
    entrant
        The model, its grid, and the file or folder it comes from.
    settings
        Trials, seeds, seen-modes, cut-offs; not the budget.
    """
    parts = [__version__, data, entrant.name, entrant.kind, entrant.digest(), entrant.grid, settings]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def dataset_digest(dataset: Dataset) -> str:
    """sha256 of the interactions and the catalog, wherever they came from.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset_digest(toy_dataset()) == dataset_digest(toy_dataset()) != dataset_digest(toy_dataset(users=61))
    True
    """
    digest = hashlib.sha256()
    for table in (dataset.interactions.table, dataset.catalog.table):
        sink = pa.BufferOutputStream()
        # In one chunk: how a table is cut into chunks is no part of what it says.
        whole = table.combine_chunks().replace_schema_metadata()
        with pa.ipc.new_stream(sink, whole.schema) as writer:
            writer.write_table(whole)
        digest.update(sink.getvalue())
    return digest.hexdigest()


def split_digest(splits: Sequence[Split]) -> str:
    """sha256 of what is trained on and what is asked."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(f"{split.method} {dataset_digest(split.train)}".encode())
        for part in (split.validation, split.test):
            for arrays in ([part.users], part.histories, part.targets):
                digest.update(np.array([len(array) for array in arrays]).tobytes())
                digest.update(np.concatenate([*arrays, np.empty(0, dtype=np.int32)]).astype(np.int32).tobytes())
    return digest.hexdigest()
