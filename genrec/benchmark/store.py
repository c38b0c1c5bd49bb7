"""Finished models of a run, kept in its folder so that an interrupted run goes on."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ValidationError

from genrec.benchmark.digests import FORMAT
from genrec.benchmark.probes import Probe
from genrec.benchmark.report.schema import ModelEntry
from genrec.evaluation.protocol import Evaluation
from genrec.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.benchmark.entrants import Entrant

logger = logging.getLogger(__name__)

RESULT, ITEMS, SECONDS = "result.json", "items", "seconds"
MORE = " of fit "
ROWS, PROBES = "rows.npy", "probes.npz"
MODES = {True: "filtered", False: "kept"}


class ModelResult(BaseModel, extra="forbid"):
    """What ``result.json`` of a model holds."""

    fingerprint: str
    """Of everything that made it; see :func:`fingerprint`."""

    budget_seconds: float | None
    """Of the run; another budget repeats a model that this one cut short."""

    entry: ModelEntry
    """Without the results, which are made from the arrays."""

    cut: bool = False
    """Whether time was short for seeds, or for what is measured of a sample of the users."""

    seeds: dict[str, dict[str, list[float]]] = {}
    """Mean over users for each seed, by seen-mode and metric."""


@dataclass(frozen=True)
class ModelFolder:
    """Where one model of a run is kept: ``result.json``, an array file a seen-mode, one of probes, its log.

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

    def write(
        self,
        result: ModelResult,
        evaluations: Sequence[Evaluation],
        rows: NDArray[np.int64] | None = None,
        probes: Sequence[Probe] = (),
    ) -> None:
        """Keep a model; ``result.json`` is written last and at once, so what is there is whole.

        Parameters
        ----------
        result
            How it was chosen and what it costs.
        evaluations
            One a seen-mode.
        rows
            The test questions that were asked, int64 (S,) ascending; None for all.
        probes
            What was measured of a sample.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        for old in (RESULT, ROWS, PROBES, *(f"{mode}.npz" for mode in MODES.values())):
            (self.path / old).unlink(missing_ok=True)
        if rows is not None:
            np.save(self.path / ROWS, rows, allow_pickle=False)
        if probes:
            np.savez_compressed(self.path / PROBES, allow_pickle=False, **_arrays(probes))
        for evaluation in evaluations:
            fits = {f"{ITEMS}{MORE}{fit}": items for fit, items in enumerate(evaluation.more_items, start=2)}
            arrays = {ITEMS: evaluation.items, SECONDS: np.array(evaluation.seconds), **fits, **evaluation.per_user}
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
                more = tuple(arrays[key] for key in arrays.files if key.startswith(f"{ITEMS}{MORE}"))
                per_user = {key: arrays[key] for key in arrays.files if not key.startswith((ITEMS, SECONDS))}
                items, seconds = arrays[ITEMS], float(arrays[SECONDS])
            metrics = {key: float(values.mean()) for key, values in per_user.items()}
            found.append(Evaluation(name, filter_seen, len(items), metrics, per_user, items, seconds, more))
        return found

    def rows(self) -> NDArray[np.int64] | None:
        """The test questions that the model was asked, ascending; None for all."""
        file = self.path / ROWS
        return np.load(file, allow_pickle=False) if file.exists() else None

    def probes(self) -> list[Probe]:
        """What was measured of a sample of the users."""
        file = self.path / PROBES
        if not file.exists():
            return []
        found: dict[tuple[str, str], dict[str, NDArray[Any]]] = {}
        with np.load(file, allow_pickle=False) as arrays:
            for key in arrays.files:
                mode, name, part = key.split("/")
                found.setdefault((mode, name), {})[part] = arrays[key]
        modes = {mode: filter_seen for filter_seen, mode in MODES.items()}
        return [Probe(name, modes[mode], parts.pop("rows"), parts) for (mode, name), parts in found.items()]


def _arrays(probes: Sequence[Probe]) -> dict[str, NDArray[Any]]:
    """Arrays of all probes, by mode, name and part."""
    return {
        f"{MODES[one.filter_seen]}/{one.name}/{part}": values
        for one in probes
        for part, values in {"rows": one.rows, **one.per_user}.items()
    }


def fingerprint(data: str, entrant: Entrant, settings: Mapping[str, object]) -> str:
    """Digest of what a model's figures depend on.

    Parameters
    ----------
    data
        Of :func:`~genrec.benchmark.digests.split_digest`.
    entrant
        The model, its grid, its limit of users, and the file or folder it comes from.
    settings
        Trials, seeds, seen-modes, cut-offs; not the budget.
    """
    parts = [
        __version__,
        FORMAT,
        data,
        entrant.name,
        entrant.kind,
        entrant.digest(),
        entrant.grid,
        entrant.max_users,
        settings,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def common_questions(
    first: NDArray[np.float64],
    first_rows: NDArray[np.int64] | None,
    second: NDArray[np.float64],
    second_rows: NDArray[np.int64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of the questions that two models were both asked.

    Parameters
    ----------
    first, second
        float64 (S,) of each.
    first_rows, second_rows
        Which questions these are, ascending; None for all.

    Examples
    --------
    >>> first, second = common_questions(np.array([0.1, 0.2, 0.3]), None, np.array([0.4, 0.5]), np.array([0, 2]))
    >>> first.tolist(), second.tolist()
    ([0.1, 0.3], [0.4, 0.5])
    """
    if first_rows is None and second_rows is None:
        return first, second
    rows = [
        np.arange(len(values)) if asked is None else asked
        for values, asked in ((first, first_rows), (second, second_rows))
    ]
    _, mine, theirs = np.intersect1d(rows[0], rows[1], assume_unique=True, return_indices=True)
    return first[mine], second[theirs]
