"""How delimited files are written, and what their first line tells of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from genrec.data.readers.rows import open_binary

if TYPE_CHECKING:
    from pathlib import Path

_SEP = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"]|"")*"')


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    Parameters
    ----------
    delimiter
        What stands between fields; may be longer than one character (``::``).
    quoted
        Whether fields may stand in double quotes.
    encoding
        Text encoding.
    header
        Column names, where the file has no header line.
    told
        Whether the first line tells the delimiter; see :func:`told_by_first_line`.
    skip
        Lines before the header.
    """

    delimiter: str = ","
    quoted: bool = True
    encoding: str = "utf-8"
    header: tuple[str, ...] | None = None
    told: bool = False
    skip: int = 0


def told_by_first_line(path: Path, dialect: Dialect) -> Dialect:
    """The dialect of a file of which the first line tells the delimiter.

    Spreadsheets write ``sep=;`` before the header. Else names in quotes do not count: tabs separate where the header
    has them, at least as many as commas and semicolons; semicolons where it has them and no comma.

    Parameters
    ----------
    path
        The file.
    dialect
        What holds where the line does not tell.
    """
    with open_binary(path) as file:
        first = file.readline().decode("utf-8-sig", "replace").rstrip("\r\n")
    if sep := _SEP.fullmatch(first):
        return replace(dialect, delimiter=sep[1], skip=1)
    names = _QUOTED.sub("", first)
    tabs, semicolons, commas = (names.count(mark) for mark in "\t;,")
    if tabs and tabs >= max(semicolons, commas):
        return replace(dialect, delimiter="\t")
    return replace(dialect, delimiter=";") if semicolons and not commas else dialect
