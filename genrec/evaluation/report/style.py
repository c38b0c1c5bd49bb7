"""How the charts look: colours that colour-blind readers tell apart, light for files, the page's own in the page."""

from __future__ import annotations

from dataclasses import dataclass

# Okabe and Ito's palette, its yellow left out: on white it cannot be seen.
FAMILY_COLOURS = {
    "floor": "#7f7f7f",
    "cf": "#0072b2",
    "content": "#009e73",
    "sequential": "#e69f00",
    "fusion": "#7a6a00",
    "generative": "#d55e00",
    "hybrid": "#cc79a7",
    "own": "#56b4e9",
    "ceiling": "#7f7f7f",
}
FAMILY_WORDS = {
    "floor": "floor",
    "cf": "collaborative filtering",
    "content": "content",
    "sequential": "sequential",
    "fusion": "fusion of scorers",
    "generative": "generative",
    "hybrid": "generative + retriever",
    "own": "own scorer",
    "ceiling": "ceiling",
}


@dataclass(frozen=True)
class Style:
    """Colours of a chart.

    Parameters
    ----------
    ink
        Text and marks without a family.
    muted
        Axes and notes.
    grid
        Lines to read along.
    paper
        Behind everything; ``"none"`` lets the page show through.
    """

    ink: str = "#1b1f24"
    muted: str = "#57606a"
    grid: str = "#d8dee4"
    paper: str = "#ffffff"


LIGHT = Style()

# Colours that mean nothing: a chart drawn with them takes the page's own, light or dark, once they are replaced.
_NAMES = {"ink": "#010101", "muted": "#020202", "grid": "#030303"}
PAGE = Style(ink=_NAMES["ink"], muted=_NAMES["muted"], grid=_NAMES["grid"], paper="none")
VARIABLES = {colour: f"var(--{name})" for name, colour in _NAMES.items()} | {
    colour: f"var(--{family})" for family, colour in FAMILY_COLOURS.items() if family != "ceiling"
}


def spread(places: list[float], gap: float) -> list[float]:
    """Move labels apart that would lie over each other, as little as it takes, keeping their order.

    Parameters
    ----------
    places
        Where each label would like to be.
    gap
        Least distance of two.

    Examples
    --------
    >>> [round(place, 2) for place in spread([1.0, 1.1, 3.0], gap=0.5)]
    [0.8, 1.3, 3.0]
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    clusters: list[list[int]] = []
    for index in order:
        clusters.append([index])
        while len(clusters) > 1 and _low(clusters[-1], places, gap) - _high(clusters[-2], places, gap) < gap - 1e-12:
            clusters[-2:] = [clusters[-2] + clusters[-1]]
    moved = list(places)
    for cluster in clusters:
        for step, index in enumerate(cluster):
            moved[index] = _low(cluster, places, gap) + step * gap
    return moved


def _centre(cluster: list[int], places: list[float]) -> float:
    return sum(places[index] for index in cluster) / len(cluster)


def _low(cluster: list[int], places: list[float], gap: float) -> float:
    return _centre(cluster, places) - gap * (len(cluster) - 1) / 2


def _high(cluster: list[int], places: list[float], gap: float) -> float:
    return _centre(cluster, places) + gap * (len(cluster) - 1) / 2
