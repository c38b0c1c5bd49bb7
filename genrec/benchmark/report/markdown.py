"""``report.md``: the report for a terminal, a pull request, a wiki."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.benchmark.report.charts import CHARTS
from genrec.benchmark.report.rows import data_facts, protocol_facts, tables
from genrec.benchmark.report.table import ReportTable

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from genrec.benchmark.report.schema import Report


def as_markdown(report: Report, pictures: Collection[str] = ()) -> str:
    """Lay out a report as Markdown.

    Parameters
    ----------
    report
        The report.
    pictures
        Names of the charts that lie beside it as PNG.

    Returns
    -------
    str
        A page.
    """
    parts = [f"# Benchmark on {_escaped(report.dataset)}", *(_escaped(sentence) for sentence in report.verdict)]
    shown = [chart for chart in CHARTS if chart.name in pictures]
    parts += [f"![{chart.title}]({chart.name}.png)" for chart in shown[:1]]
    for table in tables(report):
        parts += [f"## {table.title}", _table(table), _escaped(table.note)]
    parts += [f"![{chart.title}]({chart.name}.png)" for chart in shown[1:]]
    if report.audit:
        rows = [[finding.check, finding.severity, finding.sentence] for finding in report.audit]
        parts += ["## Leakage audit", _table(ReportTable("", ["check", "", "found"], rows, words=3))]
    parts += ["## Data", _facts(data_facts(report)), "## Protocol", _facts(protocol_facts(report))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(table: ReportTable) -> str:
    rules = ["---"] * table.words + ["---:"] * (len(table.columns) - table.words)
    return "\n".join(_line(cells) for cells in (table.columns, rules, *table.rows))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_escaped(cell) for cell in cells)} |"


def _facts(facts: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"- {name}: {_escaped(value)}" for name, value in facts)


def _escaped(text: str) -> str:
    """Names come from files and folders: none of them makes markup."""
    for sign in ("\\", "|", "`"):
        text = text.replace(sign, "\\" + sign)
    return " ".join(text.replace("<", "&lt;").split())
