"""What an import did: every row is accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genrec.data.options import OnBadRows


@dataclass(frozen=True)
class FileReport:
    """Where the rows of one file went: ``read == kept + bad + sum(dropped)``, always.

    Parameters
    ----------
    file
        Name of the file.
    read
        Rows in the file.
    kept
        Rows that are in the data set.
    bad
        Rows that could not be used.
    dropped
        Reason -> rows left out on purpose.

    Examples
    --------
    >>> FileReport("a.csv", read=10, kept=7, bad=1, dropped={"dedup": 2}).adds_up
    True
    """

    file: str
    read: int
    kept: int
    bad: int
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def adds_up(self) -> bool:
        """Whether every row that was read is accounted for."""
        return self.read == self.kept + self.bad + sum(self.dropped.values())

    def to_dict(self, bad_word: str) -> dict[str, Any]:
        """Fields by name, with the bad rows under what was done to them."""
        return {"file": self.file, "read": self.read, "kept": self.kept, bad_word: self.bad, "dropped": self.dropped}


@dataclass(frozen=True)
class ImportReport:
    """What an import read, kept and left out.

    Parameters
    ----------
    folder
        The data set folder that was written.
    format
        Format of the interactions, as said or as found.
    on_bad_rows
        What was done with bad rows.
    interactions, items, users
        Where the rows of each file went.
    items_without_row
        Items of the interactions that the item file does not have; kept, with the id for a title.
    items_without_title
        Items whose row has no title; kept, with the id for a title.
    description
        :meth:`genrec.data.dataset.Dataset.describe` of the result.
    bad_rows
        The first bad rows, in words.
    """

    folder: str
    format: str
    on_bad_rows: OnBadRows
    interactions: FileReport
    items: FileReport | None
    users: FileReport | None
    items_without_row: int
    items_without_title: int
    description: dict[str, Any]
    bad_rows: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Everything by name, ready for JSON."""
        word = {"raise": "bad", "skip": "skipped", "quarantine": "quarantined"}[self.on_bad_rows]
        return {
            "folder": self.folder,
            "format": self.format,
            "on_bad_rows": self.on_bad_rows,
            "interactions": self.interactions.to_dict(word),
            "items": self.items.to_dict(word) if self.items else None,
            "users": self.users.to_dict(word) if self.users else None,
            "items_without_row": self.items_without_row,
            "items_without_title": self.items_without_title,
            "bad_rows": list(self.bad_rows),
            "dataset": self.description,
        }
