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
