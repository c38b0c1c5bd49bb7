"""The charts of a report, each drawn once for a PNG and once for the page."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from genrec.benchmark.report.labels import FONT, SMALL, name_points, name_width
from genrec.benchmark.report.schema import LIFT, MAIN_METRIC
from genrec.benchmark.report.style import FAMILY_COLOURS, FAMILY_WORDS, Style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from genrec.benchmark.report.schema import ModeEntry, ModelEntry, Report, SliceEntry

WIDTH = 8.2
ROW = 0.27
POINTS = 72
"""In an inch."""
BESIDE_A_NAME = 24
"""Points that a legend needs for a mark and the room after its name."""
SHOWN_AT_ONCE = 6
FEWEST_IN_A_SLICE = 10
MOST_PARTS = 8
"""In a panel of slices: more are a cloud."""


@dataclass(frozen=True)
class Chart:
    """A chart that a report can have.

    Parameters
    ----------
    name
        Of its file.
    title
        Above it.
    draw
        Draws it, or gives None where the report has nothing for it.
    """

    name: str
    title: str
    draw: Callable[[Report, Style], Figure | None]


def accuracy(report: Report, style: Style) -> Figure | None:
    """One row a model: the main seen-mode with its interval, the other as a hollow mark."""
    modes = report.protocol.filter_seen
    rows = report.ranked(modes[0], ceiling=False)
    if not rows:
        return None
    figure, axes = _axes(style, ROW * len(rows) + 1.0)
    for row, (model, interval) in enumerate(rows):
        colour = FAMILY_COLOURS[model.family]
        axes.plot([interval.low, interval.high], [row, row], color=colour, lw=2, solid_capstyle="butt")
        axes.plot(interval.mean, row, "o", color=colour, ms=6.5)
        for mode in modes[1:]:
            other = report.result(model.name, mode)
            if other is not None:
                axes.plot(other.metrics[MAIN_METRIC].mean, row, "o", mec=colour, mfc="none", mew=1.2, ms=4.5)
    right = max(interval.high for _, interval in rows)
    for row, (_, interval) in enumerate(rows):
        axes.text(right * 1.03, row, f"{interval.mean:.4f}", va="center", color=style.ink, fontsize=SMALL)
    if report.baseline:
        mark = next(interval.mean for model, interval in rows if model.name == report.baseline)
        axes.axvline(mark, color=style.muted, lw=0.8, ls=(0, (3, 3)), zorder=0)
        axes.text(mark, -0.95, f"baseline {report.baseline}", ha="center", color=style.muted, fontsize=SMALL)
    _names(axes, [model for model, _ in rows], report, style)
    axes.set_ylim(len(rows) - 0.4, -1.3)
    axes.set_xlim(0, right * 1.12)
    axes.grid(axis="x", color=style.grid, lw=0.7)
    said = {True: "seen items filtered", False: "seen items kept"}
    hollow = f"; hollow: {said[modes[1]]}" if len(modes) > 1 else ""
    axes.set_xlabel(f"NDCG@10, {said[modes[0]]}, with 95 % interval{hollow}", color=style.muted, fontsize=SMALL)
    return figure


def latency(report: Report, style: Style) -> Figure | None:
    """Accuracy against the time of one answer; the line joins those that nothing faster is as good as.

    Those, the baseline and the best of each family are named, the others where there is room beside them.
    """
    rows = []
    for model, interval in report.ranked(report.protocol.filter_seen[0], ceiling=False):
        single = [found for found in (model.cost.latency if model.cost else []) if found.batch_size == 1]
        if single:
            rows.append((single[0].p50_ms, interval, model))
    if len(rows) < 2:
        return None
    figure, axes = _axes(style, 4.6)
    front: list[tuple[float, float]] = []
    named = {model.name for model in _best_of_families(report, report.protocol.filter_seen[0])}
    for milliseconds, interval, model in sorted(rows, key=lambda row: (row[0], -row[1].mean)):
        if not front or interval.mean > front[-1][1]:
            front.append((milliseconds, interval.mean))
            named.add(model.name)
    top = max(row[1].mean for row in rows)
    low, high = min(row[0] for row in rows), max(row[0] for row in rows)
    right = high * (high / low) ** 0.2 * 1.5
    front.append((right, front[-1][1]))
    axes.step(*zip(*front, strict=True), where="post", color=style.muted, lw=0.8, ls=(0, (3, 3)), zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(low / 1.6, right)
    axes.set_ylim(0, top * 1.12)
    for milliseconds, interval, model in rows:
        axes.plot(milliseconds, interval.mean, "o", color=FAMILY_COLOURS[model.family], ms=7)
    axes.grid(color=style.grid, lw=0.7)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    words = "median time of one answer, milliseconds (log scale); nothing lies above the dashed line"
    label = axes.set_xlabel(words, color=style.muted, fontsize=SMALL)
    axes.set_ylabel("NDCG@10", color=style.muted, fontsize=SMALL)
    _families(axes, [model for *_, model in rows], style)
    points = [(x, interval.mean, model.name) for x, interval, model in rows]
    if name_points(figure, axes, points, style, always=named):
        label.set_text(f"{words};\nthe table names those that had no room for a name")
    return figure


def slices(report: Report, style: Style) -> Figure | None:
    """The best model of each family, by part of the users and of the items."""
    mode = report.protocol.filter_seen[0]
    best = [(model, report.result(model.name, mode)) for model in _best_of_families(report, mode)]
    results = [(model, result) for model, result in best if result]
    if not results:
        return None
    # A model with a limit of users may have few questions in a part, or none: parts are of the one that was asked most.
    most = max((result for _, result in results), key=lambda result: result.users)
    parts = {group: _large_parts(most, group) for group in dict.fromkeys(piece.group for piece in most.slices)}
    groups = [group for group, pieces in parts.items() if 1 < len(pieces) <= MOST_PARTS][:4]
    shown = [(model, result) for model, result in results if any(_large_parts(result, group) for group in groups)]
    if not groups:
        return None
    rows = -(-len(groups) // 2)
    figure = _figure(style, 2.5 * rows + 0.5)
    handles: list[Artist] = []
    for place, group in enumerate(groups):
        axes = figure.add_subplot(rows, min(2, len(groups)), place + 1)
        _plain(axes, style)
        handles = _slice_panel(axes, shown, parts[group], group, report.baseline, style)
    _legend_of_models(figure, handles, [report.label(model.name) for model, _ in shown], style)
    return figure


def cold_users(report: Report, style: Style) -> Figure | None:
    """The best model of each family, by how many items it sees of a history."""
    mode = report.protocol.filter_seen[0]
    rows = {
        model.name: result.short_histories
        for model in _best_of_families(report, mode)
        if (result := report.result(model.name, mode)) and result.short_histories
    }
    shown = [model for model in report.done() if model.name in rows]
    lengths = sorted({entry.items for entries in rows.values() for entry in entries if entry.items is not None})
    if not lengths:
        return None
    figure, axes = _axes(style, 3.8)
    places: dict[int | None, int] = {items: place for place, items in enumerate([*lengths, None])}
    handles: list[Artist] = []
    for model in shown:
        x = [places[entry.items] for entry in rows[model.name]]
        values = [entry.metrics[MAIN_METRIC] for entry in rows[model.name]]
        colour = FAMILY_COLOURS[model.family]
        mark = "D" if model.name == report.baseline else "o"
        axes.fill_between(x, [v.low for v in values], [v.high for v in values], color=colour, alpha=0.1, lw=0)
        handles += axes.plot(x, [v.mean for v in values], color=colour, marker=mark, ms=5, lw=1.6)
    axes.set_xticks(range(len(places)), [*(f"last {items}" for items in lengths), "whole history"])
    axes.set_xlim(-0.3, len(places) - 0.7)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.grid(axis="y", color=style.grid, lw=0.7)
    axes.set_ylabel("NDCG@10", color=style.muted, fontsize=SMALL)
    axes.set_xlabel(
        "items of the history that the model sees; bands: 95 % intervals", color=style.muted, fontsize=SMALL
    )
    asked = {name: entries[0].users for name, entries in rows.items()}
    fewer = {name: f" ({users:,} users)" for name, users in asked.items() if users < max(asked.values())}
    _legend_of_models(figure, handles, [model.name + fewer.get(model.name, "") for model in shown], style)
    return figure


def popularity_lift(report: Report, style: Style) -> Figure | None:
    """How much more popular the lists are than the histories they were made from."""
    rows = []
    for model, _ in report.ranked(report.protocol.filter_seen[0], ceiling=False):
        result = report.result(model.name, report.protocol.filter_seen[0])
        value = result.beyond.get(LIFT) if result else None
        if value is not None:
            rows.append((model, value))
    if not rows:
        return None
    rows.sort(key=lambda row: row[1])
    figure, axes = _axes(style, ROW * len(rows) + 0.9)
    span = max(abs(value) for _, value in rows) or 1.0
    for row, (model, value) in enumerate(rows):
        axes.barh(row, value, height=0.62, color=FAMILY_COLOURS[model.family])
        side = "left" if value >= 0 else "right"
        at = value + np.copysign(0.015 * span, value)
        axes.text(at, row, f"{value:+.0%}", va="center", ha=side, color=style.ink, fontsize=SMALL)
    axes.axvline(0, color=style.muted, lw=0.8)
    _names(axes, [model for model, _ in rows], report, style)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    low, high = min(0.0, *(value for _, value in rows)), max(0.0, *(value for _, value in rows))
    axes.set_xlim(low - 0.14 * span * (low < 0), high + 0.14 * span)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="x", color=style.grid, lw=0.7)
    words = "popularity of the recommended items against that of the users' own histories; 0 % keeps to their taste"
    axes.set_xlabel(words, color=style.muted, fontsize=SMALL)
    return figure


def popularity_curve(report: Report, style: Style) -> Figure | None:
    """Share of the interactions that the most popular items have."""
    points = report.data_card.get("popularity_curve")
    if not points:
        return None
    figure, axes = _axes(style, 3.6)
    items, interactions = zip(*points, strict=True)
    axes.plot([0, 1], [0, 1], color=style.grid, lw=1.2, ls=(0, (3, 3)))
    axes.plot(items, interactions, color=FAMILY_COLOURS["cf"], lw=2.2)
    for percent, share in report.data_card["top_items_share"].items():
        x = int(percent) / 100
        axes.plot(x, share, "o", color=FAMILY_COLOURS["cf"], ms=5.5)
        words = f"{percent} % of the items: {share:.0%} of the interactions"
        axes.annotate(words, (x, share), (7, -9), textcoords="offset points", color=style.ink, fontsize=SMALL)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(color=style.grid, lw=0.7)
    axes.set_xlabel(
        "share of the items, most popular first; dashed: if all were met alike", color=style.muted, fontsize=SMALL
    )
    axes.set_ylabel("share of the interactions", color=style.muted, fontsize=SMALL)
    return figure


CHARTS = (
    Chart("accuracy", "How good", accuracy),
    Chart("accuracy-latency", "How good for the time it takes", latency),
    Chart("accuracy-slices", "For whom, and for which items", slices),
    Chart("cold-users", "When little is known of a user", cold_users),
    Chart("popularity-lift", "How much it leans on what is popular", popularity_lift),
    Chart("popularity-curve", "What the data are like", popularity_curve),
)


def _figure(style: Style, height: float) -> Figure:
    return Figure(figsize=(WIDTH, height), layout="constrained", facecolor=style.paper)


def _axes(style: Style, height: float) -> tuple[Figure, Axes]:
    figure = _figure(style, height)
    axes = figure.add_subplot()
    _plain(axes, style)
    return figure, axes


def _plain(axes: Axes, style: Style) -> None:
    """Neither box nor ticks: what is left is the data and lines to read along."""
    axes.set_facecolor(style.paper)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(which="both", length=0, labelsize=SMALL, labelcolor=style.muted)


def _names(axes: Axes, models: list[ModelEntry], report: Report, style: Style) -> None:
    """Model names at the left, the baseline's in bold."""
    axes.set_yticks(range(len(models)), [report.label(model.name) for model in models], fontsize=FONT)
    for label, model in zip(axes.get_yticklabels(), models, strict=True):
        label.set_color(style.ink)
        label.set_fontweight("bold" if model.name == report.baseline else "normal")
    _families(axes, models, style)


