"""``genrec data``: make data sets, list those there are, and look into them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genrec.cli.console import print_json, print_table, stderr
from genrec.data.options import Format, OnBadRows, TimestampUnit

if TYPE_CHECKING:
    from genrec.data.report import FileReport, ImportReport

app = typer.Typer(help="Import data sets, list them, look into them.", no_args_is_help=True)

JSON = Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")]
NAMES = "user_id, item_id, timestamp, rating, event"
ITEM_NAMES = "item_id, title, text, categories"
MAP_HELP = "NAME=COLUMN, genrec's name of a column = the file's; repeatable."


@app.command("import")
def import_data(
    interactions: Annotated[
        Path, typer.Argument(help="File of interactions; or folder of a MovieLens or RecBole set.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Data set folder to write.")],
    items: Annotated[Path | None, typer.Option("--items", help="File of items: item_id, title, anything else.")] = None,
    users: Annotated[Path | None, typer.Option("--users", help="File of users: user_id and attributes.")] = None,
    format: Annotated[Format, typer.Option("--format", help="Format of INTERACTIONS; auto tells it by name.")] = "auto",
    map: Annotated[list[str] | None, typer.Option("--map", help=f"{MAP_HELP} NAME: {NAMES}.")] = None,
    map_item: Annotated[
        list[str] | None, typer.Option("--map-item", help=f"The same for --items: {ITEM_NAMES}.")
    ] = None,
    map_user: Annotated[list[str] | None, typer.Option("--map-user", help="The same for --users: user_id.")] = None,
    timestamp_unit: Annotated[
        TimestampUnit, typer.Option("--timestamp-unit", help="s, ms, us or ns since 1970; or iso for dates in text.")
    ] = "s",
    timestamp_format: Annotated[
        str | None,
        typer.Option("--timestamp-format", help="How dates are written, such as %d/%m/%Y or %d.%m.%Y %H:%M."),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", help="Of CSV and TSV files, such as cp1252; default UTF-8, or UTF-16 by its mark."),
    ] = None,
    on_bad_rows: Annotated[
        OnBadRows,
        typer.Option("--on-bad-rows", help="Stop at them, leave them out, or write them to quarantine.jsonl."),
    ] = "raise",
    min_rating: Annotated[float | None, typer.Option("--min-rating", help="Keep ratings of at least this.")] = None,
    dedup: Annotated[bool, typer.Option("--dedup", help="Keep a user's first interaction with an item only.")] = False,
    k_core: Annotated[
        int | None, typer.Option("--k-core", min=1, help="Keep users and items with at least this many interactions.")
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="Name of the data set; by default the folder's.")] = None,
    source: Annotated[str | None, typer.Option("--source", help="Where the data come from; kept with them.")] = None,
    licence: Annotated[str, typer.Option("--licence", help="On what terms; kept with the data.")] = "",
    json: JSON = False,
) -> None:
    """Make a data set folder from files."""
    from genrec.data.importer import import_dataset

    began = time.perf_counter()
    report = import_dataset(
        interactions,
        out,
        items=items,
        users=users,
        format=format,
        map=_mapping(map, "--map"),
        map_item=_mapping(map_item, "--map-item"),
        map_user=_mapping(map_user, "--map-user"),
        timestamp_unit=timestamp_unit,
        timestamp_format=timestamp_format,
        encoding=encoding,
        on_bad_rows=on_bad_rows,
        min_rating=min_rating,
        dedup=dedup,
        k_core=k_core,
        name=name,
        source=source,
        licence=licence,
    )
    for row in report.bad_rows:
        stderr.print(f"bad row: {row}", soft_wrap=True)
    if json:
        print_json(report.to_dict())
        return
    files = (report.interactions, report.items, report.users)
    print_table(["file", "read", "kept", "bad", "left out on purpose"], [_file_row(file) for file in files if file])
    print_table(["", report.description["name"]], _facts(report.description) + _filled(report))
    stderr.print(f"wrote {report.folder} in {time.perf_counter() - began:.1f} s", soft_wrap=True)


@app.command("list")
def list_data(json: JSON = False) -> None:
    """List the named data sets, usable wherever a data set folder is."""
    from genrec.data.sources import NAMED, is_available

    sets = [{"name": name, "available": is_available(name), "description": text} for name, text in NAMED.items()]
    if json:
        print_json(sets)
    else:
        rows = [(row["name"], "yes" if row["available"] else "no", row["description"]) for row in sets]
        print_table(["name", "available", "what it is"], rows)


@app.command("show")
def show_data(
    name_or_folder: Annotated[str, typer.Argument(help="A name that `genrec data list` prints, or a folder.")],
    json: JSON = False,
) -> None:
    """Describe a data set, and show one user's history."""
    from genrec.data.dataset import Dataset

    dataset = Dataset.load(name_or_folder)
    description = dataset.describe()
    if json:
        print_json(description)
        return
    print_table(["", dataset.name], _facts(description))
    titles = dataset.catalog.titles
    rows = [
        (dataset.catalog.ids[item], titles[item], ", ".join(dataset.catalog.categories[item]))
        for item in dataset.histories[0][-5:].tolist()
    ]
    print_table(["item_id", "title", "categories"], rows, title=f"last items of user {dataset.users[0]}")


def _mapping(pairs: list[str] | None, flag: str) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for pair in pairs or []:
        name, equals, column = pair.partition("=")
        if not (name and equals and column):
            message = f"{pair!r} is not NAME=COLUMN, as in user_id=uid"
            raise typer.BadParameter(message, param_hint=flag)
        mapping[name] = column
    return mapping


def _file_row(file: FileReport) -> tuple[object, ...]:
    dropped = ", ".join(f"{reason}: {count}" for reason, count in file.dropped.items())
    return file.file, file.read, file.kept, file.bad, dropped


def _facts(description: dict[str, Any]) -> list[tuple[str, str]]:
    length = description["history_length"]
    times = {"seconds": "timestamps in seconds", "order": "no timestamps: file order is time order"}
    facts = {
        "users": f"{description['users']:,}",
        "items": f"{description['items']:,} ({description['items_never_met']:,} never met)",
        "interactions": f"{description['interactions']:,} ({description['repeats']:,} repeats)",
        "density": f"{description['density']:.4%}",
        "history length": f"{length['min']} to {length['max']}, median {length['median']:g}, mean {length['mean']:.1f}",
        "time": times[description["time"]],
        "ties in time": f"{description['ties_in_time']:,} (kept in file order)",
        "item columns": _typed(description["item_columns"], description["item_types"]),
        "user columns": _typed(description["user_columns"], description["user_types"]),
        "source": description["source"],
        "licence": description["licence"] or "not stated",
    }
    return list(facts.items())


def _typed(columns: list[str], types: dict[str, str]) -> str:
    return ", ".join(f"{name} ({types[name]})" if name in types else name for name in columns)


def _filled(report: ImportReport) -> list[tuple[str, str]]:
    facts = {
        "items without a row": report.items_without_row,
        "items without a title": report.items_without_title,
    }
    return [(name, f"{count:,} (kept, titled by their id)") for name, count in facts.items() if count]
