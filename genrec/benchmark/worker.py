"""One model of a run, from tuning to figures, in a process of its own so that its memory is its own."""

from __future__ import annotations

import inspect
import logging
import os
import sys
import time
import traceback
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from genrec.benchmark.cost import PeakMemory, latency, model_bytes, resident_bytes
from genrec.benchmark.entrants import Entrant
from genrec.benchmark.models import NAMED_MODELS
from genrec.benchmark.own_scorer import load_scorer_class
from genrec.benchmark.report.schema import Cost, ModelEntry, TrialEntry
from genrec.benchmark.store import MODES, ModelFolder, ModelResult
from genrec.benchmark.tuning import OutOfTimeError, Trial, Tuned, sample_grid, tune
from genrec.errors import GenrecError
from genrec.evaluation.protocol import Evaluation, evaluate
from genrec.retrieval import Oracle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection

    from genrec.data.split import Split

logger = logging.getLogger(__name__)

BATCH_SIZES = (1, 32)

SeedMeans = dict[str, dict[str, list[float]]]


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
    fingerprint, budget_seconds
        Kept with the result.
    trials, seeds, modes, ks
        Of the run.
    first_seconds, tuning_seconds
        Limits of the first trial and of all tuning.
    """

    entrant: Entrant
    splits: tuple[Split, ...]
    folder: ModelFolder
    fingerprint: str
    budget_seconds: float | None
    trials: int
    seeds: int
    modes: tuple[bool, ...]
    ks: tuple[int, ...]
    first_seconds: float
    tuning_seconds: float


def work(job: Job, told: Connection) -> None:
    """Do a job: its result lies in its folder, its output in ``log.txt``; trials and stages are told as they come.

    Parameters
    ----------
    job
        What to do.
    told
        Gets a :class:`~genrec.benchmark.tuning.Trial` or a stage's name at a time.
    """
    _log_to(job.folder)
    entrant = job.entrant
    entry = ModelEntry(name=entrant.name, family=entrant.family, source=entrant.source, status="failed")
    began = time.perf_counter()
    evaluations: list[Evaluation] = []
    seeds: SeedMeans = {}
    try:
        entry, evaluations, seeds = measure(job, told.send)
    except OutOfTimeError:
        limit = job.first_seconds
        entry.status, entry.note = "not run", f"budget: one fit takes more than the {limit:.0f} s that were left for it"
    except GenrecError as error:
        traceback.print_exc()
        entry.note = str(error).replace("\n  hint:", ";")
    except Exception as error:
        traceback.print_exc()
        entry.note = f"{type(error).__name__}: {error}"
    entry.seconds = time.perf_counter() - began
    job.folder.write(
        ModelResult(fingerprint=job.fingerprint, budget_seconds=job.budget_seconds, entry=entry, seeds=seeds),
        evaluations,
    )


def _log_to(folder: ModelFolder) -> None:
    """Send all that this process prints, compiled libraries included, to the model's log."""
    folder.path.mkdir(parents=True, exist_ok=True)
    log = os.open(folder.path / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True)
    logging.getLogger("genrec").setLevel(logging.INFO)


