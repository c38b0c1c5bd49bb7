"""What reading a file gives: its rows, and those that are bad."""

from __future__ import annotations

import gzip
from dataclasses import asdict, dataclass
from typing import IO, TYPE_CHECKING, Any, cast

from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be used, and why.

    Parameters
    ----------
    file
        Name of the file.
    line
        Line the row begins on, from 1; in Parquet the row, in a JSON array the object, from 1.
    column
        The column at fault, by its name in the file; empty where the row as a whole is.
    value
        What stands there.
    reason
        Why that cannot be used.
    unit
        What `line` counts.

    Examples
    --------
    >>> print(BadRow("ratings.csv", 7, "rating", "five", "is not a number"))
    ratings.csv, line 7, column 'rating': 'five' is not a number
    """

    file: str
    line: int
    column: str
    value: str
    reason: str
    unit: str = "line"

    def __str__(self) -> str:
        column = f", column {self.column!r}" if self.column else ""
        return f"{self.file}, {self.unit} {self.line}{column}: {self.value!r} {self.reason}"

    def to_dict(self) -> dict[str, str | int]:
        """Fields by name, ready for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Rows:
    """The readable rows of one file, in file order.

    Parameters
    ----------
    path
        The file.
    table
        Values under the file's own column names: text from text files, typed from JSON and Parquet.
    lines
        Line each row begins on, int64 (n,). None after a fast read, which does not count lines.
    bad
        Rows that cannot be read at all, such as those with too many fields.
    columns
        All columns of the file, also those not kept in `table`.
    raw
        Reads the file once more, for the whole text of the rows that begin on some lines; by line.
    unit
        What `lines` counts: lines, or the rows of Parquet or objects of a JSON array.
    says_types
        Whether the file says what its columns hold, so that no text is taken for amounts. Default False.
    """

    path: Path
    table: pa.Table
    lines: NDArray[np.int64] | None
    bad: tuple[BadRow, ...]
    columns: tuple[str, ...]
    raw: Callable[[Collection[int]], dict[int, str]] | None = None
    unit: str = "line"
    says_types: bool = False


if TYPE_CHECKING:
    # The flag asks for a careful read, which gives line numbers.
    Reader = Callable[[Path, bool], Rows]


def open_binary(path: Path) -> IO[bytes]:
    """Open a file for reading, through gzip where its name ends in ``.gz``."""
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def lossless(raw: bytes, encoding: str = "utf-8") -> str:
    r"""Text of bytes that need not be text: what is not in the encoding is taken for latin-1, which has every byte.

    Examples
    --------
    >>> lossless("café".encode()), lossless("café".encode("latin-1"))
    ('café', 'café')
    """
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def shown(value: Any) -> str:  # noqa: ANN401 (whatever a file holds)
    """Text of a value for an error message: one that any terminal and any encoding can take."""
    text = value if isinstance(value, str) else str(value)
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= 200 else f"{text[:200]}..."
