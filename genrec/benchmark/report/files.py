"""A report on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from genrec.benchmark.report.markdown import as_markdown
from genrec.benchmark.report.page import as_html
from genrec.benchmark.report.picture import save_pictures
from genrec.benchmark.report.schema import Report
from genrec.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

JSON = "report.json"


def save_report(report: Report, folder: Path) -> None:
    """Write ``report.json``, ``report.md``, ``report.html`` and a PNG a chart.

    Parameters
    ----------
    report
        The report; the writers read nothing else.
    folder
        Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [path.stem for path in save_pictures(report, folder)]
    (folder / "report.md").write_text(as_markdown(report, pictures), encoding="utf-8")
    (folder / "report.html").write_text(as_html(report), encoding="utf-8")
    # Last: where it lies, the others do.
    (folder / JSON).write_text(report.model_dump_json(indent=1) + "\n", encoding="utf-8")


def load_report(folder: Path) -> Report:
    """Read the report of a run.

    Parameters
    ----------
    folder
        Of ``genrec benchmark --out``.

    Raises
    ------
    DataError
        There is none, or it is not of this version.
    """
    path = folder / JSON
    try:
        return Report.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{folder} has no {JSON}", hint="name the folder of `genrec benchmark --out`") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        msg = f"{path} is not a report that this genrec reads: {where}: {first['msg']}"
        raise DataError(msg, hint="run the benchmark again") from error
