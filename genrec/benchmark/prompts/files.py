"""The report of a prompt suite on disk and as tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from genrec.benchmark.prompts.constraint import satisfying
from genrec.benchmark.prompts.report import MODEL, NEIGHBOURS_TOLD, POPULAR_TOLD, TEXT, TEXT_HISTORY, WORDS_ALONE
from genrec.benchmark.report.table import ReportTable

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.benchmark.prompts.report import PromptReport
    from genrec.benchmark.prompts.run import Asked
    from genrec.benchmark.prompts.suite import Suite
    from genrec.benchmark.report.schema import Interval

OTHERS = (WORDS_ALONE, TEXT, TEXT_HISTORY, POPULAR_TOLD, NEIGHBOURS_TOLD)
COLUMNS = [
    "kind", "prompts", "as demanded", "Recall@k", "words alone", "text kNN", "with history", "popular, told",
    "neighbours, told", "ratio", "seconds",
]  # fmt: skip


def save_prompt_report(report: PromptReport, folder: Path) -> None:
    """Write ``report.md`` and ``report.json``; the folder is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(as_markdown(report), encoding="utf-8")
    (folder / "report.json").write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")


def save_prompts(suite: Suite, asked: Asked, path: Path) -> None:
    """Write every prompt with what was meant, what a model understood and what it answered, one JSON object a line.

    The lines hold titles and users of the data set: pass them on only as its licence lets you.
    """
    catalog, attributes = suite.source.dataset.catalog, suite.source.attributes
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for row, prompt in enumerate(suite.prompts):
            mask = satisfying(prompt.constraints, attributes)
            line = {
                "kind": prompt.kind,
                "text": prompt.text,
                "demands": [constraint.said(attributes) for constraint in prompt.constraints],
                "understood": asked.understood[row] if asked.understood else "",
                "user": suite.source.dataset.users.ids[prompt.user],
                "targets": [catalog.ids.ids[item] for item in prompt.targets],
                "items": [
                    {
                        "item_id": catalog.ids.ids[item],
                        "title": catalog.titles[item],
                        "as_demanded": bool(mask[item]),
                        "target": bool(item in prompt.targets),
                    }
                    for item in asked.items[row]
                    if item >= 0
                ],
                "named": [catalog.ids.ids[item] for item in prompt.named],
                "typos": prompt.typos,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def main_table(report: PromptReport) -> ReportTable:
    """A row a kind: intervals, and beside them the baseline."""
    rows = []
    for entry in report.kinds:
        mine = entry.systems[MODEL]
        others = [entry.systems[name].recall.mean for name in OTHERS]
        rows.append(
            [
                entry.kind,
                str(entry.prompts),
                _interval(mine.satisfied),
                _interval(mine.recall),
                *(f"{value:.4f}" for value in others),
                _interval(entry.ratio, 1),
                f"{entry.seconds.mean:.2f}",
            ]
        )
    k = report.protocol["k"]
    note = (
        f"k = {k}; 95 % intervals over prompts; ratio: Recall@{k} over that of text kNN on the same prompts; "
        "told: ranks among the items that are as demanded"
    )
    left_out = [f"{kind}: left out, {why}" for kind, why in report.left_out.items()]
    return ReportTable(
        f"{report.model} on {report.dataset}: {report.suite}", COLUMNS, rows, "; ".join([note, *left_out])
    )


def bar_lines(report: PromptReport) -> list[str]:
    """Say of every bar whether it is met."""
    return [
        f"{bar.name}: {'none' if bar.value is None else format(bar.value, '.3f')}, "
        f"bar {'under' if 'seconds' in bar.name else 'at least'} {bar.bar:g}: {'met' if bar.met else 'missed'}"
        for bar in report.bars
    ]


def as_markdown(report: PromptReport) -> str:
    """Lay out a report as Markdown."""
    table = main_table(report)
    cells = [table.columns, ["---", *["---:"] * (len(table.columns) - 1)], *table.rows]
    tables = "\n".join(f"| {' | '.join(row)} |" for row in cells)
    other = [
        [
            entry.kind,
            str(entry.judged),
            str(entry.with_typos),
            *(_interval(one.satisfied) for one in entry.systems.values()),
        ]
        for entry in report.kinds
    ]
    head = ["kind", "judged", "with typos", *report.kinds[-1].systems]
    others = "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---", *["---:"] * (len(head) - 1)], *other])
    facts = {**report.protocol, **report.provenance, "dataset_sha256": report.dataset_sha256}
    parts = [
        f"# {table.title}",
        "\n".join(f"- {line}" for line in bar_lines(report)),
        tables,
        table.note,
        "## As demanded, all systems",
        others,
        "## How it was made",
        "\n".join(f"- {name}: {value}" for name, value in facts.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _interval(interval: Interval | None, digits: int = 4) -> str:
    if interval is None:
        return "-"
    return f"{interval.mean:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"
