"""Tables of for whom a model works: users of whom little is known, groups of users, one training or another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.benchmark.report.schema import MAIN_METRIC
from genrec.benchmark.report.table import ReportTable
from genrec.evaluation.seeds import seed_spread

if TYPE_CHECKING:
    from genrec.benchmark.report.schema import Report, ShortEntry


def short_history_table(report: Report) -> ReportTable:
    """How well each model does when it sees the latest items only: models down, lengths across."""
    mode = report.protocol.filter_seen[0]
    found = [(model, report.result(model.name, mode)) for model, _ in report.ranked(mode, ceiling=False)]
    lengths = list(dict.fromkeys(entry.items for _, result in found if result for entry in result.short_histories))
    heads = ["whole history" if items is None else f"last {items}" for items in lengths]
    table = ReportTable(
        "Cold users: NDCG@10 by what is known of a user",
        ["model", "users", *heads],
        note="The same questions, of a sample of the test users, with the latest items of each history only. With "
        "seen items filtered, the whole history is, so a model that reads none has the same figure throughout.",
    )
    for model, result in found:
        cells: dict[int | None, ShortEntry] = {entry.items: entry for entry in result.short_histories} if result else {}
        if cells:
            users = next(iter(cells.values())).users
            figures = [cells[items].metrics[MAIN_METRIC] if items in cells else None for items in lengths]
            said = ["-" if one is None else f"{one.mean:.4f} [{one.low:.4f}, {one.high:.4f}]" for one in figures]
            table.rows.append([model.name, f"{users:,}", *said])
    return table


def gap_table(report: Report) -> ReportTable:
    """The groups of users that each model serves best and worst."""
    mode = report.protocol.filter_seen[0]
    table = ReportTable(
        "Fairness: NDCG@10 of the best and the worst served group",
        ["model", "by", "best", "worst", "gap", "p"],
        note="In brackets, the 95 % bootstrap interval of the gap; it lies too high, because the two groups were "
        "chosen for their distance. p allows for that: the share of random groupings with as large a gap, corrected "
        "for the ways in which the model's users are grouped (Holm). Groups of fewer than 20 questions are left out.",
        words=4,
    )
    for model, _ in report.ranked(mode, ceiling=False):
        result = report.result(model.name, mode)
        for gap in result.gaps if result else []:
            one = gap.difference
            p = "< 0.01" if gap.p_holm < 0.01 else f"= {gap.p_holm:.2f}"
            figures = [f"{one.mean:.4f} [{one.low:.4f}, {one.high:.4f}]", p]
            table.rows.append([report.label(model.name), gap.group, gap.best, gap.worst, *figures])
    return table


def seed_table(report: Report) -> ReportTable:
    """How far trainings with several seeds lie apart."""
    mode = report.protocol.filter_seen[0]
    table = ReportTable(
        "Spread over seeds",
        ["model", "seeds", "NDCG@10", "lowest", "highest", "Recall@10"],
        note="Mean and standard deviation over fits of the chosen setting that differ in their seed only. The "
        "intervals of the other tables are over users, each with the mean over seeds.",
    )
    for model, _ in report.ranked(mode, ceiling=False):
        result = report.result(model.name, mode)
        if result is None or not result.seeds:
            continue
        ndcg, recall = (seed_spread(result.seeds[name]) for name in (MAIN_METRIC, "recall@10"))
        row = [report.label(model.name), str(ndcg.seeds), f"{ndcg.mean:.4f} ± {ndcg.deviation or 0:.4f}"]
        row += [f"{ndcg.low:.4f}", f"{ndcg.high:.4f}", f"{recall.mean:.4f} ± {recall.deviation or 0:.4f}"]
        table.rows.append(row)
    return table
