"""Two runs side by side: what changed, and whether it is more than chance."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from genrec.benchmark.report.files import load_report
from genrec.benchmark.report.schema import MAIN_METRIC
from genrec.benchmark.store import RESULT, ModelFolder, common_questions
from genrec.errors import DataError
from genrec.evaluation.bootstrap import bootstrap_interval
from genrec.evaluation.significance import EQUAL, holm, paired_differences, randomisation_test

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from genrec.benchmark.report.schema import ModeEntry, Report
    from genrec.evaluation.protocol import Evaluation

METRICS = (MAIN_METRIC, "recall@10")


@dataclass(frozen=True)
class Change:
    """One metric of one model in both runs.

    Parameters
    ----------
    model, filter_seen, metric
        What is compared.
    first, second
        Means over users.
    difference
        Second minus first.
    low, high
        Ends of its 95 % interval; None where the runs asked different questions, or the values of each user are not
        those of the report.
    p_holm
        Of the paired randomisation test, corrected for the rows of its metric; None likewise.
    """

    model: str
    filter_seen: bool
    metric: str
    first: float
    second: float
    difference: float
    low: float | None = None
    high: float | None = None
    p_holm: float | None = None


@dataclass(frozen=True)
class RunComparison:
    """What :func:`compare_runs` found.

    Parameters
    ----------
    about
        Whether the runs can be compared user by user, in words, and which models cannot.
    paired
        The same as a value.
    changes
        One a model, seen-mode and metric.
    only_first, only_second
        Models with figures in one run alone.
    """

    about: str
    paired: bool
    changes: list[Change]
    only_first: list[str]
    only_second: list[str]

    def as_dict(self) -> dict[str, object]:
        """Give the fields, ready for JSON."""
        return asdict(self)

    @property
    def note(self) -> str:
        """Models that are in one run alone, in words."""
        parts = [("first", self.only_first), ("second", self.only_second)]
        return "; ".join(f"only in the {which}: {', '.join(names)}" for which, names in parts if names)

    def table(self) -> tuple[list[str], list[list[object]]]:
        """Columns and rows, to print."""
        columns = ["model", "seen items", "metric", "first", "second", "difference", "95 % interval", "p (Holm)"]
        rows: list[list[object]] = [
            [
                change.model,
                "filtered" if change.filter_seen else "kept",
                change.metric,
                change.first,
                change.second,
                f"{change.difference:+.4f}",
                "-" if change.low is None else f"{change.low:+.4f} to {change.high:+.4f}",
                change.p_holm,
            ]
            for change in self.changes
        ]
        return columns, rows


def compare_runs(first: Path, second: Path) -> RunComparison:
    """Compare the models that two runs have in common.

    Values of users are paired only where their means are those of the report: a run that was stopped before its report
    leaves an older report beside newer values.

    Parameters
    ----------
    first, second
        Folders of ``genrec benchmark --out``.

    Raises
    ------
    DataError
        A folder has no report, or the runs have no model in common.
    """
    reports = load_report(first), load_report(second)
    names = [{model.name for model in report.done()} for report in reports]
    common = [model.name for model in reports[0].done() if model.name in names[1]]
    if not common:
        raise DataError(f"{first} and {second} have no model in common")
    same = reports[0].protocol.questions_sha256 == reports[1].protocol.questions_sha256
    folders = (first, second)
    foreign = [_foreign(common, *run) if same else [] for run in zip(folders, reports, strict=True)]
    changes: list[Change] = []
    for metric in METRICS:
        of_metric = []
        for name in common:
            for mode in (True, False):
                results = [report.result(name, mode) for report in reports]
                if results[0] is None or results[1] is None:
                    continue
                means = results[0].metrics[metric].mean, results[1].metrics[metric].mean
                of_metric.append(Change(name, mode, metric, *means, means[1] - means[0]))
        changes += _tested(of_metric, first, second, {*foreign[0], *foreign[1]}) if same else of_metric
    paired = same and any(change.p_holm is not None for change in changes)
    if paired:
        about = "Both runs asked the same questions: differences are tested user by user."
    elif any(foreign):
        about = "Both runs asked the same questions, but no difference can be tested."
    elif same:
        about = "Both runs asked the same questions, but the values of each user are gone: no test."
    else:
        asked = f"{_asked(reports[0])}; {_asked(reports[1])}"
        about = f"The runs asked different questions ({asked}): differences are of model and data together."
    about = " ".join([about, *(_untested(*run) for run in zip(folders, foreign, strict=True) if run[1])])
    lone = [sorted(names[0] - names[1]), sorted(names[1] - names[0])]
    return RunComparison(about, paired, changes, lone[0], lone[1])


def _asked(report: Report) -> str:
    return f"{report.dataset}, {report.protocol.split}, {report.protocol.counts['test_questions']:,} questions"


def _foreign(names: list[str], folder: Path, report: Report) -> list[str]:
    """Models of which a run keeps values that are not those of its report, or half of them."""
    found = []
    for name in names:
        place = ModelFolder.of(folder, name)
        # Written last: without it, what lies there may be half of a model.
        evaluations = place.evaluations(name) if (place.path / RESULT).exists() else []
        kept = {evaluation.filter_seen: evaluation for evaluation in evaluations}
        told = [result for mode in (True, False) if (result := report.result(name, mode))]
        if place.path.exists() and not all(_is_of(kept.get(result.filter_seen), result) for result in told):
            found.append(name)
    return found


def _is_of(kept: Evaluation | None, told: ModeEntry) -> bool:
    """Whether figures of a report were made of these values."""
    return (
        kept is not None
        and kept.num_users == told.users
        and kept.metrics.keys() == told.metrics.keys()
        and all(abs(kept.metrics[name] - interval.mean) < EQUAL for name, interval in told.metrics.items())
    )


def _untested(folder: Path, names: list[str]) -> str:
    return (
        f"Not tested: {', '.join(names)}. The values of each user that {folder} keeps are not those of its report, as "
        "when a run is stopped before its report; run that benchmark again, to the end."
    )


def _tested(changes: list[Change], first: Path, second: Path, foreign: set[str]) -> list[Change]:
    """Add intervals and tests where both runs kept the values of each user."""
    pairs = [None if change.model in foreign else _values(change, first, second) for change in changes]
    differences = [None if pair is None else paired_differences(pair[1], pair[0]) for pair in pairs]
    corrected = iter(holm([randomisation_test(one) for one in differences if one is not None]))
    found = []
    for change, pair, difference in zip(changes, pairs, differences, strict=True):
        if pair is None or difference is None:
            found.append(change)
            continue
        interval = bootstrap_interval(difference)
        said = {
            # Of the questions that both were asked: a limit of users may have changed.
            "first": float(pair[0].mean()),
            "second": float(pair[1].mean()),
            "difference": interval.mean,
            "low": interval.low,
            "high": interval.high,
            "p_holm": float(next(corrected)),
        }
        found.append(Change(**{**asdict(change), **said}))
    return found


def _values(change: Change, first: Path, second: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Of the questions that both runs asked the model."""
    values = []
    for folder in (first, second):
        place = ModelFolder.of(folder, change.model)
        for evaluation in place.evaluations(change.model):
            if evaluation.filter_seen == change.filter_seen:
                values.append((evaluation.per_user[change.metric], place.rows()))
    if len(values) < 2:
        return None
    earlier, later = common_questions(*values[0], *values[1])
    return (earlier, later) if len(later) else None
