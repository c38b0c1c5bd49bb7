"""The tables of a report, as words and figures that every writer lays out in its own way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from genrec.benchmark.machine import machine_line, versions_line
from genrec.benchmark.report.schema import LIFT, MAIN_METRIC
from genrec.benchmark.report.summary import LEVEL, better, doubt, worse
from genrec.benchmark.report.table import ReportTable
from genrec.benchmark.report.user_rows import gap_table, seed_table, short_history_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.benchmark.report.schema import Comparison, Interval, ModelEntry, Report

MIB = 2**20


def tables(report: Report) -> list[ReportTable]:
    """All tables of a report, those first that most readers come for; empty ones are left out."""
    found = [accuracy_table(report, mode) for mode in report.protocol.filter_seen]
    found += [cost_table(report), beyond_table(report), *slice_tables(report), short_history_table(report)]
    found += [gap_table(report), seed_table(report), tuning_table(report)]
    found += [absent_table(report)]
    return [table for table in found if table.rows]


def accuracy_table(report: Report, filter_seen: bool) -> ReportTable:
    """Accuracy with intervals, and the test against the baseline, the best first."""
    tests = {c.model: c for c in report.comparisons if c.metric == MAIN_METRIC and c.filter_seen == filter_seen}
    against = [f"NDCG@10 against {report.baseline}"] * bool(tests)
    columns = [
        "model",
        "family",
        "NDCG@10",
        *against,
        "Recall@10",
        "NDCG@5",
        "Recall@5",
        "NDCG@20",
        "Recall@20",
        "MRR@10",
        "AUC",
    ]
    rows = []
    for model, ndcg in report.ranked(filter_seen):
        result = report.result(model.name, filter_seen)
        metrics = result.metrics if result else {}
        row = [report.label(model.name), model.family, _interval(ndcg)]
        if tests:
            row.append(_against(tests.get(model.name), model, report))
        row.append(_interval(metrics["recall@10"]))
        for name in ("ndcg@5", "recall@5", "ndcg@20", "recall@20", "mrr@10"):
            row.append(f"{metrics[name].mean:.4f}" if name in metrics else "-")
        row.append(f"{result.auc.mean:.4f}" if result and result.auc else "-")
        rows.append(row)
    results = [report.result(model.name, filter_seen) for model, _ in report.ranked(filter_seen)]
    asked = [result.auc_users for result in results if result and result.auc]
    note = (
        f"In brackets, the 95 % bootstrap interval over users. Better and worse: told apart at {LEVEL:.0%} by the "
        "paired randomisation test with Holm's correction, and by the interval of the difference; open: not told "
        "apart. A question mark: Wilcoxon's test does not agree."
    )
    if any(report.label(model.name) != model.name for model, _ in report.ranked(filter_seen)):
        note += " A model with a number of users was asked these only, and is compared with the baseline on them."
    if asked:
        users = f"{max(asked):,}" if min(asked) == max(asked) else f"{min(asked):,} to {max(asked):,}"
        note += f" AUC: over the whole catalog, of {users} users."
    title = f"Accuracy, seen items {'filtered' if filter_seen else 'kept'}"
    return ReportTable(title, columns, rows, note, words=2)


def _interval(interval: Interval) -> str:
    return f"{interval.mean:.4f} [{interval.low:.4f}, {interval.high:.4f}]"


def _against(test: Comparison | None, model: ModelEntry, report: Report) -> str:
    if test is None:
        return "baseline" if model.name == report.baseline else "-"
    p = "< 0.001" if test.p_holm < 0.001 else f"= {test.p_holm:.3f}"
    word = "better" if better(test) else "worse" if worse(test) else "open"
    return f"{test.difference.mean:+.4f}, p {p}, {word}{'?' * bool(doubt(test))}"


def terminal_table(report: Report) -> ReportTable:
    """The main figures in a width that a terminal has."""
    mode = report.protocol.filter_seen[0]
    tests = {c.model: c for c in report.comparisons if c.metric == MAIN_METRIC and c.filter_seen == mode}
    rows = []
    for model, ndcg in report.ranked(mode):
        result = report.result(model.name, mode)
        half = (ndcg.high - ndcg.low) / 2
        test = _against(tests.get(model.name), model, report)
        row = [report.label(model.name), model.family, f"{ndcg.mean:.4f} ±{half:.4f}"]
        row += [f"{result.metrics['recall@10'].mean:.4f}" if result else "-", test]
        cost = model.cost
        row.append(f"{cost.fit_seconds:.1f}" if cost else "-")
        row.append(f"{cost.latency[0].p50_ms:.3g}" if cost and cost.latency else "-")
        rows.append(row)
    questions = f"{report.protocol.counts['test_questions']:,} test questions"
    title = f"{report.dataset}, {report.protocol.split}, {questions}, seen items {'filtered' if mode else 'kept'}"
    columns = ["model", "family", "NDCG@10", "Recall@10", f"against {report.baseline or '-'}", "fit s", "answer ms"]
    return ReportTable(title, columns, rows, words=2)


def cost_table(report: Report) -> ReportTable:
    """What each model costs, in the order of accuracy."""
    table = ReportTable(
        "Cost",
        [
            "model",
            "fit, s",
            "all, s",
            "fit, MiB",
            "serving, MiB",
            "model, MiB",
            "answer, ms (p50 / p99)",
            "32 answers, ms (p50 / p99)",
        ],
        note="All: tuning, fitting, ranking, measuring. Memory is what fitting or serving adds to a process that has "
        "Python and its libraries loaded.",
    )
    for model, _ in report.ranked(report.protocol.filter_seen[0]):
        cost = model.cost
        if cost is None:
            continue
        times = {found.batch_size: f"{found.p50_ms:.3g} / {found.p99_ms:.3g}" for found in cost.latency}
        table.rows.append(
            [
                report.label(model.name),
                f"{cost.fit_seconds:.2f}",
                f"{model.seconds:.0f}",
                f"{(cost.fit_peak_bytes - cost.base_bytes) / MIB:.1f}",
                f"{(cost.serve_peak_bytes - cost.base_bytes) / MIB:.1f}",
                f"{cost.model_bytes / MIB:.2f}",
                times.get(1, "-"),
                times.get(32, "-"),
            ]
        )
    return table


def beyond_table(report: Report) -> ReportTable:
    """What the lists are like, whether or not they hit."""
    mode = report.protocol.filter_seen[0]
    names = ("coverage@10", "gini@10", "novelty@10", "diversity@10", LIFT)
    table = ReportTable(
        "Beyond accuracy",
        ["model", "coverage@10", "Gini@10", "novelty@10, bits", "diversity@10", "popularity lift@10"],
        note="Coverage: share of the catalog recommended to anyone. Gini: 0 even, 1 all to one item. Lift: how much "
        "more popular the lists are than the users' own histories.",
    )
    for model, _ in report.ranked(mode):
        result = report.result(model.name, mode)
        values = [result.beyond.get(name) if result else None for name in names]
        if any(value is not None for value in values):
            table.rows.append(
                [report.label(model.name), *("-" if value is None else f"{value:.3f}" for value in values)]
            )
    return table


def slice_tables(report: Report) -> list[ReportTable]:
    """One table a group: models down, parts across."""
    mode = report.protocol.filter_seen[0]
    models = [(model, report.result(model.name, mode)) for model, _ in report.ranked(mode)]
    first = max((result for _, result in models if result), key=lambda result: result.users, default=None)
    note = "In brackets, the number of questions."
    if any(report.label(model.name) != model.name for model, _ in models):
        note += " A model with a number of users was asked fewer of them."
    found = []
    for group in dict.fromkeys(piece.group for piece in first.slices) if first else ():
        pieces = [piece for piece in first.slices if piece.group == group and piece.users] if first else []
        if len(pieces) < 2:
            continue
        columns = ["model", *(f"{piece.name} ({piece.users:,})" for piece in pieces)]
        table = ReportTable(f"NDCG@10 by {group}", columns, note=note)
        for model, result in models:
            mine = {piece.name: piece for piece in result.slices if piece.group == group} if result else {}
            cells = [mine[piece.name].metrics.get(MAIN_METRIC) if piece.name in mine else None for piece in pieces]
            table.rows.append(
                [report.label(model.name), *("-" if cell is None else f"{cell.mean:.4f}" for cell in cells)]
            )
        found.append(table)
    return found


def tuning_table(report: Report) -> ReportTable:
    """What was chosen on validation, and out of how many."""
    table = ReportTable(
        "Tuning",
        ["model", "validation NDCG@10", "trials", "chosen", "source"],
        note=f"Chosen by {report.protocol.selection}; as many trials for every model, where its grid has as many.",
    )
    for model in report.done():
        planned = model.planned_trials * report.protocol.folds
        tried = f"{sum(trial.outcome == 'done' for trial in model.trials)} of {planned}"
        chosen = ", ".join(f"{name}={_value(value)}" for name, value in model.params.items()) or "defaults"
        validation = "-" if model.validation_ndcg is None else f"{model.validation_ndcg:.4f}"
        table.rows.append([model.name, validation, tried, chosen, model.source or "-"])
    return table


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def absent_table(report: Report) -> ReportTable:
    """Models without figures, models without some of them, and why."""
    absent: list[ModelEntry] = [model for model in report.models if model.status != "done"]
    rows = [[model.name, model.family, model.status, model.note] for model in absent]
    rows += [[model.name, model.family, "in part", said] for model in report.done() for said in model.unmeasured]
    return ReportTable("Without figures", ["model", "family", "status", "why"], rows, words=4)


def data_facts(report: Report) -> list[tuple[str, str]]:
    """What the data are like, as name and value."""
    card = report.data_card
    lengths = card["history_length"]
    facts = [
        ("users, items, interactions", f"{card['users']:,}, {card['items']:,}, {card['interactions']:,}"),
        ("density", f"{card['density']:.3%}"),
        ("history length", f"median {lengths['50']:.0f}, 5 to 95 %: {lengths['5']:.0f} to {lengths['95']:.0f}"),
        ("repeats", f"{card['repeats']:,} ({card['repeats_share']:.1%})"),
        ("ties in time", f"{card['ties_in_time']:,} ({card['ties_share']:.1%}): in these, file order decides"),
        ("Gini of popularity", f"{card['gini']:.3f}"),
        ("items met 5 times or less, never", f"{card['items_met_5_times_or_less']:,}, {card['items_never_met']:,}"),
    ]
    if card["span_days"] is not None:
        facts.append(("days between first and last", f"{card['span_days']:,.0f}"))
    for part, counts in card["questions"].items():
        facts.append((f"{part} questions", f"{counts['questions']:,}; {_questions(counts)}"))
    return facts


def _questions(counts: dict[str, int]) -> str:
    return (
        f"{counts['cold_targets']:,} targets never in training, {counts['seen_targets']:,} in the user's own history, "
        f"{counts['cold_users']:,} histories of 3 items or less"
    )


def protocol_facts(report: Report) -> list[tuple[str, str]]:
    """How everything was measured, as name and value."""
    protocol = report.protocol
    done, machine, versions = report.done(), machine_line(report.machine), versions_line(report.versions)
    trained = [(model.name, commit) for model in done for commit in model.generator_commits]
    budget = "none" if protocol.budget_seconds is None else f"{protocol.budget_seconds / 60:g} minutes"
    return [
        ("split", protocol.split if protocol.folds == 1 else f"{protocol.split}, {protocol.folds} folds"),
        ("ranking", "the whole catalog, item by item; no sampled negatives"),
        ("test questions", f"{protocol.counts['test_questions']:,}"),
        ("longest history", f"{protocol.counts['items_in_the_longest_history']:,} items"),
        ("tuning", f"{protocol.selection}, up to {protocol.trials} trials a model"),
        ("seeds", str(protocol.seeds)),
        ("time budget", budget),
        ("machine", machine),
        *_others("rows of another machine", [(model.name, model.machine) for model in done], machine),
        ("versions", versions),
        *_others("rows of other versions", [(model.name, model.versions) for model in done], versions),
        ("command", report.command or "-"),
        ("commit", report.commit or "-"),
        *_others("rows of another commit", [(model.name, model.commit) for model in done], report.commit),
        *_others("generators of another commit", trained, report.commit),
        ("made", f"{report.created:%Y-%m-%d %H:%M} UTC"),
        ("data set sha256", report.dataset_sha256),
    ]


def _others(name: str, found: Sequence[tuple[str, str | None]], own: str | None) -> list[tuple[str, str]]:
    """A fact for each value that is not the report's, with its models; what is not known is not said."""
    models: dict[str, list[str]] = {}
    for model, value in found:
        if value not in (None, own):
            models.setdefault(value, []).append(model)
    return [(name, f"{value}: {', '.join(names)}") for value, names in models.items()]
