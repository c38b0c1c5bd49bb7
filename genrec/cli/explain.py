"""``genrec explain``: why items are recommended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec.cli.console import print_json, print_table, printable, stdout

if TYPE_CHECKING:
    from genrec.explain import Explanation


def explain(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    prompt: Annotated[str | None, typer.Option("--prompt", help="What you would like, in plain words.")] = None,
    history: Annotated[str | None, typer.Option("--history", help="Item ids, oldest first: 50,172,181.")] = None,
    user: Annotated[str | None, typer.Option("--user", help="A user of the data set.")] = None,
    k: Annotated[int, typer.Option("-k", "--k", min=1, help="How many items.")] = 5,
    filter_: Annotated[
        list[str] | None, typer.Option("--filter", help="Only items with, e.g. 'year>=1990'; repeatable.")
    ] = None,
    boost: Annotated[
        list[str] | None,
        typer.Option(
            "--boost", metavar="FILTER:WEIGHT", help="Prefer items with, e.g. 'genre=Comedy:0.5'; repeatable."
        ),
    ] = None,
    exclude: Annotated[str | None, typer.Option("--exclude", help="Item ids never to recommend: 50,172.")] = None,
    include_seen: Annotated[bool, typer.Option("--include-seen", help="Recommend items of the history too.")] = False,
    beams: Annotated[int, typer.Option("--beams", min=1, help="Beam width.")] = 50,
    exact: Annotated[bool, typer.Option("--exact", help="Score every item instead of searching.")] = False,
    latest: Annotated[
        int | None, typer.Option("--latest", min=1, help="Leave out only so many items, those met last. Default: all.")
    ] = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Items of the history to show for each item.")] = 5,
    data: Annotated[
        str | None, typer.Option("--data", help="Data set with the catalog. Default: the one it was trained on.")
    ] = None,
    evidence: Annotated[
        bool,
        typer.Option("--evidence/--no-evidence", help="Let the scorers that the model folder names guide the search."),
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recommend, and say why: what each item of the history and each word of the prompt does, and who met both."""
    if prompt is None and history is None and user is None:
        msg = "give at least one of --prompt, --history and --user"
        raise typer.BadParameter(msg)
    from genrec.cli.finetune import quiet_libraries
    from genrec.cli.recommend import boosts_of, listed, refuse_empty, warn_of_unmatched
    from genrec.explain import explain as explain_answer
    from genrec.recommend.recommender import Recommender, Request

    refuse_empty(prompt=prompt, history=history, user=user)
    boosts = boosts_of(boost or [])
    quiet_libraries()
    recommender = Recommender.from_pretrained(model, data, evidence=evidence)
    request = Request(
        history=None if history is None else listed(history),
        user=user,
        prompt=prompt,
        k=k,
        filters=filter_ or [],
        boosts=boosts,
        exclude=[] if exclude is None else listed(exclude),
        include_seen=include_seen,
        beams=beams,
        exact=exact,
    )
    answer = recommender.recommend_batch([request])[0]
    warn_of_unmatched(recommender, [*(filter_ or []), *boosts])
    explanations = explain_answer(recommender, request, answer, items=k, latest=latest)
    if json:
        print_json({"explanations": [one.to_dict() for one in explanations]})
        return
    if answer.understood is not None:
        stdout.print(printable(str(answer.understood)), soft_wrap=True)
    for explanation in explanations:
        print_explanation(explanation, top)
    if not explanations:
        stdout.print("no items pass the filters and were not seen yet")


def print_explanation(explanation: Explanation, top: int) -> None:
    """Print the sentence about an item, and what the `top` items of the history do that do most."""
    stdout.print(printable(f"{explanation.place}. {explanation.sentence}"), soft_wrap=True)
    counts = {one.item_id: f"{one.both} of {one.people}" for one in explanation.evidence}
    strongest = sorted(explanation.history, key=lambda reason: -abs(reason.delta))[:top]
    print_table(
        ("history", "title", "log-probability", "place without", "people who met both"),
        [
            (one.item_id, one.title, one.delta, one.place_without, counts.get(one.item_id))
            for one in sorted(strongest, key=lambda reason: -reason.delta)
        ],
    )
