"""``genrec update``: fine-tune a model with new events, and promote it if it is not worse."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from genrec.cli.console import print_json, stderr, stdout


def update(
    model: Annotated[Path, typer.Argument(help="Model folder; left as it is.")],
    events: Annotated[Path, typer.Option("--events", help="Event store that `genrec serve --events` writes.")],
    out: Annotated[Path, typer.Option("--out", help="Model folder to write, if the new model is promoted.")],
    data: Annotated[
        str | None, typer.Option("--data", help="Data set, new items in it included. Default: the model's own.")
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the histories.")] = 3,
    rate: Annotated[float, typer.Option("--rate", min=0, help="Learning rates, as a share of the first ones.")] = 0.2,
    replay: Annotated[float, typer.Option("--replay", min=0, help="Old histories a user with new events.")] = 1.0,
    min_events: Annotated[int, typer.Option("--min-events", min=1, help="With fewer, nothing is done.")] = 100,
    max_drop: Annotated[float, typer.Option("--max-drop", min=0, help="Loss of NDCG@10 that is put up with.")] = 0.0,
    link: Annotated[
        Path | None, typer.Option("--link", help="Symbolic link to point to the new model once it is promoted.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Fine-tune a model with the events since its last update; a worse one is not written, and ends with 1."""
    from genrec.cli.finetune import quiet_libraries
    from genrec.errors import ConfigError
    from genrec.events import EventStore
    from genrec.training.update import UpdateConfig
    from genrec.training.update import update as run

    if not events.exists():
        raise ConfigError(f"{events}: there is no event store", hint="genrec serve --events FILE makes one")
    if link is not None and link.exists() and not link.is_symlink():
        raise ConfigError(f"{link} is not a symbolic link", hint="give a name that is free")
    quiet_libraries()
    config = UpdateConfig(epochs=epochs, rate=rate, replay=replay, min_events=min_events, max_drop=max_drop)
    with EventStore.open(events) as store:
        report = run(model, store, out, data=data, config=config)
    if report.promoted and link is not None:
        _point(link, out)
    if json:
        print_json({"model": str(out) if report.promoted else None, **report.to_dict()})
    else:
        for line in report.lines():
            (stderr if report.failed else stdout).print(line, soft_wrap=True)
        if report.promoted:
            stdout.print(f"model: {out}", soft_wrap=True)
    if report.failed:
        raise typer.Exit(1)


def _point(link: Path, target: Path) -> None:
    """Make a symbolic link point to a folder, in one step, so that it is never missing."""
    aside = link.with_name(f".{link.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    aside.symlink_to(target.resolve())
    aside.replace(link)