def measure(job: Job, tell: Callable[[Trial | str], None]) -> tuple[ModelEntry, list[Evaluation], SeedMeans]:
    """Tune on validation, then answer the test part with the best trial's model.

    Parameters
    ----------
    job
        What to do.
    tell
        Told of trials and stages.

    Returns
    -------
    entry : ModelEntry
        How the model was chosen and what it costs.
    evaluations : list of Evaluation
        One a seen-mode, the test questions of all folds in order.
    seeds : dict
        Mean over users of each seed, by mode and metric; empty without several seeds.
    """
    base_bytes = resident_bytes()
    settings = sample_grid(job.entrant.grid, job.trials)
    fold_limits = job.first_seconds / len(job.splits), job.tuning_seconds / len(job.splits)
    tuned_folds: list[Tuned] = []
    by_fold: list[list[Evaluation]] = []
    seeds_by_fold: list[SeedMeans] = []
    cost: Cost | None = None
    for split in job.splits:
        tuned = tune(
            lambda params, split=split: job.entrant.build(params, split.train),  # type: ignore[misc]
            split,
            settings,
            filter_seen=job.modes[0],
            first_seconds=fold_limits[0],
            seconds=fold_limits[1],
            base_bytes=base_bytes,
            on_trial=tell,
        )
        if isinstance(tuned.scorer, Oracle):
            tuned.scorer.use_answers(split.test)
        tell("test")
        evaluations = [_named(evaluate(tuned.scorer, split.test, job.ks, mode), job) for mode in job.modes]
        if cost is None:
            tell("cost")
            cost = _cost(tuned, evaluations[0], split, base_bytes)
        if job.seeds > 1 and _has_seed(job.entrant):
            evaluations, means = _over_seeds(job, split, tuned, evaluations, tell)
            seeds_by_fold.append(means)
        by_fold.append(evaluations)
        tuned_folds.append(replace(tuned, scorer=None))  # type: ignore[arg-type]
    best = [max(t.ndcg for t in tuned.trials if t.ndcg is not None) for tuned in tuned_folds]
    entry = ModelEntry(
        name=job.entrant.name,
        family=job.entrant.family,
        source=job.entrant.source,
        status="done",
        validation_ndcg=float(np.mean(best)),
        params=tuned_folds[0].params,
        planned_trials=len(settings),
        trials=[TrialEntry.model_validate(asdict(trial)) for tuned in tuned_folds for trial in tuned.trials],
        cost=cost,
    )
    return entry, [_joined(folds) for folds in zip(*by_fold, strict=True)], _mean_of_folds(seeds_by_fold)


def _named(evaluation: Evaluation, job: Job) -> Evaluation:
    return replace(evaluation, model=job.entrant.name)


def _has_seed(entrant: Entrant) -> bool:
    match entrant.kind:
        case "named":
            build: Callable[..., object] = NAMED_MODELS[entrant.locator].build
        case "own":
            build = load_scorer_class(entrant.locator)
        case "folder":
            return False
    return "seed" in inspect.signature(build).parameters


def _over_seeds(
    job: Job, split: Split, tuned: Tuned, evaluations: list[Evaluation], tell: Callable[[str], None]
) -> tuple[list[Evaluation], SeedMeans]:
    """Fit the chosen setting with further seeds; each user's value is then the mean over seeds."""
    runs = [evaluations]
    for seed in range(1, job.seeds):
        tell(f"seed {seed + 1} of {job.seeds}")
        scorer = job.entrant.build({**tuned.params, "seed": seed}, split.train)
        scorer.use_validation(split.validation)
        scorer.fit(split.train)
        runs.append([evaluate(scorer, split.test, job.ks, mode) for mode in job.modes])
    means: SeedMeans = {}
    averaged = []
    for first, *others in zip(*runs, strict=True):
        per_user = {
            name: np.mean([values, *(other.per_user[name] for other in others)], axis=0)
            for name, values in first.per_user.items()
        }
        means[MODES[first.filter_seen]] = {
            name: [run.metrics[name] for run in (first, *others)] for name in first.metrics
        }
        metrics = {name: float(values.mean()) for name, values in per_user.items()}
        averaged.append(replace(first, metrics=metrics, per_user=per_user))
    return averaged, means


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


def _joined(folds: Sequence[Evaluation]) -> Evaluation:
    """One evaluation of the questions of all folds."""
    per_user = {name: np.concatenate([fold.per_user[name] for fold in folds]) for name in folds[0].per_user}
    return replace(
        folds[0],
        num_users=sum(fold.num_users for fold in folds),
        metrics={name: float(values.mean()) for name, values in per_user.items()},
        per_user=per_user,
        items=np.concatenate([fold.items for fold in folds]),
        seconds=sum(fold.seconds for fold in folds),
    )
