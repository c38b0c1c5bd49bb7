"""Charts as files: PNG for anything, SVG that takes the colours of the page it stands in."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING

from matplotlib import rc_context

from genrec.benchmark.report.charts import CHARTS
from genrec.benchmark.report.style import LIGHT, PAGE, VARIABLES

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.benchmark.report.charts import Chart
    from genrec.benchmark.report.schema import Report

DPI = 160


def save_pictures(report: Report, folder: Path) -> list[Path]:
    """Write one PNG a chart that the report has something for.

    Parameters
    ----------
    report
        The report.
    folder
        Where to.

    Returns
    -------
    list of Path
        What was written.
    """
    written = []
    for chart in CHARTS:
        path = folder / f"{chart.name}.png"
        path.unlink(missing_ok=True)
        figure = chart.draw(report, LIGHT)
        if figure is not None:
            figure.savefig(path, dpi=DPI, metadata={"Software": None})
            written.append(path)
    return written


def as_svg(chart: Chart, report: Report) -> str | None:
    """Draw a chart for the page.

    Parameters
    ----------
    chart
        One of ``CHARTS``.
    report
        The report.

    Returns
    -------
    str or None
        An ``<svg>`` element; None where the report has nothing for it.
    """
    # Text stays text: it is found, read aloud and set in the page's font. The salt keeps ids the same every time.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "genrec"}):
        figure = chart.draw(report, PAGE)
        if figure is None:
            return None
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, variable)
    # Each chart has the ids that matplotlib counts anew; in one page they must differ.
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{chart.name}-", svg)
    size = re.search(r'viewBox="([^"]+)"', svg)
    label = f'role="img" aria-label="{escape(f"{chart.title}: the figures stand in the tables", quote=True)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size.group(1) if size else ""}" {label}>'
    return re.sub(r"<svg[^>]*>", head.replace("\\", ""), svg, count=1)
