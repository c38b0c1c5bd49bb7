"""The ``genrec`` command: mounts the subcommands and turns errors into messages and exit statuses.

Modules of this folder import torch, transformers and pyarrow inside their functions, so that ``--help`` and
``--version`` answer at once.
"""

from __future__ import annotations

import errno
import io
import logging
import shlex
import sys
import warnings
from itertools import pairwise
from pathlib import Path
from typing import Annotated, TextIO

import typer

from genrec.cli import benchmark, data, keys, recipes
from genrec.cli.chat import chat
from genrec.cli.console import configure_logging, print_error, stderr
from genrec.cli.demo import demo
from genrec.cli.doctor import doctor
from genrec.cli.explain import explain
from genrec.cli.export import export
from genrec.cli.finetune import finetune
from genrec.cli.recommend import recommend
from genrec.cli.serve import serve
from genrec.cli.update import update
from genrec.errors import GenrecError
from genrec.version import __version__

INTERRUPTED = 130
# What a read-only place, a full disk or a file in the place of a folder is answered with.
MACHINE_FAULTS = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENOTDIR, errno.EEXIST}

app = typer.Typer(
    name="genrec",
    help="Recommend by generating: a language model writes the next items, a trie keeps them in your catalog.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
# one line a command, in the order a new user meets them
app.command()(demo)
app.add_typer(data.app, name="data")
app.command()(finetune)
app.command()(recommend)
app.command()(explain)
app.command()(chat)
app.add_typer(benchmark.app, name="benchmark")
app.command()(serve)
app.command()(update)
app.add_typer(keys.app, name="keys")
app.command()(export)
app.command()(doctor)
app.add_typer(recipes.app, name="recipes")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"genrec {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every step to stderr.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Log errors only.")] = False,
) -> None:
    """Options that stand before the command, as in ``genrec --quiet recommend ...``."""
    if verbose and quiet:
        msg = "--verbose and --quiet exclude each other"
        raise typer.BadParameter(msg)
    configure_logging(verbose=verbose, quiet=quiet)


def main() -> None:
    """Run the command line and exit: 0 done, 1 the data or the model is at fault, 2 usage, 130 interrupted.

    An error that genrec raises on purpose is printed with its hint, and so is a place that cannot be written to;
    any other exception is a bug and keeps its traceback.
    """
    warnings.showwarning = _log_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except GenrecError as error:
        print_error(error)
        sys.exit(error.exit_status)
    except OSError as error:
        if error.errno not in MACHINE_FAULTS or error.filename is None:
            raise
        print_error(GenrecError(f"{error.filename}: {error.strerror}", hint="name a place that can be written to"))
        sys.exit(GenrecError.exit_status)
    except SystemExit as stop:
        if stop.code == INTERRUPTED:
            stderr.print(f"\ninterrupted; go on with: {continuation(sys.argv[1:])}", soft_wrap=True)
        raise


def continuation(arguments: list[str]) -> str:
    """Return the command that goes on where an interrupted one stopped.

    Examples
    --------
    >>> continuation(["finetune", "--data", "my data", "--out", "m"])  # nothing of it is in m yet
    "genrec finetune --data 'my data' --out m"
    >>> continuation(["demo"])
    'genrec demo'
    """
    resume = ["--resume"] if _can_resume(arguments) and "--resume" not in arguments else []
    return shlex.join(["genrec", *arguments, *resume])


def _can_resume(arguments: list[str]) -> bool:
    """Whether the command is a fine-tuning that has begun to write its folder."""
    out = [value for option, value in pairwise(arguments) if option == "--out"]
    out += [argument.removeprefix("--out=") for argument in arguments if argument.startswith("--out=")]
    # RUN_FILE of genrec.training.run_file, which takes seconds to import.
    return "finetune" in arguments and any((Path(folder) / "finetune.json").exists() for folder in out)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    logging.getLogger("genrec").warning("%s", message)
