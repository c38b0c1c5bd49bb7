"""One file to import, and how its columns are called."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from genrec.data.options import TimestampUnit
    from genrec.data.readers.rows import Reader, Rows

# Used to word a hint, never to choose a column.
ALIASES = {
    "user_id": ("user", "uid", "customer", "reviewer", "visitor", "session", "member", "account"),
    "item_id": ("item", "iid", "product", "movie", "asin", "sku", "isbn", "article", "track", "stock"),
    "timestamp": ("time", "date", "ts", "when"),
    "rating": ("rating", "score", "stars", "overall"),
    "event": ("event", "action", "behavior", "type"),
    "title": ("title", "name", "description"),
    "categories": ("categor", "genre", "class", "tag"),
    "text": ("text", "description", "summary"),
}


@dataclass(frozen=True)
class FileSource:
    """A file, how to read it, and what its columns mean.

    Parameters
    ----------
    path
        The file.
    read
        Reads it; called with ``careful=True`` when line numbers are needed.
    columns
        genrec's name of a column -> its name in the file. Columns not named here go by their own name.
    flag
        The command line's option that maps columns of this file.
    list_separator
        What stands between the entries of a text that is a list.
    timestamp_unit
        Unit of the timestamps; None leaves it to the caller.
    """

    path: Path
    read: Reader
    columns: Mapping[str, str] = field(default_factory=dict)
    flag: str = "--map"
    list_separator: str = "|"
    timestamp_unit: TimestampUnit | None = None

    def check_names(self, names: Sequence[str]) -> None:
        """Refuse a mapping of names that genrec has no use for in such a file.

        Parameters
        ----------
        names
            genrec's names of the columns that may be mapped.

        Raises
        ------
        ConfigError
            Another name is mapped; the hint tells the name that was probably meant, and all there are.
        """
        for name, column in self.columns.items():
            if name in names:
                continue
            near = difflib.get_close_matches(name, names, n=1)
            meant = f"{near[0]}={column}" if near else f"{column}={name}" if column in names else ""
            known = f"names are {', '.join(names)}; all other columns keep their own"
            hint = f"did you mean {self.flag} {meant}? {known}" if meant else known
            raise ConfigError(f"{self.flag} {name}={column}: there is no column {name!r} to map to", hint=hint)

    def column(self, rows: Rows, name: str) -> str | None:
        """Name in the file of genrec's column `name`; None where the file has none.

        Raises
        ------
        DataError
            The mapping names a column that the file does not have.
        """
        mapped = self.columns.get(name)
        if mapped is not None and mapped not in rows.columns:
            seen = ", ".join(rows.columns)
            hint = f"columns are {seen}; write {self.flag} {name}=COL with one of them"
            raise DataError(f"{self.path.name} has no column {mapped!r}, to which {name} is mapped", hint=hint)
        found = mapped or name
        return found if found in rows.table.column_names else None

    def likely(self, columns: Iterable[str], name: str) -> list[str]:
        """Those of some columns whose names sound like genrec's column `name`; to word a hint."""
        return [column for column in columns if any(alias in column.lower() for alias in ALIASES[name])]

    def required(self, rows: Rows, name: str) -> str:
        """Like :meth:`column`, for a column that must be there.

        Raises
        ------
        DataError
            The file does not have it; the hint lists its columns and the option to write.
        """
        found = self.column(rows, name)
        if found is None:
            likely = self.likely(rows.columns, name)
            example = f"{self.flag} {name}={likely[0] if likely else 'COL'}"
            message = f"{self.path.name} has no column {name!r}; its columns are {', '.join(rows.columns) or 'none'}"
            raise DataError(message, hint=_separated(rows.columns) or f"say which column it is: {example}")
        return found


def _separated(columns: Sequence[str]) -> str:
    """A hint for a file whose fields were not told apart; empty where they were."""
    names = "".join(columns)
    if "\t" in names:
        return "if tabs separate its fields: --format tsv, or call the file .tsv"
    if ";" in names or "|" in names:
        mark = ";" if ";" in names else "|"
        return f"if its fields are separated by {mark!r}, let sep={mark} be the first line of a .csv file"
    commas = len(columns) == 1 and "," in names
    return "if commas separate its fields: --format csv, or call the file .csv" if commas else ""