def _families(axes: Axes, models: list[ModelEntry], style: Style) -> None:
    """Say what the colours are."""
    told = [family for family in FAMILY_COLOURS if family in {model.family for model in models}]
    handles = [
        axes.plot([], [], "o", color=FAMILY_COLOURS[family], ms=6, label=FAMILY_WORDS[family])[0] for family in told
    ]
    axes.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1.0),
        ncols=_columns([FAMILY_WORDS[family] for family in told]),
        frameon=False,
        fontsize=SMALL,
        labelcolor=style.muted,
        handletextpad=0.2,
        columnspacing=1.4,
        borderaxespad=0.2,
    )


def _columns(words: list[str]) -> int:
    """Columns of a legend, so that its rows are no wider than the picture and of much the same length."""
    width = sum(name_width(word) + BESIDE_A_NAME for word in words)
    rows = math.ceil(width / (0.9 * WIDTH * POINTS))
    return math.ceil(len(words) / rows)


def _best_of_families(report: Report, mode: bool) -> list[ModelEntry]:
    """The best model of each family, and the baseline."""
    shown: list[ModelEntry] = []
    for model, _ in report.ranked(mode, ceiling=False):
        is_new = model.family not in {other.family for other in shown}
        if len(shown) < SHOWN_AT_ONCE and (is_new or model.name == report.baseline):
            shown.append(model)
    return shown


