"""The whole benchmark: every model in a process of its own, within a budget, resumable."""

from __future__ import annotations

import logging
import math
import multiprocessing
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Literal

from genrec.benchmark.digests import split_digest
from genrec.benchmark.probes import Probe
from genrec.benchmark.report.schema import ModelEntry
from genrec.benchmark.store import ModelFolder, ModelResult, fingerprint
from genrec.benchmark.tuning import Trial
from genrec.benchmark.worker import Job, work
from genrec.errors import ConfigError
from genrec.evaluation.protocol import Evaluation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import ForkServerContext
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from genrec.benchmark.entrants import Entrant
    from genrec.data.split import Split

logger = logging.getLogger(__name__)

FIRST_SHARE = 0.5
"""Of the time left, what a model's first trial may take: without it there is no figure at all."""
LEAST_SHARE = 0.1
"""Of the time left, a model's share at least: many that wait are quick, and those that are not come last."""
TUNING_SHARE = 0.8
"""Of a model's share of the time, what tuning may take; the rest is for the test part."""
PROBE_SHARE, PROBE_SECONDS = 0.1, 1800.0
"""Of a model's share of the time, what samples of users may take; and how long without a budget."""
LAST_SHARE, LAST_SECONDS = 0.05, 1.0
"""Of the time left, and at least, what a model is left to write down what it gave."""
POLL_SECONDS = 0.5
GENERATORS = "generators"
"""Folder of a run in which what it has trained is kept."""


@dataclass(frozen=True)
class Settings:
    """How a benchmark is run; the same for every model.

    Parameters
    ----------
    trials
        Settings that tuning tries of each model at most. Default 6.
    seeds
        Fits of the chosen setting, of models with a seed. Default 1.
    modes
        Seen items filtered (True) or kept; tuning uses the first. Default both.
    ks
        Cut-offs. Default 5, 10, 20.
    budget_seconds
        Time for all models together; None for no limit.
    """

    trials: int = 6
    seeds: int = 1
    modes: tuple[bool, ...] = (True, False)
    ks: tuple[int, ...] = (5, 10, 20)
    budget_seconds: float | None = None


@dataclass(frozen=True, eq=False)
class Finished:
    """A model's part of a run.

    Parameters
    ----------
    entry
        How it was chosen and what it costs; status says whether there are figures.
    evaluations
        One a seen-mode, empty without figures.
    seeds
        Means of each seed, by mode and metric.
    rows
        The test questions that were asked, int64 (S,) ascending; None for all.
    probes
        What was measured of a sample of the users.
    """

    entry: ModelEntry
    evaluations: list[Evaluation]
    seeds: dict[str, dict[str, list[float]]]
    rows: NDArray[np.int64] | None = None
    probes: list[Probe] = field(default_factory=list)


class Listener:
    """Is told how a run goes; does nothing unless overridden."""

    def begins(self, entrant: Entrant, number: int, total: int) -> None:
        """A model's turn."""

    def hears(self, entrant: Entrant, what: Trial | str) -> None:
        """A trial ended, or a stage (``"test"``, ``"cost"``, ``"seed 2 of 3"``) began."""

    def ends(self, finished: Finished, kept: bool) -> None:
        """A model is done; `kept` from an earlier run."""


def run_models(
    splits: Sequence[Split],
    entrants: Sequence[Entrant],
    folder: Path,
    settings: Settings,
    listener: Listener | None = None,
) -> list[Finished]:
    """Tune, fit, measure and test every model; one that fails or does not fit the budget is told as such.

    Parameters
    ----------
    splits
        One split, or one a fold.
    entrants
        In the order they shall run, with distinct names: the cheap and the strong first, so that a budget gives a
        useful table.
    folder
        The run's folder. Models that are there, made of the same data, settings and code, are kept.
    settings
        Of the run.
    listener
        Told how it goes. Default nobody.

    Returns
    -------
    list of Finished
        In the order of `entrants`.

    Raises
    ------
    ConfigError
        No model, or two of one name.
    """
    check_names([entrant.name for entrant in entrants])
    listener = listener or Listener()
    context = multiprocessing.get_context("forkserver")
    # Imported once: a model's process then starts at once, and what it imports is not charged to the budget.
    context.set_forkserver_preload(["genrec.benchmark.worker"])
    for split in splits:
        split.train.histories  # noqa: B018 (made here once, not by every model's process)
    data = split_digest(splits)
    said = {key: value for key, value in asdict(settings).items() if key != "budget_seconds"}
    prints = [fingerprint(data, entrant, {**said, "seeds": entrant.fits(settings.seeds)}) for entrant in entrants]
    waiting = [
        entrant
        for entrant, digest in zip(entrants, prints, strict=True)
        if not _usable(ModelFolder.of(folder, entrant.name).read(), digest, settings, len(splits), quiet=True)
    ]
    budget = math.inf if settings.budget_seconds is None else settings.budget_seconds
    began = time.perf_counter()
    found = []
    for number, (entrant, digest) in enumerate(zip(entrants, prints, strict=True), start=1):
        listener.begins(entrant, number, len(entrants))
        place = ModelFolder.of(folder, entrant.name)
        result = _usable(place.read(), digest, settings, len(splits))
        kept = result is not None
        if result is None:
            left = budget - (time.perf_counter() - began)
            share = max(left / len(waiting), LEAST_SHARE * left)
            job = _job(entrant, splits, place, folder / GENERATORS, digest, settings, share, left)
            waiting.remove(entrant)
            result = _run(context, job, left, listener)
        finished = Finished(result.entry, [], {})
        if result.entry.status == "done":  # else arrays that lie there are of an earlier run
            evaluations = place.evaluations(entrant.name)
            finished = Finished(result.entry, evaluations, result.seeds, place.rows(), place.probes())
        found.append(finished)
        listener.ends(finished, kept)
    return found


