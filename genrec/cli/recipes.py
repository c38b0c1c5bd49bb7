"""``genrec recipes``: the documents, prompts, fine-tuning recipes and benchmark configs that ship with genrec."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from genrec.cli.console import print_json, print_table, stderr, stdout
from genrec.errors import ConfigError
from genrec.shipped import shipped_files, shipped_path, shipped_root

app = typer.Typer(
    help="List, show and copy the documents, prompts, recipes and configs that ship with genrec.", no_args_is_help=True
)

# how a comment or heading opens in each kind of file
_COMMENT = {".jinja": "{#", ".md": "#", ".py": '"""', ".sh": "#", ".yaml": "#", ".yml": "#"}


@app.command("ls")
def list_recipes(
    folder: Annotated[str, typer.Argument(help="Only below this folder, for example finetune/configs.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """List the files that ship with genrec, with the first line of what each says about itself."""
    files = shipped_files(folder)
    if not files:
        shipped_path(folder)  # raises, naming what is near
    rows = [(file.as_posix(), (shipped_root() / file).stat().st_size, summary(shipped_root() / file)) for file in files]
    if json:
        print_json([{"name": name, "bytes": size, "summary": text} for name, size, text in rows])
    else:
        print_table(["name", "bytes", "what it is"], rows)


@app.command("show")
def show_recipe(name: Annotated[str, typer.Argument(help="As `genrec recipes ls` prints it.")]) -> None:
    """Print one file."""
    path = shipped_path(name)
    if path.is_dir():
        msg = f"{name!r} is a folder"
        raise ConfigError(msg, hint=f"`genrec recipes ls {name}` lists it, `genrec recipes cp {name}` copies it")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        msg = f"{name!r} is not a text file"
        raise ConfigError(msg, hint=f"`genrec recipes cp {name}` copies it") from None
    stdout.print(text, end="", soft_wrap=True)


@app.command("cp")
def copy_recipe(
    name: Annotated[str, typer.Argument(help="File or folder, as `genrec recipes ls` prints it.")],
    to: Annotated[Path, typer.Argument(help="Folder to copy into; made when missing.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")] = False,
) -> None:
    """Copy a file or a whole folder, to edit it."""
    source = shipped_path(name)
    pairs = _copies(source, to / source.name)
    there = [str(target) for _, target in pairs if target.exists()]
    if there and not force:
        msg = f"would overwrite {', '.join(there)}"
        raise ConfigError(msg, hint="copy into another folder, or overwrite with --force")
    for file, target in pairs:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
        stderr.print(f"wrote {target}", soft_wrap=True)


def _copies(source: Path, target: Path) -> list[tuple[Path, Path]]:
    """Return every file of ``source`` with the place it goes to."""
    if source.is_file():
        return [(source, target)]
    root = shipped_root()
    files = shipped_files(source.relative_to(root).as_posix())
    return [(root / file, target / (root / file).relative_to(source)) for file in files]


def summary(path: Path) -> str:
    """First line of a text file's leading comment, docstring or heading; empty where there is none.

    Examples
    --------
    >>> from genrec.shipped import shipped_path
    >>> summary(shipped_path("eval/README.md"))
    'Evaluation recipes and results'
    """
    mark = _COMMENT.get(path.suffix)
    if mark is None:
        return ""
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    comments = (line.strip("#{}-\"' ") for line in lines if line.startswith(mark) and not line.startswith("#!"))
    return next(filter(None, comments), "")
