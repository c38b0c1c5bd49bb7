"""What the commands print with: results on stdout, everything about the run on stderr."""

from __future__ import annotations

import json
import logging
import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from genrec.errors import GenrecError

stdout = Console(highlight=False, markup=False, emoji=False)
stderr = Console(stderr=True, highlight=False, markup=False, emoji=False)

# A pipe has no width; wide enough that no cell is cut for whoever reads the other end.
_PIPE_WIDTH = 1000


def printable(text: str) -> str:
    r"""Replace control characters and lone surrogates, so that a title cannot drive the terminal.

    Examples
    --------
    >>> printable("Heat\x1b[2J (1995)")
    'Heat\ufffd[2J (1995)'
    """
    if text.isprintable():
        return text
    return "".join("\ufffd" if unicodedata.category(char) in {"Cc", "Cs"} else char for char in text)


def print_json(value: object) -> None:
    """Print a value as JSON on stdout, ASCII only so that it survives every terminal encoding.

    Takes dicts, sequences, numbers (numpy's too), strings, paths and None. NaN and infinities, which JSON
    does not have, become null.
    """
    print(json.dumps(_jsonable(value), indent=2, allow_nan=False))


def _jsonable(value: object) -> object:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _jsonable(inner) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_jsonable(inner) for inner in value]
    import numpy as np  # not needed to start up

    if isinstance(value, np.ndarray | np.generic):
        return _jsonable(value.tolist())
    msg = f"cannot be written as JSON: {type(value).__name__}"
    raise TypeError(msg)


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None, footer: str | None = None
) -> None:
    """Print rows as a table on stdout.

    Parameters
    ----------
    columns
        Column headings. A column whose cells are all numbers or None is aligned right.
    rows
        One sequence of cells a row: strings are printed as they are (:func:`printable`), floats with four
        digits after the point, None as ``-``.
    title, footer
        A line above and a line below the table; a table of no rows is not drawn.
    """
    cells = [list(row) for row in rows]
    table = Table(header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(cells) and all(row[index] is None or isinstance(row[index], int | float) for row in cells)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*(Text(_cell(value)) for value in row))
    console = stdout if stdout.is_terminal else Console(file=stdout.file, width=_PIPE_WIDTH)
    # Beside the table, not in it: a table breaks its title and caption at its own width.
    if title:
        console.print(printable(title), style="bold", soft_wrap=True)
    if cells:
        console.print(table)
    if footer:
        console.print(printable(footer), soft_wrap=True)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else printable(str(value))


def print_error(error: GenrecError) -> None:
    """Print an error and its hint on stderr, in the form every command uses."""
    stderr.print(f"error: {_lines(error.message)}", style="red", soft_wrap=True)
    if error.hint:
        stderr.print(f"  hint: {_lines(error.hint)}", soft_wrap=True)


def _lines(text: str) -> str:
    return "\n".join(printable(line) for line in text.splitlines())


class ConsoleHandler(logging.Handler):
    """Log records as plain lines on stderr; warnings and worse say their level."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        line = level + _lines(self.format(record))
        if stderr.is_terminal:
            stderr.print(line, soft_wrap=True)  # there may be a progress bar to go around
        else:
            stderr.file.write(f"{line}\n")  # twenty times as fast, which a server's log is grateful for
            stderr.file.flush()


def configure_logging(*, verbose: bool, quiet: bool) -> None:
    """Send genrec's log to stderr: notable events by default, everything with verbose, errors only with quiet."""
    level = logging.ERROR if quiet else logging.DEBUG if verbose else logging.INFO
    logger = logging.getLogger("genrec")
    logger.setLevel(level)
    logger.handlers = [ConsoleHandler()]
