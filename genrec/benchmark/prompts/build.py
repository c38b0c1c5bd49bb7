"""From answers to the report of a prompt suite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genrec.benchmark.digests import dataset_digest
from genrec.benchmark.prompts.report import (
    MODEL,
    RATIO_BAR,
    SATISFIED_BAR,
    SECONDS_BAR,
    TEXT,
    WORDS_ALONE,
    BarEntry,
    KindEntry,
    PromptReport,
    Seconds,
    SystemEntry,
)
from genrec.benchmark.prompts.run import recalled, satisfied
from genrec.benchmark.report.schema import Interval
from genrec.evaluation.bootstrap import bootstrap_intervals, resampled_means

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from genrec.benchmark.prompts.run import Asked
    from genrec.benchmark.prompts.suite import Suite

ALL = "all"
RESAMPLES = 1000


def build_prompt_report(
    suite: Suite,
    answers: Mapping[str, Asked],
    *,
    name: str,
    model: str,
    provenance: Mapping[str, Any],
    protocol: Mapping[str, Any],
) -> PromptReport:
    """Compute all that a report states.

    Parameters
    ----------
    suite
        M prompts.
    answers
        What each system answered; ``model``, with seconds, and ``text kNN`` are among them.
    name, model
        Of the phrasings, and of the model folder.
    provenance, protocol
        What the report says of how it was made.

    Returns
    -------
    PromptReport
        Ready to be written.
    """
    kinds = [kind for kind in dict.fromkeys(prompt.kind for prompt in suite.prompts)]
    of_kind = np.array([prompt.kind for prompt in suite.prompts])
    shares = {system: satisfied(suite, asked.items) for system, asked in answers.items()}
    recalls = {system: recalled(suite, asked.items) for system, asked in answers.items()}
    seconds = answers[MODEL].seconds
    assert seconds is not None  # as the docstring demands
    entries = []
    for kind in (*kinds, ALL):
        rows = np.flatnonzero((of_kind == kind) | (kind == ALL))
        prompts = [suite.prompts[row] for row in rows]
        found = {system: values[rows] for system, values in recalls.items()}
        held = bootstrap_intervals({system: values[rows] for system, values in shares.items()}, RESAMPLES)
        hit = bootstrap_intervals(found, RESAMPLES)
        entries.append(
            KindEntry(
                kind=kind,
                prompts=len(rows),
                judged=sum(bool(prompt.constraints) for prompt in prompts),
                with_typos=sum(prompt.typos > 0 for prompt in prompts),
                systems={
                    system: SystemEntry(
                        satisfied=Interval.of(held[system]) if held[system].users else None,
                        recall=Interval.of(hit[system]),
                    )
                    for system in answers
                },
                ratio=ratio(found[MODEL], found[TEXT]),
                words_alone_ratio=ratio(found[WORDS_ALONE], found[TEXT]) if WORDS_ALONE in found else None,
                seconds=_seconds(seconds[rows]),
            )
        )
    return PromptReport(
        suite=name,
        model=model,
        dataset=suite.source.dataset.name,
        dataset_sha256=dataset_digest(suite.source.dataset),
        provenance=dict(provenance),
        protocol={"prompts_sha256": suite.digest(), **protocol},
        kinds=entries,
        left_out=suite.left_out,
        bars=bars(entries[-1]),
    )


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> Interval | None:
    """Ratio of two means over the same prompts, with its interval; None if the one below is 0.

    Parameters
    ----------
    above, below
        float64 (M,).

    Examples
    --------
    >>> ratio(np.array([1.0, 0.5, 0.5]), np.array([0.5, 0.25, 0.25])).mean
    2.0
    """
    if not below.mean():
        return None
    drawn = resampled_means(np.stack([above, below], axis=1), RESAMPLES, seed=0)
    known = drawn[drawn[:, 1] > 0]
    low, high = np.percentile(known[:, 0] / known[:, 1], (2.5, 97.5))
    return Interval(mean=float(above.mean() / below.mean()), low=float(low), high=float(high))


def bars(entry: KindEntry) -> list[BarEntry]:
    """Hold the figures of all prompts against the bars."""
    held = entry.systems[MODEL].satisfied
    times = entry.ratio.mean if entry.ratio else None
    better = entry.systems[MODEL].recall.mean > 0 if times is None else times >= RATIO_BAR
    return [
        BarEntry(
            name="share of the first k that are as demanded",
            bar=SATISFIED_BAR,
            value=held.mean if held else None,
            met=held is not None and held.mean >= SATISFIED_BAR,
        ),
        BarEntry(name="Recall@k over that of text kNN", bar=RATIO_BAR, value=times, met=better),
        BarEntry(
            name="seconds a prompt", bar=SECONDS_BAR, value=entry.seconds.mean, met=entry.seconds.mean < SECONDS_BAR
        ),
    ]


def _seconds(values: NDArray[np.float64]) -> Seconds:
    p50, p99 = np.percentile(values, (50, 99))
    return Seconds(mean=float(values.mean()), p50=float(p50), p99=float(p99), longest=float(values.max()))
