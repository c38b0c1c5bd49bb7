"""Evaluations side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.evaluation.protocol import Evaluation

DEFAULT_METRICS = ("recall@5", "ndcg@5", "recall@10", "ndcg@10", "mrr@10", "recall@20", "ndcg@20")
DIGITS = 4


def comparison_rows(
    evaluations: Sequence[Evaluation], metrics: Sequence[str] = DEFAULT_METRICS
) -> tuple[list[str], list[list[str | float]]]:
    """Lay out evaluations as rows, one each, for any kind of table.

    Parameters
    ----------
    evaluations
        Of one or several models, with seen items filtered or kept.
    metrics
        Columns, by the names of ``Evaluation.metrics``.

    Returns
    -------
    columns : list of str
        Headings: model, seen items, the metrics, seconds.
    rows : list of list
        Strings and numbers, as wide as ``columns``.
    """
    rows: list[list[str | float]] = [
        [e.model, "filtered" if e.filter_seen else "kept", *(e.metrics[name] for name in metrics), round(e.seconds, 1)]
        for e in evaluations
    ]
    return ["model", "seen items", *metrics, "seconds"], rows


def markdown_table(evaluations: Sequence[Evaluation], metrics: Sequence[str] = DEFAULT_METRICS) -> str:
    """Lay out evaluations as a Markdown table.

    Parameters
    ----------
    evaluations
        Of one or several models, with seen items filtered or kept.
    metrics
        Columns, by the names of ``Evaluation.metrics``.

    Returns
    -------
    str
        One line a row, ending in a newline. The best of each metric is bold, among the rows of one seen-mode,
        which alone can be compared.

    Examples
    --------
    >>> from genrec.baselines import Popularity
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.evaluation.protocol import evaluate
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset(users=24, items=24, length=4))
    >>> evaluation = evaluate(Popularity().fit(split.train), split.test, ks=(24,))
    >>> print(markdown_table([evaluation], ["recall@24"]), end="")
    | model | seen items | recall@24 | seconds |
    |---|---|---:|---:|
    | popularity | filtered | **1.0000** | 0.0 |
    """
    columns, rows = comparison_rows(evaluations, metrics)
    lines = [f"| {' | '.join(columns)} |", f"|---|---|{'---:|' * (len(columns) - 2)}"]
    for evaluation, (model, seen, *_, seconds) in zip(evaluations, rows, strict=True):
        comparable = [e.metrics for e in evaluations if e.filter_seen == evaluation.filter_seen]
        cells = [_cell(evaluation.metrics[name], max(m[name] for m in comparable)) for name in metrics]
        lines.append(f"| {' | '.join([_escaped(str(model)), str(seen), *cells, str(seconds)])} |")
    return "\n".join(lines) + "\n"


def _cell(value: float, best: float) -> str:
    text = f"{value:.{DIGITS}f}"
    return f"**{text}**" if text == f"{best:.{DIGITS}f}" else text


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")
