"""``genrec benchmark``: generative models beside collaborative filtering, on your data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec.cli.console import print_json, print_table
from genrec.errors import ConfigError

if TYPE_CHECKING:
    from genrec.baselines.base import Scorer
    from genrec.data.dataset import Dataset
    from genrec.data.split import Split

MODELS = ("popularity", "item-knn", "ease")
SPLITS = ("leave-last-out", "global-temporal")


def benchmark(
    data: Annotated[str, typer.Option("--data", help="Name of a data set, or a data set folder.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for report.json and report.md.")],
    models: Annotated[
        str, typer.Option("--models", help=f"Baselines, separated by commas: {', '.join(MODELS)}.")
    ] = ",".join(MODELS),
    model_folder: Annotated[
        list[Path] | None, typer.Option("--model-folder", help="A fine-tuned model; may be given several times.")
    ] = None,
    split: Annotated[str, typer.Option("--split", help=f"One of {', '.join(SPLITS)}.")] = SPLITS[0],
    filter_seen: Annotated[
        bool | None,
        typer.Option("--filter-seen/--no-filter-seen", help="Keep seen items out, or not. Default: both modes."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Rank the whole catalog for every test user with each model and compare."""
    from genrec.cli.finetune import quiet_libraries
    from genrec.data.dataset import Dataset
    from genrec.evaluation.benchmark import run_benchmark
    from genrec.evaluation.table import comparison_rows

    dataset = Dataset.load(data)
    scorers = load_baselines(models)
    if model_folder:
        quiet_libraries()
        scorers += load_generators(model_folder, dataset, split)
    _check_names(scorers)
    modes = (True, False) if filter_seen is None else (filter_seen,)
    report = run_benchmark(split_dataset(dataset, split), scorers, modes)
    report.save(out)
    if json:
        print_json(report.as_dict())
        return
    title = f"{report.dataset}, {report.split}, test part, {report.counts['test_questions']} users"
    print_table(*comparison_rows(report.evaluations), title=title, footer=f"report: {out / 'report.md'}")


def split_dataset(dataset: Dataset, split: str) -> Split:
    """Split a data set by the name of the method.

    Parameters
    ----------
    dataset
        What to split.
    split
        ``"leave-last-out"`` or ``"global-temporal"``.

    Raises
    ------
    ConfigError
        No such method.
    """
    from genrec.data.split import global_temporal, leave_last_out

    match split:
        case "leave-last-out":
            return leave_last_out(dataset)
        case "global-temporal":
            return global_temporal(dataset)
    msg = f"unknown split {split!r}"
    raise ConfigError(msg, hint=f"one of {', '.join(SPLITS)}")


def load_baselines(models: str) -> list[Scorer]:
    """Make the baselines of a comma list, with their default options.

    Parameters
    ----------
    models
        Names, such as ``"popularity,ease"``; an empty string is no baseline.

    Raises
    ------
    ConfigError
        A name that is no baseline.

    Examples
    --------
    >>> [scorer.name for scorer in load_baselines("ease, popularity")]
    ['ease', 'popularity']
    """
    from genrec.baselines import EASE, ItemKNN, Popularity

    scorers: list[Scorer] = []
    for name in filter(None, (part.strip() for part in models.split(","))):
        match name:
            case "popularity":
                scorers.append(Popularity())
            case "item-knn":
                scorers.append(ItemKNN())
            case "ease":
                scorers.append(EASE())
            case _:
                msg = f"unknown model {name!r}"
                raise ConfigError(msg, hint=f"baselines are {', '.join(MODELS)}; a fine-tuned model: --model-folder")
    return scorers


def load_generators(folders: Sequence[Path], dataset: Dataset, split: str) -> list[Scorer]:
    """Load fine-tuned models as scorers.

    Parameters
    ----------
    folders
        Model folders.
    dataset
        Whose items the models know, in the same order.
    split
        What the benchmark holds out; the models must not have been trained on it.

    Raises
    ------
    ConfigError
        A model was fine-tuned on other items, or on what the benchmark asks for.
    """
    from genrec.recommend.recommender import Recommender

    scorers: list[Scorer] = []
    for folder in folders:
        recommender = Recommender.from_pretrained(folder, dataset)
        if recommender.catalog.ids.ids != dataset.catalog.ids.ids:
            msg = f"the items of {folder} are not those of {dataset.name}, or stand in another order"
            raise ConfigError(msg, hint="benchmark a model on the data set it was fine-tuned on")
        held_out = recommender.model.description.dataset.split
        if held_out != split:
            msg = f"{folder} was trained with split {held_out}: it may have seen the test items of {split}"
            raise ConfigError(msg, hint=f"fine-tune it with --set split={split}")
        scorers.append(recommender.as_scorer(name=folder.resolve().name))
    return scorers


def _check_names(scorers: Sequence[Scorer]) -> None:
    names = [scorer.name for scorer in scorers]
    if not names:
        raise ConfigError("nothing to benchmark", hint="name baselines with --models, or a --model-folder")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"two models have the name {twice[0]!r}"
        raise ConfigError(msg, hint="a model folder's name is the model's name in the report: rename one")
