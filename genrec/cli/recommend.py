"""``genrec recommend``: items for a prompt, a history or a user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genrec.cli.console import print_json, print_table, printable, stdout

if TYPE_CHECKING:
    from genrec.recommend.recommender import Answer


def recommend(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    prompt: Annotated[str | None, typer.Option("--prompt", help="What you would like, in plain words.")] = None,
    history: Annotated[str | None, typer.Option("--history", help="Item ids, oldest first: 50,172,181.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="A user of the data set.")] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="How many items.")] = 10,
    filter_: Annotated[
        list[str] | None, typer.Option("--filter", help="Only items with, e.g. 'year>=1990'; repeatable.")
    ] = None,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Recommend items of the history too.")] = False,
    beams: Annotated[int, typer.Option("--beams", min=1, help="Beam width.")] = 50,
    exact: Annotated[bool, typer.Option("--exact", help="Score every item instead of searching.")] = False,
    data: Annotated[
        str | None, typer.Option("--data", help="Data set with the catalog. Default: the one it was trained on.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recommend items for a prompt in plain words, a history, a user, or any of them together."""
    if prompt is None and history is None and user is None:
        msg = "give at least one of --prompt, --history and --user"
        raise typer.BadParameter(msg)
    from genrec.cli.finetune import quiet_libraries
    from genrec.recommend.recommender import Recommender

    quiet_libraries()
    recommender = Recommender.from_pretrained(model, data)
    answer = recommender.recommend(
        history=None if history is None else [part.strip() for part in history.split(",") if part.strip()],
        user=user,
        prompt=prompt,
        k=k,
        filters=filter_ or [],
        include_seen=include_seen,
        beams=beams,
        exact=exact,
    )
    if json:
        print_json(as_json(answer))
    else:
        print_answer(answer, k)


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as ``--json`` prints it."""
    understood = answer.understood
    return {
        "items": [
            {"item_id": item.item_id, "title": item.title, "score": item.score, "logprob": item.logprob}
            for item in answer.items
        ],
        "history": answer.history,
        "understood": None
        if understood is None
        else {
            "liked": understood.liked_titles,
            "disliked": understood.disliked_titles,
            "wanted": understood.wanted,
            "unwanted": understood.unwanted,
            "filters": understood.filters,
            "rest": understood.rest,
        },
        "filters": answer.filters,
        "eligible": answer.eligible,
    }


def print_answer(answer: Answer, k: int) -> None:
    """Print what was understood, and the items as a table."""
    if answer.understood is not None:
        stdout.print(printable(str(answer.understood)), soft_wrap=True)
    rows = [(rank, item.item_id, item.title, item.score) for rank, item in enumerate(answer.items, 1)]
    footer = None if len(rows) >= k else _why_fewer(len(rows))
    print_table(("#", "item_id", "title", "score"), rows, footer=footer)


def _why_fewer(count: int) -> str:
    if count == 1:
        return "only this item passes the filters and was not seen yet"
    return f"{f'only these {count}' if count else 'no'} items pass the filters and were not seen yet"
