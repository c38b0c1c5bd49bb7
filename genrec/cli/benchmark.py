"""``genrec benchmark``: generative models beside collaborative filtering, on your data."""

from __future__ import annotations

import difflib
import sys
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genrec.cli.console import print_json, print_table, stdout
from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.benchmark.config import BenchmarkConfig
    from genrec.benchmark.entrants import Entrant
    from genrec.benchmark.report.schema import Report
    from genrec.data.dataset import Dataset
    from genrec.data.split import Split

SPLITS = ("leave-last-out", "global-temporal", "next-basket", "k-fold", "cold-items")
FAILED = 1

app = typer.Typer(invoke_without_command=True, subcommand_metavar="[compare|models]")


@app.callback()
def benchmark(
    context: typer.Context,
    data: Annotated[str | None, typer.Option("--data", help="Name of a data set, or a data set folder.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the report; what it holds already is not run again.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML with these settings, such as eval/configs/quick.yaml.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option("--models", help="Models, separated by commas, in this order. Default: all that have a name."),
    ] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", help="Time for all models: 90s, 10m, 2h, or none. Default: 30m.")
    ] = None,
    model_folder: Annotated[
        list[Path] | None, typer.Option("--model-folder", help="A fine-tuned model; may be given several times.")
    ] = None,
    scorer: Annotated[
        list[str] | None,
        typer.Option("--scorer", help="Your own scorer, path.py:Name; runs that file. Several times, too."),
    ] = None,
    split: Annotated[str | None, typer.Option("--split", help=f"One of {', '.join(SPLITS)}.")] = None,
    folds: Annotated[int | None, typer.Option("--folds", help="Folds of the k-fold split. Default: 5.")] = None,
    filter_seen: Annotated[
        bool | None,
        typer.Option("--filter-seen/--no-filter-seen", help="Keep seen items out, or not. Default: both modes."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", help="Settings that tuning tries of each model. Default: 6.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="Fits of the chosen setting, of models with a seed. Default: 1.")
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", help="Compare with this model, not with the one that validation chooses."),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option("--suite", help="Ask one --model-folder in plain words: prompts, or prompts-development."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Tune each model on validation, rank the whole catalog for every test user, compare, and say how sure that is.

    Every model runs in a process of its own. An interrupted run goes on with the same command. Ends with status 1
    when a model failed; the others are reported all the same. `genrec recipes show docs/benchmark.md` says how all is
    measured, and how to bring a scorer of your own.
    """
    if context.invoked_subcommand is not None:
        return
    if data is None or out is None:
        raise typer.BadParameter("--data and --out are needed")
    from genrec.benchmark.config import BenchmarkConfig, seconds
    from genrec.benchmark.report.build import build_report, check_against
    from genrec.benchmark.runner import Settings, run_models
    from genrec.cli.benchmark_progress import Progress
    from genrec.cli.finetune import quiet_libraries
    from genrec.data.dataset import Dataset

    quiet_libraries()
    options: dict[str, Any] = {
        "models": _names(models),
        "budget": budget,
        "split": split,
        "folds": folds,
        "filter_seen": filter_seen,
        "trials": trials,
        "seeds": seeds,
        "against": against,
    }
    settings = BenchmarkConfig.load(config, {key: value for key, value in options.items() if value is not None})
    if suite is not None:
        from genrec.cli.benchmark_prompts import run_prompt_suite

        run_prompt_suite(suite, data, model_folder or [], out, settings.split, command(), json=json)
        return
    dataset = Dataset.load(data)
    entrants = choose(settings, dataset, model_folder or [], scorer or [], named=options["models"] != [])
    if settings.against not in (None, *(entrant.name for entrant in entrants)):
        hint = f"name one that takes part: {', '.join(entrant.name for entrant in entrants)}"
        raise ConfigError(f"against: there is no model {settings.against!r} in this run", hint=hint)
    check_against(settings.against, {entrant.name: entrant.family for entrant in entrants})
    out.mkdir(parents=True, exist_ok=True)  # now, not after an hour, if it cannot be
    splits = split_dataset(dataset, settings.split, settings.folds)
    run = Settings(
        trials=settings.trials,
        seeds=settings.seeds,
        modes=(True, False) if settings.filter_seen is None else (settings.filter_seen,),
        ks=tuple(settings.ks),
        budget_seconds=seconds(settings.budget),
    )
    with Progress(run.budget_seconds, to_stderr=json) as progress:
        finished = run_models(splits, entrants, out, run, progress)
        progress.says("statistics and pictures")
        report = build_report(finished, splits, dataset, run, command=command(), against=settings.against)
        save(report, out)
    if json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(report, out)
    if any(model.status == "failed" for model in report.models):
        raise typer.Exit(FAILED)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="Folder of a run.")],
    second: Annotated[Path, typer.Argument(help="Folder of another run.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Compare the models that two runs have in common; user by user where both asked the same questions."""
    from genrec.benchmark.report.compare import compare_runs

    found = compare_runs(first, second)
    if json:
        print_json(found.as_dict())
        return
    stdout.print(found.about, soft_wrap=True)
    columns, rows = found.table()
    print_table(columns, rows, footer=found.note)


@app.command("models")
def list_models(json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False) -> None:
    """List the models that have a name, in the order in which they run, with what tuning tries."""
    from genrec.benchmark.models import NAMED_MODELS

    if json:
        print_json(
            [
                {
                    "name": m.name,
                    "family": m.family,
                    "grid": dict(m.grid),
                    "source": m.source,
                    "max_users": m.max_users,
                }
                for m in NAMED_MODELS.values()
            ]
        )
        return
    rows = [
        (m.name, m.family, ", ".join(f"{key} {list(values)}" for key, values in m.grid.items()) or "-", m.source or "-")
        for m in NAMED_MODELS.values()
    ]
    print_table(["model", "family", "tuning tries", "source"], rows)


def choose(
    settings: BenchmarkConfig, dataset: Dataset, folders: Sequence[Path], specs: Sequence[str], *, named: bool = True
) -> list[Entrant]:
    """Who takes part, in order: as named; else the cheap ones, the user's own, then those that train for long.

    Parameters
    ----------
    settings
        Names and grids.
    dataset
        What fine-tuned models must know.
    folders, specs
        Fine-tuned models and own scorers.
    named
        Whether named models take part at all.

    Raises
    ------
    ConfigError
        A name, file or folder that is none.
    """
    from genrec.benchmark.entrants import folder_entrants, named_entrants, own_entrant
    from genrec.benchmark.models import NAMED_MODELS

    own = [own_entrant(spec, settings.grids, settings.max_users, settings.max_seeds) for spec in specs]
    train = split_dataset(dataset, settings.split, settings.folds)[0].train if folders else None
    for folder in folders:
        own += folder_entrants(folder, dataset, settings.split, settings.max_users, train)
    _check_settings(settings, [*NAMED_MODELS, *(entrant.name for entrant in own)])
    if not named:
        return own
    if settings.models:
        return [*named_entrants(settings.models, settings.grids, settings.max_users, settings.max_seeds), *own]
    every = named_entrants(list(NAMED_MODELS), settings.grids, settings.max_users, settings.max_seeds)
    cheap = list(takewhile(lambda entrant: entrant.family in ("floor", "cf"), every))
    return [*cheap, *own, *every[len(cheap) :]]


def _check_settings(settings: BenchmarkConfig, names: Sequence[str]) -> None:
    """Refuse settings of a model that there is not: they would be left out without a word."""
    for key, given in (("grids", settings.grids), ("max_users", settings.max_users), ("max_seeds", settings.max_seeds)):
        for name in given:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean {near[0]}?" if near else "`genrec benchmark models` lists those that have a name"
                raise ConfigError(f"{key}: there is no model {name!r} here", hint=hint)


def split_dataset(dataset: Dataset, split: str, folds: int = 5) -> list[Split]:
    """Split a data set by the name of the method, which the config has checked.

    Parameters
    ----------
    dataset
        What to split.
    split
        A key of ``genrec.data.split.SPLITS``, ``k-fold`` or ``cold-items``.
    folds
        Of k-fold.

    Returns
    -------
    list of Split
        One, or one a fold.
    """
    from genrec.data import split as methods
    from genrec.data.cold import cold_items
    from genrec.data.folds import user_folds

    match split:
        case "cold-items":
            return [cold_items(dataset)]
        case "k-fold":
            return user_folds(dataset, folds)
        case _:
            return [methods.SPLITS[split](dataset)]


def command() -> str:
    """What was typed, so that a report says how it was made."""
    from genrec.cli.provenance import typed

    return typed(["genrec", *sys.argv[1:]])


def save(report: Report, out: Path) -> None:
    """Write the report and its pictures."""
    from genrec.benchmark.report.files import save_report

    save_report(report, out)


def print_report(report: Report, out: Path) -> None:
    """Print the table, the best model first, and the verdict."""
    from genrec.benchmark.report.rows import terminal_table

    table = terminal_table(report)
    print_table(table.columns, table.rows, title=table.title, footer=table.note)
    stdout.print()
    for sentence in report.verdict:
        stdout.print(sentence, soft_wrap=True)
    stdout.print(f"\nreport: {out / 'report.html'}, report.md, report.json", soft_wrap=True)


def _names(models: str | None) -> list[str] | None:
    """Names of a comma list; None when the option was not given."""
    return None if models is None else [name for name in (part.strip() for part in models.split(",")) if name]
