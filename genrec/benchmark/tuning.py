"""Tuning on the validation part: a seeded sample of a grid, the same number of trials for every model."""

from __future__ import annotations

import gc
import logging
import math
import signal
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from genrec.benchmark.cost import PeakMemory
from genrec.benchmark.kept_generators import TrainingCost
from genrec.benchmark.own_scorer import check_fitted
from genrec.errors import ConfigError
from genrec.evaluation.protocol import evaluate
from genrec.items.encoder import take_spared_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from genrec.baselines.base import Scorer
    from genrec.benchmark.kept_generators import KeptGenerators
    from genrec.data.split import Split

logger = logging.getLogger(__name__)

METRIC = "ndcg@10"
REPEAT_SECONDS = 0.5

Outcome = Literal["done", "time", "failed"]


class OutOfTimeError(BaseException):
    """A trial was interrupted. No Exception, so that a model that catches those cannot swallow it."""


@dataclass(frozen=True)
class Trial:
    """One setting that was tried.

    Parameters
    ----------
    params
        Keywords the model was built with.
    outcome
        ``"done"``, or why there is no figure: ``"time"`` when it was cut, ``"failed"``.
    ndcg
        NDCG@10 on the validation part, None without one.
    fit_seconds
        Of ``fit`` alone.
    seconds
        Of fitting and answering the validation questions.
    note
        The error of a trial that failed.
    """

    params: dict[str, object]
    outcome: Outcome
    ndcg: float | None
    fit_seconds: float
    seconds: float
    note: str = ""


@dataclass(frozen=True, eq=False)
class Tuned:
    """The best trial's model, fitted, and what was tried.

    Parameters
    ----------
    scorer
        Fitted on the training part.
    params
        Keywords it was built with.
    fit_seconds, fit_bytes
        Time and peak memory of its fit.
    spared_seconds
        Part of the time of all fits that was not spent now, because an earlier model of the run had.
    trials
        All trials, in the order they ran.
    """

    scorer: Scorer
    params: dict[str, object]
    fit_seconds: float
    fit_bytes: int
    spared_seconds: float
    trials: list[Trial]


def sample_grid(grid: Mapping[str, Sequence[object]], trials: int, seed: int = 0) -> list[dict[str, object]]:
    """Choose settings to try: the defaults, then distinct others at random.

    Parameters
    ----------
    grid
        Values of each parameter, the default first.
    trials
        How many at most; a small grid has fewer.
    seed
        Of the choice, default 0.

    Raises
    ------
    ConfigError
        No trial, or a parameter without a value.

    Examples
    --------
    >>> sample_grid({"neighbours": [20, 50], "shrink": [0, 10]}, trials=2)
    [{'neighbours': 20, 'shrink': 0}, {'neighbours': 50, 'shrink': 10}]
    >>> sample_grid({}, trials=6)
    [{}]
    """
    if trials < 1 or not all(len(values) for values in grid.values()):
        msg = f"nothing to try: {trials} trials of {dict(grid)}"
        raise ConfigError(msg, hint="give at least one trial, and one value of each parameter")
    sizes = [len(values) for values in grid.values()]
    points = math.prod(sizes)
    others = np.random.default_rng(seed).permutation(points - 1)[: trials - 1] + 1
    chosen = [np.unravel_index(int(point), sizes) if sizes else () for point in (0, *others)]
    return [
        {name: values[int(index)] for (name, values), index in zip(grid.items(), where, strict=True)}
        for where in chosen
    ]


