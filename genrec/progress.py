"""A bar for what takes a while, where somebody looks."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Iterator


def in_batches(words: str, total: int, batch_size: int) -> Iterator[slice]:
    """Slices of a batch each, with a bar on stderr where that is a terminal.

    Parameters
    ----------
    words
        What is being done.
    total
        Things to do.
    batch_size
        Those done at once.

    Yields
    ------
    slice
        ``first : first + batch_size``; the last may reach beyond the total.

    Examples
    --------
    >>> [list(range(5))[some] for some in in_batches("count", total=5, batch_size=2)]
    [[0, 1], [2, 3], [4]]
    """
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(words, total=total)
        for first in range(0, total, batch_size):
            yield slice(first, first + batch_size)
            progress.advance(task, min(batch_size, total - first))
