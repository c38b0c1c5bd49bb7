"""What a run tells: a progress bar on a terminal, lines elsewhere, metrics.jsonl always."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

logger = logging.getLogger(__name__)


class MetricsLog:
    """Appends records to ``metrics.jsonl``; a resumed run drops what came after its checkpoint.

    Parameters
    ----------
    path
        The file.
    keep
        Records to keep of a file that is there. Default 0: the file starts anew.
    write
        Whether to touch the file at all; only one of several processes does. Default True.
    """

    def __init__(self, path: Path, keep: int = 0, *, write: bool = True) -> None:
        if write:
            kept = path.read_text(encoding="utf-8").splitlines()[:keep] if keep else []
            path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self._stream = path.open("a", encoding="utf-8") if write else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream:
            self._stream.close()

    def write(self, record: Mapping[str, float | int]) -> None:
        """Append one record; other processes see it when this returns."""
        if self._stream:
            self._stream.write(json.dumps(record) + "\n")
            self._stream.flush()

    def sync(self) -> None:
        """Make sure that what was written is on disk."""
        if self._stream:
            os.fsync(self._stream.fileno())


class TrainingProgress:
    """A bar with loss, tokens a second and time left on stderr, if that is a terminal; else log lines.

    Parameters
    ----------
    total
        Examples of the whole run.
    done
        Examples already trained on, for a resumed run.
    show
        False in all of several processes but one. Default True.
    """

    def __init__(self, total: int, done: int = 0, *, show: bool = True) -> None:
        self._show = show
        self._bar = Progress(
            TextColumn("[bold]training"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not (show and sys.stderr.isatty()),
        )
        self._task = self._bar.add_task("training", total=total, completed=done, words="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def advance(self, examples: int, loss: float, tokens_per_second: float) -> None:
        """Show that ``examples`` examples have been trained on."""
        self._bar.update(self._task, completed=examples, words=f"loss {loss:.3f} {tokens_per_second:,.0f} tok/s")

    def say(self, line: str) -> None:
        """One line above the bar, or in the log."""
        if self._bar.disable:
            logger.log(logging.INFO if self._show else logging.DEBUG, line)
        else:
            self._bar.console.print(line, highlight=False)