def tune(
    build: Callable[[dict[str, object]], Scorer],
    split: Split,
    settings: Sequence[dict[str, object]],
    *,
    filter_seen: bool = True,
    first_seconds: float = math.inf,
    seconds: float = math.inf,
    base_bytes: int | None = None,
    kept: KeptGenerators | None = None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> Tuned:
    """Fit a model with each setting and keep the one with the best validation NDCG@10, of equals the first.

    Parameters
    ----------
    build
        Makes an unfitted scorer of a setting.
    split
        Fits see its training part, the choice its validation part; its test part is not looked at.
    settings
        From :func:`sample_grid`. A single one is validated too: the best baseline is chosen by that figure.
    filter_seen
        As in the run. Default True.
    first_seconds
        Limit of the first trial; without it there is no model. Default none.
    seconds
        When to start no further trial and cut the one that runs, counted from the start. Default never.
    base_bytes
        As in :class:`~genrec.benchmark.cost.PeakMemory`.
    kept
        Of what `build` makes: what a fit did not spend because it found a generator there counts, too. Default nowhere.
    on_trial
        Told of each trial when it ends.

    Raises
    ------
    OutOfTimeError
        The first trial took too long.
    Exception
        What the first trial failed with, when all failed.

    Examples
    --------
    >>> from genrec.baselines import ItemKNN
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> tuned = tune(
    ...     lambda params: ItemKNN(**params),
    ...     leave_last_out(toy_dataset()),
    ...     [{"neighbours": 1}, {"neighbours": 4}],
    ... )
    >>> len(tuned.trials), tuned.params
    (2, {'neighbours': 1})
    """
    began = time.perf_counter()
    best: Tuned | None = None
    trials: list[Trial] = []
    spared_seconds = 0.0
    failure: Exception | None = None
    for params in settings:
        left = seconds - (time.perf_counter() - began)
        # A trial that would not end in time is not begun: half a trial tells nothing.
        expected = max((trial.seconds for trial in trials if trial.outcome == "done"), default=0.0)
        if best is not None and left < expected:
            break
        trial, fitted, error = _try(
            build, split, params, filter_seen, left if best else first_seconds, base_bytes, kept
        )
        trials.append(trial)
        on_trial(trial)
        failure = failure or error
        if trial.outcome == "time" and best is None:
            raise OutOfTimeError
        spared_seconds += fitted.spared_seconds if fitted else 0.0
        if fitted and (best is None or _ndcg(trial) > max(_ndcg(t) for t in trials[:-1])):
            best = fitted
        del fitted
    if best is None:
        raise failure or OutOfTimeError
    return replace(best, spared_seconds=spared_seconds, trials=trials)


def _ndcg(trial: Trial) -> float:
    return -1.0 if trial.ndcg is None else trial.ndcg


def _try(
    build: Callable[[dict[str, object]], Scorer],
    split: Split,
    params: dict[str, object],
    filter_seen: bool,
    limit: float,
    base_bytes: int | None,
    kept: KeptGenerators | None,
) -> tuple[Trial, Tuned | None, Exception | None]:
    """Fit and validate one setting; a trial that fails or runs out of time is told, not raised."""
    gc.collect()
    start = time.perf_counter()
    fit_seconds = 0.0
    try:
        with time_limit(limit):
            scorer = build(params)
            scorer.use_validation(split.validation)
            take_spared_seconds()
            with PeakMemory(base_bytes) as memory:
                fit_start = time.perf_counter()
                fitted = scorer.fit(split.train)
                fit_seconds = time.perf_counter() - fit_start
            spared = TrainingCost() if kept is None else kept.take_spared()
            spared_seconds = spared.seconds + take_spared_seconds()
            fit_seconds += spared_seconds
            fit_bytes = max(memory.peak_bytes, (base_bytes or memory.start_bytes) + spared.grown_bytes)
            check_fitted(scorer, fitted, split)
            ndcg = evaluate(scorer, split.validation, (10,), filter_seen).metrics[METRIC]
    except OutOfTimeError:
        return Trial(params, "time", None, fit_seconds, time.perf_counter() - start), None, None
    except Exception as error:
        logger.info("trial %s failed", params, exc_info=True)
        note = f"{type(error).__name__}: {error}"
        return Trial(params, "failed", None, fit_seconds, time.perf_counter() - start, note), None, error
    trial = Trial(params, "done", ndcg, fit_seconds, time.perf_counter() - start)
    return trial, Tuned(scorer, params, fit_seconds, fit_bytes, spared_seconds, [trial]), None


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside after so many seconds; only in the main thread of a process.

    Parameters
    ----------
    seconds
        Infinity for no limit.

    Raises
    ------
    OutOfTimeError
        Raised into the code inside, as soon as it is back in Python.

    Examples
    --------
    >>> try:
    ...     with time_limit(0.01):
    ...         time.sleep(5)
    ... except OutOfTimeError:
    ...     print("cut")
    cut
    """
    if math.isinf(seconds):
        yield
        return

    def interrupt(signum: int, frame: object) -> None:
        raise OutOfTimeError

    before = signal.signal(signal.SIGALRM, interrupt)
    # Again and again: an exception raised while Python runs a finalizer or a callback of its collector goes nowhere.
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 1e-3), REPEAT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
