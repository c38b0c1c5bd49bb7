"""How a benchmark goes: a bar on a terminal, a line for each model that is done everywhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from genrec.benchmark.runner import Finished, Listener
from genrec.benchmark.tuning import Trial
from genrec.cli.console import printable, stderr, stdout

if TYPE_CHECKING:
    from types import TracebackType

    from genrec.benchmark.entrants import Entrant

NAME_WIDTH = 26


class Progress(Listener):
    """Prints a model's line when it is done, and on a terminal what is being done now.

    Parameters
    ----------
    budget_seconds
        Of the run; None for none.
    to_stderr
        Print the lines there: stdout is for JSON.
    """

    def __init__(self, budget_seconds: float | None, *, to_stderr: bool) -> None:
        self._lines = stderr if to_stderr else stdout
        self._trials = 0
        self._place = ""
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[of]}"))
        # A bar on stdout would be in the way of who reads it; so on stderr, and only on a terminal.
        self._bar = Bar(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty())
        self._task = self._bar.add_task(
            "", total=None, of="" if budget_seconds is None else f"of {budget_seconds:.0f} s"
        )

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def says(self, what: str) -> None:
        """What is being done now."""
        self._bar.update(self._task, description=what)

    def begins(self, entrant: Entrant, number: int, total: int) -> None:
        """A model's turn."""
        self._trials = 0
        self._place = f"{number}/{total}"
        self._bar.update(self._task, total=total, completed=number - 1)
        self.says(f"{self._place} {printable(entrant.name)}: first trial")

    def hears(self, entrant: Entrant, what: Trial | str) -> None:
        """A trial ended, or a stage began."""
        name = printable(entrant.name)
        if isinstance(what, Trial):
            self._trials += 1
            figure = what.outcome if what.ndcg is None else f"validation NDCG@10 {what.ndcg:.4f}"
            self.says(f"{self._place} {name}: trial {self._trials}, {figure}")
        else:
            self.says(f"{self._place} {name}: {what}")

    def ends(self, finished: Finished, kept: bool) -> None:
        """Print the model's line."""
        entry = finished.entry
        head = f"{self._place:>7}  {printable(entry.name):<{NAME_WIDTH}}"
        if entry.status != "done":
            line = f"{entry.status}: {printable(entry.note)}"
        else:
            metrics = finished.evaluations[0].metrics
            tried = sum(trial.outcome == "done" for trial in entry.trials)
            line = (
                f"NDCG@10 {metrics['ndcg@10']:.4f}  Recall@10 {metrics['recall@10']:.4f}  "
                f"{tried} trial{'s' * (tried != 1)}, {entry.seconds:.0f} s{', kept from before' if kept else ''}"
            )
        self._bar.stop()  # or the line would be drawn into the bar
        self._lines.print(f"{head}  {line}", soft_wrap=True)
        self._bar.start()
