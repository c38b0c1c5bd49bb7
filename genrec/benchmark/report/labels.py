"""Names beside points, none over another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from genrec.benchmark.report.style import Style

FONT, SMALL = 9.0, 8.0
RADIUS = 4.0
NEAR = 9.0
"""Farther than so many points from its mark, a name gets a line to it."""

Box = tuple[float, float, float, float]

# Where a name may stand, in points from its mark, the nearest first.
_CLOSE = [(5.0, 7.0), (7.0, 0.0), (5.0, -7.0), (-5.0, 7.0), (-7.0, 0.0), (-5.0, -7.0)]
_ASIDE = _CLOSE + [
    (side * (4.0 + away / 3), up * away) for away in range(12, 90, 9) for up in (1, -1) for side in (1, -1)
]


def name_points(
    figure: Figure, axes: Axes, points: Sequence[tuple[float, float, str]], style: Style, always: Collection[str] = ()
) -> list[str]:
    """Write each point's name where there is room beside it.

    Parameters
    ----------
    figure
        Its layout is made, because where things are is known only then.
    axes
        With its limits and scales set and its points drawn.
    points
        Place and name of each.
    style
        Colours.
    always
        Names that are written farther away, with a line to their mark, rather than not at all. Default none.

    Returns
    -------
    list of str
        Names that were left out.
    """
    figure.draw_without_rendering()
    scale = 72 / figure.dpi
    left, low, right, high = (value * scale for value in axes.bbox.extents)
    places = [tuple(axes.transData.transform((x, y)) * scale) for x, y, _ in points]
    taken: list[Box] = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in places]
    left_out = []
    by_rank = sorted(zip(places, points, strict=True), key=lambda pair: (pair[1][2] not in always, -pair[0][1]))
    for (x, y), (_, _, name) in by_rank:
        aside = _ASIDE if name in always else _CLOSE
        free = ((dx, dy) for dx, dy in aside if _fits(_box(x, y, dx, dy, name), taken, (left, low, right, high)))
        found = next(free, _ASIDE[0] if name in always else None)
        if found is None:
            left_out.append(name)
            continue
        dx, dy = found
        taken.append(_box(x, y, dx, dy, name))
        arrow = {"arrowstyle": "-", "lw": 0.5, "color": style.muted, "shrinkA": 0, "shrinkB": RADIUS}
        axes.annotate(
            name,
            ((x - left) / (right - left), (y - low) / (high - low)),
            (dx, dy),
            xycoords="axes fraction",
            textcoords="offset points",
            ha="left" if dx > 0 else "right",
            va="center",
            fontsize=SMALL,
            color=style.ink,
            arrowprops=arrow if abs(dy) > NEAR else None,
        )
    return left_out


def name_width(name: str) -> float:
    """Points that a name takes; a guess that no usual font exceeds."""
    return len(name) * SMALL * 0.62


def _box(x: float, y: float, dx: float, dy: float, name: str) -> Box:
    """Where a name would stand."""
    width, height = name_width(name), SMALL * 1.2
    start = x + dx if dx > 0 else x + dx - width
    return start, y + dy - height / 2, start + width, y + dy + height / 2


def _fits(box: Box, taken: Sequence[Box], frame: Box) -> bool:
    inside = frame[0] <= box[0] and box[2] <= frame[2] and frame[1] <= box[1] and box[3] <= frame[3]
    return inside and not any(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
