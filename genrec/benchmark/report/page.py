"""``report.html``: one file with everything in it, that asks nothing of the network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from genrec.benchmark.report.charts import CHARTS
from genrec.benchmark.report.picture import as_svg
from genrec.benchmark.report.rows import data_facts, protocol_facts, tables

if TYPE_CHECKING:
    from genrec.benchmark.report.schema import Report

TEMPLATE = "page.html.jinja"


def as_html(report: Report) -> str:
    """Lay out a report as a web page.

    Parameters
    ----------
    report
        The report. Names in it are escaped; they may come from files of others.

    Returns
    -------
    str
        Charts inside, light or dark as the reader's system is.
    """
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    drawn = [(chart, as_svg(chart, report)) for chart in CHARTS]  # safe as they are: matplotlib escapes names
    return environment.get_template(TEMPLATE).render(
        report=report,
        charts=[(chart, svg) for chart, svg in drawn if svg],
        tables=tables(report),
        data=data_facts(report),
        protocol=protocol_facts(report),
    )
