"""One model of a run, from tuning to figures, in a process of its own so that its memory is its own."""

from __future__ import annotations

import logging
import multiprocessing
import os
import sys
import threading
import time
import traceback
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.connection import wait
from typing import TYPE_CHECKING

import numpy as np

from genrec.benchmark.cost import PeakMemory, latency, model_bytes, resident_bytes
from genrec.benchmark.entrants import Entrant
from genrec.benchmark.kept_generators import KeptGenerators
from genrec.benchmark.machine import machine, machine_line, versions, versions_line
from genrec.benchmark.probes import Probe, Unmeasured, join_probes, probe
from genrec.benchmark.report.schema import Cost, ModelEntry, TrialEntry
from genrec.benchmark.store import MODES, ModelFolder, ModelResult
from genrec.benchmark.tuning import OutOfTimeError, Trial, Tuned, sample_grid, time_limit, tune
from genrec.checkout import commit
from genrec.errors import DataError, GenrecError, MissingModelError, ResourceError, UnsupportedError
from genrec.evaluation.protocol import Evaluation, evaluate, join_evaluations
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.evaluation.seeds import mean_over_seeds
from genrec.items.encoder import take_spared_seconds
from genrec.retrieval import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.data.split import Split

logger = logging.getLogger(__name__)

BATCH_SIZES = (1, 32)

SeedMeans = dict[str, dict[str, list[float]]]

CANNOT = (DataError, MissingModelError, ResourceError, UnsupportedError)
"""What says that a model cannot be run here, rather than that something is broken."""


@dataclass(frozen=True, eq=False)
class Job:
    """What a worker is to do.

    Parameters
    ----------
    entrant
        The model.
    splits
        One, or one a fold.
    folder
        Where the result goes.
    generators
        Folder of the run's trained generators.
    fingerprint, budget_seconds
        Kept with the result.
    trials, modes, ks
        Of the run.
    seeds
        Fits of the chosen setting, where the model has a seed.
    asked_seeds
        Fits that the run asks for of models without a limit.
    until
        Moment of ``time.monotonic()`` after which no further seed is fitted, so that what there is can be written down
        before the run ends. Infinity: never.
    first_seconds, tuning_seconds, probe_seconds
        Limits of the first trial, of all tuning, and of what is measured of a sample of the users.
    """

    entrant: Entrant
    splits: tuple[Split, ...]
    folder: ModelFolder
    generators: Path
    fingerprint: str
    budget_seconds: float | None
    trials: int
    seeds: int
    asked_seeds: int
    modes: tuple[bool, ...]
    ks: tuple[int, ...]
    until: float
    first_seconds: float
    tuning_seconds: float
    probe_seconds: float


@dataclass(frozen=True, eq=False)
class Measured:
    """What a model gave.

    Parameters
    ----------
    entry
        How it was chosen and what it costs.
    evaluations
        One a seen-mode, the test questions of all folds in order.
    seeds
        Mean over users of each seed, by mode and metric; empty without several seeds.
    rows
        The test questions that were asked, int64 (S,) ascending; None for all.
    probes
        What was measured of a sample.
    cut
        Whether time was short for seeds or probes.
    """

    entry: ModelEntry
    evaluations: list[Evaluation] = field(default_factory=list)
    seeds: SeedMeans = field(default_factory=dict)
    rows: NDArray[np.int64] | None = None
    probes: list[Probe] = field(default_factory=list)
    cut: bool = False


def work(job: Job, told: Connection) -> None:
    """Do a job: its result lies in its folder, its output in ``log.txt``; trials and stages are told as they come.

    Parameters
    ----------
    job
        What to do.
    told
        Gets a :class:`~genrec.benchmark.tuning.Trial` or a stage's name at a time.
    """
    _end_with_parent()
    _log_to(job.folder)
    entrant = job.entrant
    code = commit()
    entry = ModelEntry(name=entrant.name, family=entrant.family, source=entrant.source, status="failed")
    began = time.perf_counter()
    found = Measured(entry)
    try:
        found = measure(job, told.send)
    except OutOfTimeError:
        limit = job.first_seconds
        entry.status, entry.note = "not run", f"budget: one fit takes more than the {limit:.0f} s that were left for it"
    except GenrecError as error:
        traceback.print_exc()
        entry.note = str(error).replace("\n  hint:", ";")
        entry.status = "not run" if isinstance(error, CANNOT) else "failed"
    except Exception as error:
        traceback.print_exc()
        entry.note = f"{type(error).__name__}: {error}"
    found.entry.seconds += time.perf_counter() - began
    found.entry.commit = code
    found.entry.generator_commits = [one for one in found.entry.generator_commits if one != code]
    found.entry.machine, found.entry.versions = machine_line(machine()), versions_line(versions())
    result = ModelResult(
        fingerprint=job.fingerprint,
        budget_seconds=job.budget_seconds,
        entry=found.entry,
        seeds=found.seeds,
        cut=found.cut,
    )
    job.folder.write(result, found.evaluations, found.rows, found.probes)


