"""A table of words, which every writer lays out in its own way."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ReportTable:
    """A table of words.

    Parameters
    ----------
    title
        Above it.
    columns
        Headings.
    rows
        As wide as `columns`.
    note
        Below it.
    words
        Number of columns, from the left, that are words rather than figures. Default 1.
    """

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    note: str = ""
    words: int = 1
