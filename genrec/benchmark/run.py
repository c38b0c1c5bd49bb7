"""Scorers that are there already, on one split: the benchmark for a notebook."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from genrec.benchmark.models import NAMED_MODELS
from genrec.benchmark.report.build import build_report
from genrec.benchmark.report.schema import ModelEntry
from genrec.benchmark.runner import Finished, Settings, check_names
from genrec.checkout import commit
from genrec.evaluation.protocol import evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genrec.baselines.base import Scorer
    from genrec.benchmark.report.schema import Report
    from genrec.data.dataset import Dataset
    from genrec.data.split import Split


def run_benchmark(
    split: Split,
    scorers: Sequence[Scorer],
    dataset: Dataset,
    filter_seen: Sequence[bool] = (True, False),
    families: Mapping[str, str] | None = None,
) -> Report:
    """Fit every scorer on the training part, as it is, and measure it on the test part, in this process.

    Nothing is tuned and no cost is measured: that takes :func:`~genrec.benchmark.runner.run_models`, which
    ``genrec benchmark`` runs.

    Parameters
    ----------
    split
        The same for every scorer.
    scorers
        What to compare, with distinct names.
    dataset
        What was split.
    filter_seen
        Modes to report, default both.
    families
        Family of each scorer by name, for the report. Default: that of the named model, else ``"own"``.

    Returns
    -------
    Report
        Models in the order given.

    Raises
    ------
    ConfigError
        No scorer, or two of one name.

    Examples
    --------
    >>> from genrec.baselines import MarkovChain, Popularity
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> report = run_benchmark(leave_last_out(dataset), [Popularity(), MarkovChain()], dataset, filter_seen=[True])
    >>> [(model.name, round(figure.mean, 3)) for model, figure in report.ranked(filter_seen=True)]
    [('markov', 1.0), ('popularity', 0.45)]
    """
    check_names([scorer.name for scorer in scorers])
    known = {scorer.name: "own" for scorer in scorers}
    known |= {name: NAMED_MODELS[name].family for name in known if name in NAMED_MODELS}
    known |= families or {}
    finished, code = [], commit()
    for scorer in scorers:
        start = time.perf_counter()
        scorer.use_validation(split.validation)
        scorer.fit(split.train)
        evaluations = [evaluate(scorer, split.test, filter_seen=mode) for mode in filter_seen]
        seconds = time.perf_counter() - start
        entry = ModelEntry(name=scorer.name, family=known[scorer.name], status="done", seconds=seconds, commit=code)
        finished.append(Finished(entry, evaluations, seeds={}))
    return build_report(finished, [split], dataset, Settings(trials=1, modes=tuple(filter_seen)))