def _end_with_parent() -> None:
    """Go when the run goes, even if it was killed: nobody would read what comes."""
    parent = multiprocessing.parent_process()
    if parent is None:  # nobody made a process for it
        return
    sentinel = parent.sentinel

    def watch() -> None:
        wait([sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()


def _log_to(folder: ModelFolder) -> None:
    """Send all that this process prints, compiled libraries included, to the model's log."""
    folder.path.mkdir(parents=True, exist_ok=True)
    log = os.open(folder.path / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("genrec").setLevel(logging.INFO)


@dataclass(frozen=True, eq=False)
class _Fold:
    """What a model gave in one fold; see Measured."""

    tuned: Tuned
    runs: list[list[Evaluation]]
    cost: Cost | None
    rows: NDArray[np.int64]
    probes: list[Probe]
    without: list[Unmeasured]
    spared_seconds: float
    generator_commits: list[str]


def measure(job: Job, tell: Callable[[Trial | str], None]) -> Measured:
    """Tune on validation, then answer the test part with the best trial's model.

    Parameters
    ----------
    job
        What to do.
    tell
        Told of trials and stages.
    """
    base_bytes = resident_bytes()
    settings = sample_grid(job.entrant.grid, job.trials)
    folds: list[_Fold] = []
    for number, split in enumerate(job.splits):
        folds.append(_measure_fold(job, split, settings, base_bytes, tell, number=number))
    without = list(dict.fromkeys(said for fold in folds for said in fold.without))
    fits = min(len(fold.runs) for fold in folds)
    if job.entrant.takes("seed") and fits < job.asked_seeds:
        why = "by max_seeds" if fits == job.seeds else "then the time was over"
        without.append(Unmeasured(f"{job.asked_seeds} seeds: it has {fits}, {why}", cut=fits < job.seeds))
    means = [_mean_of_fits(fold.runs[:fits]) for fold in folds]
    seeds = [_means_of_each(fold.runs[:fits]) for fold in folds] if fits > 1 else []
    evaluations = [join_evaluations(of_mode) for of_mode in zip(*means, strict=True)]
    cost = folds[0].cost
    if cost is not None:
        cost = cost.model_copy(update={"rank_seconds": sum(fold.runs[0][0].seconds for fold in folds)})
    offsets = np.cumsum([0, *(len(split.test) for split in job.splits)])
    asked = np.concatenate([fold.rows + offset for fold, offset in zip(folds, offsets, strict=False)])
    best = [max(t.ndcg for t in fold.tuned.trials if t.ndcg is not None) for fold in folds]
    entry = ModelEntry(
        name=job.entrant.name,
        family=job.entrant.family,
        source=job.entrant.source,
        status="done",
        validation_ndcg=float(np.mean(best)),
        params=folds[0].tuned.params,
        planned_trials=len(settings),
        trials=[TrialEntry.model_validate(asdict(trial)) for fold in folds for trial in fold.tuned.trials],
        cost=cost,
        unmeasured=[one.said for one in without],
        seconds=sum(fold.spared_seconds for fold in folds),
        generator_commits=sorted({one for fold in folds for one in fold.generator_commits}),
    )
    return Measured(
        entry,
        evaluations,
        _mean_of_folds(seeds),
        asked if len(asked) < offsets[-1] else None,
        join_probes([fold.probes for fold in folds], offsets[:-1].tolist()),
        any(one.cut for one in without),
    )


def _measure_fold(
    job: Job,
    split: Split,
    settings: list[dict[str, object]],
    base_bytes: int,
    tell: Callable[[Trial | str], None],
    *,
    number: int,
) -> _Fold:
    most = None if job.entrant.max_users is None else -(-job.entrant.max_users // len(job.splits))
    test, rows = split.test, sample_rows(len(split.test), most)
    kept = KeptGenerators(job.generators, split.validation)
    if most is not None:
        validation = questions_at(split.validation, sample_rows(len(split.validation), most))
        split = replace(split, validation=validation, test=questions_at(split.test, rows))
    tuned = tune(
        lambda params: job.entrant.build(params, split.train, kept),
        split,
        settings,
        filter_seen=job.modes[0],
        first_seconds=job.first_seconds / len(job.splits),
        seconds=job.tuning_seconds / len(job.splits),
        base_bytes=base_bytes,
        kept=kept,
        on_trial=tell,
    )
    is_ceiling = isinstance(tuned.scorer, Oracle)
    if isinstance(tuned.scorer, Oracle):
        tuned.scorer.use_answers(split.test)
    tell("test")
    evaluations = [
        replace(
            evaluate(tuned.scorer, split.test, job.ks, mode, num_items=split.train.num_items), model=job.entrant.name
        )
        for mode in job.modes
    ]
    cost = None
    if number == 0:
        tell("cost")
        cost = _cost(tuned, evaluations[0], split, base_bytes)
    probes: list[Probe] = []
    without: list[Unmeasured] = []
    if not is_ceiling:  # it is no model, and knows the answers to whole histories only
        tell("users of whom little is known")
        seconds = job.probe_seconds / len(job.splits)
        probes, without = probe(tuned.scorer, test, job.modes, among=rows, slow=most is not None, seconds=seconds)
    runs, spared = [evaluations], tuned.spared_seconds
    if job.entrant.takes("seed"):
        left = (job.until - time.monotonic()) / (len(job.splits) - number)
        others, of_others = _further_seeds(job, split, tuned, kept, tell, left)
        runs, spared = [*runs, *others], spared + of_others
    tuned = replace(tuned, scorer=None)  # type: ignore[arg-type]
    return _Fold(tuned, runs, cost, rows, probes, without, spared, kept.commits)


def _further_seeds(
    job: Job, split: Split, tuned: Tuned, kept: KeptGenerators, tell: Callable[[str], None], seconds: float
) -> tuple[list[list[Evaluation]], float]:
    """Fit the chosen setting with further seeds, as many as time is left for.

    The last that is returned are the seconds that earlier models of the run spared these fits.
    """
    first = tuned.params.get("seed", job.entrant.default_seed())
    others = [seed for seed in range(job.seeds + 1) if seed != first][: job.seeds - 1]
    runs: list[list[Evaluation]] = []
    spared, began = 0.0, time.perf_counter()
    for seed in others:
        tell(f"seed {len(runs) + 2} of {job.seeds}")
        try:
            with time_limit(max(seconds - (time.perf_counter() - began), 1e-3)):
                scorer = job.entrant.build({**tuned.params, "seed": seed}, split.train, kept)
                scorer.use_validation(split.validation)
                take_spared_seconds()
                scorer.fit(split.train)
                spared += kept.take_spared().seconds + take_spared_seconds()
                runs.append(
                    [evaluate(scorer, split.test, job.ks, mode, num_items=split.train.num_items) for mode in job.modes]
                )
        except OutOfTimeError:
            break
    return runs, spared


def _mean_of_fits(runs: Sequence[Sequence[Evaluation]]) -> list[Evaluation]:
    """One evaluation a seen-mode, of the first fit; with others, each user's value is the mean over fits."""
    averaged = []
    for first, *others in zip(*runs, strict=True):
        if not others:
            averaged.append(first)
            continue
        per_user = {
            name: mean_over_seeds([values, *(other.per_user[name] for other in others)])
            for name, values in first.per_user.items()
        }
        metrics = {name: float(values.mean()) for name, values in per_user.items()}
        more = tuple(other.items for other in others)
        averaged.append(replace(first, metrics=metrics, per_user=per_user, more_items=more))
    return averaged


def _means_of_each(runs: Sequence[Sequence[Evaluation]]) -> SeedMeans:
    """Mean over users of each fit, by seen-mode and metric."""
    return {
        MODES[of_mode[0].filter_seen]: {name: [run.metrics[name] for run in of_mode] for name in of_mode[0].metrics}
        for of_mode in zip(*runs, strict=True)
    }


def _mean_of_folds(folds: Sequence[SeedMeans]) -> SeedMeans:
    """Mean of each seed over folds, every fold counting alike."""
    if not folds:
        return {}
    return {
        mode: {name: np.mean([fold[mode][name] for fold in folds], axis=0).tolist() for name in metrics}
        for mode, metrics in folds[0].items()
    }


def _cost(tuned: Tuned, evaluation: Evaluation, split: Split, base_bytes: int) -> Cost:
    with PeakMemory() as memory:
        latencies = [latency(tuned.scorer, split.test.histories, size) for size in BATCH_SIZES]
    return Cost(
        fit_seconds=tuned.fit_seconds,
        rank_seconds=evaluation.seconds,
        base_bytes=base_bytes,
        fit_peak_bytes=tuned.fit_bytes,
        serve_peak_bytes=memory.peak_bytes,
        model_bytes=model_bytes(tuned.scorer),
        latency=latencies,
    )
