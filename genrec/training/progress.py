"""What a run tells: a progress bar on a terminal, lines elsewhere, metrics.jsonl always."""

from __future__ import annotations

import json
import logging
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
    resume_step
        Step to go on from; records of later steps are removed. 0: the file starts anew.
    """

    def __init__(self, path: Path, resume_step: int = 0) -> None:
        kept = []
        if resume_step and path.exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= resume_step]
        path.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
        self._stream = path.open("a", encoding="utf-8")

    def write(self, record: Mapping[str, float | int]) -> None:
        """Append one record; it is in the file when this returns."""
        self._stream.write(json.dumps(record) + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class TrainingProgress:
    """A bar with loss, tokens a second and time left on stderr, if that is a terminal; else log lines.

    Parameters
    ----------
    total
        Examples of the whole run.
    done
        Examples already trained on, for a resumed run.
    """

    def __init__(self, total: int, done: int = 0) -> None:
        self._bar = Progress(
            TextColumn("[bold]training"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not sys.stderr.isatty(),
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
            logger.info(line)
        else:
            self._bar.console.print(line, highlight=False)
