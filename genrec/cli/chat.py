"""``genrec chat``: talk about what to recommend."""

from __future__ import annotations

import json as jsonlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec.cli.console import print_table, printable, stderr, stdout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genrec.chat import Conversation, Turn

ENDS = frozenset({"quit", "exit", "bye", "/quit", "/exit"})
GREETING = (
    "Say what you would like, in English. “more like the second”, “not that one”, “others”, “why the first?”, "
    "“forget the year”, “undo” and “start over” are understood too; “quit” ends."
)


def chat(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    user: Annotated[str | None, typer.Option("--user", help="A user of the data set.")] = None,
    history: Annotated[str | None, typer.Option("--history", help="Item ids, oldest first: 50,172,181.")] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, max=100, help="How many items an answer has.")] = 5,
    state: Annotated[
        Path | None, typer.Option("--state", help="File to keep the conversation in, and to go on from if it is there.")
    ] = None,
    data: Annotated[
        str | None, typer.Option("--data", help="Data set with the catalog. Default: the one it was trained on.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print each answer as a line of JSON.")] = False,
) -> None:
    """Recommend in a conversation: a line a turn, from a terminal or a pipe; wishes add up and can be taken back."""
    from genrec.chat import Conversation
    from genrec.cli.finetune import quiet_libraries
    from genrec.cli.recommend import listed, refuse_empty
    from genrec.errors import ConfigError
    from genrec.recommend.recommender import Recommender

    refuse_empty(history=history, user=user)
    quiet_libraries()
    recommender = Recommender.from_pretrained(model, data)
    met = [] if history is None else listed(history)
    try:
        kept = state.read_text(encoding="utf-8") if state is not None and state.exists() else "{}"
        conversation = Conversation.from_state(recommender, kept, history=met, user=user, k=k)
    except (ConfigError, UnicodeDecodeError, IsADirectoryError) as error:
        problem = error.message if isinstance(error, ConfigError) else "not a text file"
        hint = "remove it to begin anew, or keep the conversation in another file"
        raise ConfigError(f"--state {state}: {problem}", hint=hint) from error
    for turn in _turns(conversation):
        if state is not None:
            _keep(turn, state)
        if json:
            print(jsonlib.dumps(turn.to_dict()), flush=True)
        else:
            print_turn(turn)


def _turns(conversation: Conversation) -> Iterator[Turn]:
    """Answer line after line, until there are no more."""
    if sys.stdin.isatty():
        stderr.print(GREETING, soft_wrap=True)
    while True:
        if sys.stdin.isatty():
            stderr.print("you> ", end="", style="bold")
        line = sys.stdin.readline()
        if not line or line.strip().lower() in ENDS:
            return
        if line.strip():
            yield conversation.say(line)


def _keep(turn: Turn, path: Path) -> None:
    """Write the state aside first, so that a crash leaves the old one."""
    aside = path.with_name(path.name + ".new")
    aside.write_text(turn.state.model_dump_json() + "\n", encoding="utf-8")
    aside.replace(path)


def print_turn(turn: Turn) -> None:
    """Print the words of an answer, and its items as a table instead of a list."""
    lines = turn.text.split("\n")
    for line in lines[: len(lines) - len(turn.items)]:
        stdout.print(printable(line), soft_wrap=True)
    rows = [(place, item.item_id, item.title, item.score) for place, item in enumerate(turn.items, 1)]
    print_table(("#", "item_id", "title", "score"), rows)
