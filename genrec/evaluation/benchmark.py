"""Several models on one split, and the report of it."""

from __future__ import annotations

import json
import platform
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from genrec.evaluation.protocol import Evaluation, evaluate
from genrec.evaluation.table import DEFAULT_METRICS, markdown_table
from genrec.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from genrec.baselines.base import Scorer
    from genrec.data.split import Split

KS = (5, 10, 20)


@dataclass(frozen=True, eq=False)
class BenchmarkReport:
    """What a benchmark found, and on what.

    Parameters
    ----------
    dataset
        Name of the data set.
    split
        How it was split.
    counts
        Users, items, training interactions, test questions and the longest history.
    evaluations
        One a model and seen-mode.
    fit_seconds
        Time each model took to fit, by name; of a model that came fitted, the time that ``fit`` took to see that.
    versions
        Of what made the figures.
    """

    dataset: str
    split: str
    counts: dict[str, int]
    evaluations: list[Evaluation]
    fit_seconds: dict[str, float]
    versions: dict[str, str]

    def as_dict(self) -> dict[str, object]:
        """Give the report as plain values, ready for JSON.

        Returns
        -------
        dict
            Per-user values are left out.
        """
        return {
            "dataset": self.dataset,
            "split": self.split,
            "part": "test",
            "counts": self.counts,
            "results": [evaluation.as_dict() for evaluation in self.evaluations],
            "fit_seconds": {name: round(seconds, 3) for name, seconds in self.fit_seconds.items()},
            "versions": self.versions,
        }

    def as_markdown(self) -> str:
        """Give the report as a page of Markdown.

        Returns
        -------
        str
            A heading, what was measured on what, and the table.
        """
        counts = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in self.counts.items())
        fits = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in self.fit_seconds.items())
        versions = ", ".join(f"{name} {number}" for name, number in self.versions.items())
        return (
            f"# Benchmark on {self.dataset}\n\n"
            f"Split {self.split}, test part, the whole catalog ranked: {counts}. "
            "Seen items filtered or kept is said in each row; the best of each mode is bold.\n\n"
            f"{markdown_table(self.evaluations, DEFAULT_METRICS)}\n"
            f"Time to fit: {fits}.\n\nMade with {versions}.\n"
        )

    def save(self, folder: Path) -> None:
        """Write ``report.json`` and ``report.md``.

        Parameters
        ----------
        folder
            Made if it is not there.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(self.as_dict(), indent=2) + "\n", encoding="utf-8")
        (folder / "report.md").write_text(self.as_markdown(), encoding="utf-8")


def run_benchmark(
    split: Split, scorers: Sequence[Scorer], filter_seen: Sequence[bool] = (True, False)
) -> BenchmarkReport:
    """Fit every scorer on the training part and measure it on the test part.

    Parameters
    ----------
    split
        The same for every scorer.
    scorers
        What to compare, with distinct names.
    filter_seen
        Modes to report, default both.

    Returns
    -------
    BenchmarkReport
        Scorers in the order given, within each mode.

    Examples
    --------
    >>> from genrec.baselines import EASE, Popularity
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> report = run_benchmark(leave_last_out(toy_dataset()), [Popularity(), EASE()], filter_seen=[True])
    >>> [evaluation.model for evaluation in report.evaluations]
    ['popularity', 'ease']
    """
    fit_seconds = {}
    for scorer in scorers:
        start = time.perf_counter()
        scorer.fit(split.train)
        fit_seconds[scorer.name] = time.perf_counter() - start
    return BenchmarkReport(
        dataset=split.train.name,
        split=split.method,
        counts={
            "users": split.train.num_users,
            "items": split.train.num_items,
            "training_interactions": len(split.train.interactions),
            "test_questions": len(split.test.histories),
            "items_in_the_longest_history": max(map(len, split.test.histories), default=0),
        },
        evaluations=[evaluate(scorer, split.test, KS, filter_seen=seen) for seen in filter_seen for scorer in scorers],
        fit_seconds=fit_seconds,
        versions={
            "genrec": __version__,
            "numpy": np.__version__,
            "scipy": version("scipy"),
            "python": platform.python_version(),
        },
    )
