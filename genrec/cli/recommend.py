"""``genrec recommend``: items for a prompt, a history or a user."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genrec.cli.console import print_json, print_table, printable, stdout

if TYPE_CHECKING:
    from genrec.recommend.recommender import Answer, Recommender

logger = logging.getLogger(__name__)


def recommend(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    prompt: Annotated[str | None, typer.Option("--prompt", help="What you would like, in plain words.")] = None,
    history: Annotated[str | None, typer.Option("--history", help="Item ids, oldest first: 50,172,181.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="A user of the data set.")] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="How many items.")] = 10,
    filter_: Annotated[
        list[str] | None, typer.Option("--filter", help="Only items with, e.g. 'year>=1990'; repeatable.")
    ] = None,
    boost: Annotated[
        list[str] | None,
        typer.Option(
            "--boost", metavar="FILTER:WEIGHT", help="Prefer items with, e.g. 'genre=Comedy:0.5'; repeatable."
        ),
    ] = None,
    max_per_category: Annotated[
        int | None, typer.Option("--max-per-category", min=1, help="Most items of one category.")
    ] = None,
    candidates: Annotated[
        str | None, typer.Option("--candidates", help="Item ids, nothing else is recommended: 50,172,181.")
    ] = None,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Recommend items of the history too.")] = False,
    new_items: Annotated[
        int,
        typer.Option("--new-items", min=0, help="Last places left to items that nobody has met, if their words suit."),
    ] = 0,
    beams: Annotated[int, typer.Option("--beams", min=1, help="Beam width.")] = 50,
    exact: Annotated[bool, typer.Option("--exact", help="Score every item instead of searching.")] = False,
    data: Annotated[
        str | None, typer.Option("--data", help="Data set with the catalog. Default: the one it was trained on.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(
            "--engine", help="What computes the model: torch, vllm, or the address of a vLLM server, http://..."
        ),
    ] = "torch",
    quantization: Annotated[
        str | None,
        typer.Option("--quantization", help="none, int8, nf4, or dynamic-int8 on a CPU. Default: as trained."),
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option("--evidence/--no-evidence", help="Let the scorers that the model folder names guide the search."),
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recommend items for a prompt in plain words, a history, a user, or any of them together."""
    if prompt is None and history is None and user is None:
        msg = "give at least one of --prompt, --history and --user"
        raise typer.BadParameter(msg)
    refuse_empty(prompt=prompt, history=history, user=user)
    boosts = boosts_of(boost or [])
    from genrec.cli.finetune import quiet_libraries
    from genrec.recommend.recommender import Recommender

    quiet_libraries()
    recommender = Recommender.from_pretrained(model, data, quantization=quantization, engine=engine, evidence=evidence)
    answer = recommender.recommend(
        history=None if history is None else listed(history),
        user=user,
        prompt=prompt,
        k=k,
        filters=filter_ or [],
        boosts=boosts,
        max_per_category=max_per_category,
        candidates=None if candidates is None else listed(candidates),
        include_seen=include_seen,
        new_items=new_items,
        beams=beams,
        exact=exact,
    )
    warn_of_unmatched(recommender, [*(filter_ or []), *boosts])
    if json:
        print_json(as_json(answer))
    else:
        print_answer(answer, k)


def refuse_empty(**options: str | None) -> None:
    """Refuse options that were given without anything in them, as an unset shell variable does.

    Raises
    ------
    typer.BadParameter
        Naming the first one.
    """
    for name, value in options.items():
        if value is not None and not listed(value):
            msg = f"--{name} is empty: leave it out, or see whether a variable of your shell is not set"
            raise typer.BadParameter(msg)


def listed(ids: str) -> list[str]:
    """Ids separated by commas."""
    return [part.strip() for part in ids.split(",") if part.strip()]


def boosts_of(options: list[str]) -> dict[str, float]:
    """``FILTER:WEIGHT`` options as log-weights of filters; those of one filter add up."""
    boosts: dict[str, float] = {}
    for option in options:
        expression, colon, weight = option.rpartition(":")
        try:
            boosts[expression] = boosts.get(expression, 0.0) + float(weight)
        except ValueError:
            colon = ""
        if not colon:
            msg = f"--boost {option!r} is not a filter, a colon and a number, such as 'genre=Comedy:0.5'"
            raise typer.BadParameter(msg)
    return boosts


def warn_of_unmatched(recommender: Recommender, expressions: list[str]) -> None:
    """Say which values of filters no item has: most are typing errors."""
    from genrec.recommend.unmatched import unmatched

    for problem in unmatched(recommender.catalog, expressions):
        logger.warning("%s", printable(problem))


def as_json(answer: Answer) -> dict[str, Any]:
    """An answer as ``--json`` prints it."""
    understood = answer.understood
    return {
        "items": [
            {
                "item_id": item.item_id,
                "title": item.title,
                "score": item.score,
                "logprob": item.logprob,
                "new": item.new,
            }
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
            "title_words": understood.title_words,
            "unwanted_title_words": understood.unwanted_title_words,
            "rest": understood.rest,
        },
        "filters": answer.filters,
        "eligible": answer.eligible,
    }


def print_answer(answer: Answer, k: int) -> None:
    """Print what was understood, and the items as a table."""
    if answer.understood is not None:
        stdout.print(printable(str(answer.understood)), soft_wrap=True)
    rows = [
        (f"{rank} new" if item.new else str(rank), item.item_id, item.title, item.score)
        for rank, item in enumerate(answer.items, 1)
    ]
    footer = None if len(rows) >= k else _why_fewer(len(rows), answer.eligible)
    print_table(("#", "item_id", "title", "score"), rows, footer=footer)


def _why_fewer(count: int, eligible: int) -> str:
    if count < eligible:
        return f"of {eligible} items that pass the filters, {count} leave no category with more than its share"
    if count == 1:
        return "only this item passes the filters and was not seen yet"
    return f"{f'only these {count}' if count else 'no'} items pass the filters and were not seen yet"
