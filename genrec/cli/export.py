"""``genrec export``: a model folder for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec.cli.console import print_json, stdout


def export(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    merged: Annotated[Path, typer.Option("--merged", help="Folder to write a plain transformers model to.")],
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Merge the adapter and the code vectors into one model that plain transformers loads."""
    from genrec.cli.finetune import quiet_libraries
    from genrec.model.export import ExportDescription, export_merged

    quiet_libraries()
    folder = export_merged(model, merged)
    command = ExportDescription.read(folder).serve_command(folder)
    if json:
        print_json({"model": str(folder), "serve": command})
    else:
        stdout.print(f"model: {folder}\nserve it: {command}", soft_wrap=True, highlight=False)
