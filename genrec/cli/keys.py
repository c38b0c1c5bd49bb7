"""``genrec keys``: the API keys of a server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec.cli.console import print_json, print_table, stderr, stdout

app = typer.Typer(help="Make, list and take back API keys of a server.", no_args_is_help=True)

File = Annotated[Path, typer.Option("--keys", help="File of keys, made if it is not there.")]
DEFAULT = Path("genrec-keys.json")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Who gets it.")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", help="recommend (the default), events, or admin for all; repeatable."),
    ] = None,
    keys: File = DEFAULT,
) -> None:
    """Make a key and print it, this once: the file has its hash only. A server that runs takes it at once."""
    from genrec.serve.auth import KeyRing

    ring, secret = (KeyRing.read(keys) if keys.exists() else KeyRing()).with_new(name, scope or ["recommend"])
    ring.write(keys)
    stdout.print(secret, soft_wrap=True)
    stderr.print("Keep it: it is not shown again.", soft_wrap=True)


@app.command()
def ls(
    keys: File = DEFAULT,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the keys: who has them and what they may do."""
    from genrec.serve.auth import KeyRing

    kept = list(KeyRing.read(keys).keys.values())
    if json:
        print_json([{"id": k.id, "name": k.name, "scopes": k.scopes, "created": k.created} for k in kept])
    else:
        print_table(("id", "name", "scopes", "created"), [(k.id, k.name, ", ".join(k.scopes), k.created) for k in kept])


@app.command()
def rm(id: Annotated[str, typer.Argument(help="Id of the key, see ls.")], keys: File = DEFAULT) -> None:
    """Take a key back: a server that runs refuses it at once."""
    from genrec.serve.auth import KeyRing

    KeyRing.read(keys).without(id).write(keys)
