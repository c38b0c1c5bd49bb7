"""How delimited files are written, and what their first line tells of it."""

from __future__ import annotations

import codecs
import io
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
        Text encoding; a file that begins with the mark of UTF-16 is read as that where this is utf-8.
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


def told_by_mark(path: Path, dialect: Dialect) -> Dialect:
    """The dialect of a file that may begin with the byte order mark of UTF-16, as spreadsheets' "Unicode text" does.

    Parameters
    ----------
    path
        The file.
    dialect
        What holds where it does not; an encoding other than utf-8 was said by somebody, and stays.
    """
    with open_binary(path) as file:
        mark = file.read(2)
    is_utf16 = dialect.encoding == "utf-8" and mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    return replace(dialect, encoding="utf-16") if is_utf16 else dialect


def text_encoding(dialect: Dialect) -> str:
    """The codec that reads a file from its beginning, where a byte order mark is none of the text.

    Parameters
    ----------
    dialect
        How the file is written.

    Returns
    -------
    str
        As Python names it.

    Examples
    --------
    >>> text_encoding(Dialect()), text_encoding(Dialect(encoding="cp1252"))
    ('utf-8-sig', 'cp1252')
    """
    return "utf-8-sig" if dialect.encoding == "utf-8" else dialect.encoding


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
    with io.TextIOWrapper(open_binary(path), encoding=text_encoding(dialect), errors="replace") as file:
        first = file.readline().rstrip("\n")
    if sep := _SEP.fullmatch(first):
        return replace(dialect, delimiter=sep[1], skip=1)
    names = _QUOTED.sub("", first)
    tabs, semicolons, commas = (names.count(mark) for mark in "\t;,")
    if tabs and tabs >= max(semicolons, commas):
        return replace(dialect, delimiter="\t")
    return replace(dialect, delimiter=";") if semicolons and not commas else dialect