def check_names(names: Sequence[str]) -> None:
    """Refuse a run without models, or with two of one name.

    Raises
    ------
    ConfigError
        Either.
    """
    if not names:
        raise ConfigError("nothing to benchmark", hint="name models with --models, --model-folder or --scorer")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"two models have the name {twice[0]!r}"
        raise ConfigError(msg, hint="a model folder's name is the model's name in the report: rename one")


def _usable(
    result: ModelResult | None, digest: str, settings: Settings, folds: int, quiet: bool = False
) -> ModelResult | None:
    """A kept result, if it is what this run would find."""
    if result is None:
        return None
    name = result.entry.name
    why = ""
    if result.fingerprint != digest:
        why = "the data, the settings, the model or genrec changed"
    elif result.entry.status == "failed":
        why = "it failed"
    elif result.entry.status == "not run":
        why = "it was not run"
    elif (result.cut or result.entry.was_cut(folds)) and result.budget_seconds != settings.budget_seconds:
        why = "another budget had cut it short"
    if why and not quiet:
        logger.info("%s is run again: %s", name, why)
    return None if why else result


def _job(
    entrant: Entrant,
    splits: Sequence[Split],
    place: ModelFolder,
    generators: Path,
    digest: str,
    settings: Settings,
    share: float,
    left: float,
) -> Job:
    spared = max(LAST_SHARE * left, LAST_SECONDS) if math.isfinite(left) else 0.0
    return Job(
        entrant=entrant,
        splits=tuple(splits),
        folder=place,
        generators=generators,
        fingerprint=digest,
        budget_seconds=settings.budget_seconds,
        trials=settings.trials,
        seeds=entrant.fits(settings.seeds),
        asked_seeds=settings.seeds,
        modes=settings.modes,
        ks=settings.ks,
        until=time.monotonic() + left - spared,
        first_seconds=max(share, FIRST_SHARE * left),
        tuning_seconds=TUNING_SHARE * share,
        probe_seconds=min(PROBE_SHARE * share, PROBE_SECONDS),
    )


def _run(context: ForkServerContext, job: Job, left: float, listener: Listener) -> ModelResult:
    """Start the worker, listen to it, and end it when the budget is spent."""
    if left <= 0:
        return _without_figures(job, "not run", "budget: it was spent before this model's turn")
    (job.folder.path / "result.json").unlink(missing_ok=True)
    hearing, telling = context.Pipe(duplex=False)
    process = context.Process(target=work, args=(job, telling))
    deadline = time.perf_counter() + left
    process.start()
    telling.close()
    try:
        out_of_time = not _listen(hearing, job, deadline, listener)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        hearing.close()
    result = job.folder.read()
    if result is not None:
        return result
    if out_of_time:
        return _without_figures(job, "not run", f"budget: it was cut after {left:.0f} s")
    note = f"its process ended with status {process.exitcode}, see {job.folder.path / 'log.txt'}"
    return _without_figures(job, "failed", f"{note}; out of memory?" if process.exitcode == -9 else note)


def _listen(hearing: Connection, job: Job, deadline: float, listener: Listener) -> bool:
    """Pass on what the worker tells until it ends (True) or its time is over (False)."""
    while time.perf_counter() < deadline:
        if not hearing.poll(POLL_SECONDS):
            continue
        try:
            listener.hears(job.entrant, hearing.recv())
        except EOFError:
            return True
    return False


def _without_figures(job: Job, status: Literal["failed", "not run"], note: str) -> ModelResult:
    entrant = job.entrant
    entry = ModelEntry(name=entrant.name, family=entrant.family, source=entrant.source, status=status, note=note)
    return ModelResult(fingerprint=job.fingerprint, budget_seconds=job.budget_seconds, entry=entry)