def _legend_of_models(figure: Figure, handles: list[Artist], names: list[str], style: Style) -> None:
    figure.legend(
        handles,
        names,
        loc="outside upper left",
        ncols=_columns(names),
        frameon=False,
        fontsize=SMALL,
        labelcolor=style.ink,
        handletextpad=0.2,
        columnspacing=1.4,
    )


def _large_parts(result: ModeEntry, group: str) -> dict[str, SliceEntry]:
    """Parts of a group, by name, of which the model was asked enough questions for a mark."""
    pieces = [piece for piece in result.slices if piece.group == group and MAIN_METRIC in piece.metrics]
    return {piece.name: piece for piece in pieces if piece.users >= FEWEST_IN_A_SLICE}


def _slice_panel(
    axes: Axes,
    shown: list[tuple[ModelEntry, ModeEntry]],
    parts: dict[str, SliceEntry],
    group: str,
    baseline: str | None,
    style: Style,
) -> list[Artist]:
    """Marks of the models side by side in each part; no lines between parts, which may have no order."""
    handles: list[Artist] = []
    for rank, (model, result) in enumerate(shown):
        pieces = _large_parts(result, group)
        marked = [(place, pieces[name].metrics[MAIN_METRIC]) for place, name in enumerate(parts) if name in pieces]
        values = [value for _, value in marked]
        places = [place + (rank - (len(shown) - 1) / 2) * 0.66 / len(shown) for place, _ in marked]
        colour = FAMILY_COLOURS[model.family]
        axes.vlines(places, [v.low for v in values], [v.high for v in values], color=colour, lw=1.8)
        mark = "D" if model.name == baseline else "o"  # it may have another's family, and so its colour
        handles += axes.plot(places, [v.mean for v in values], mark, color=colour, ms=5, clip_on=False)
    axes.set_xticks(range(len(parts)), [f"{name}\n{piece.users:,}" for name, piece in parts.items()])
    axes.set_xlim(-0.5, len(parts) - 0.5)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y", color=style.grid, lw=0.7)
    axes.set_title(f"NDCG@10 by {group}, with number of questions", loc="left", fontsize=FONT, color=style.ink)
    return handles
