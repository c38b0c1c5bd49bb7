"""``genrec benchmark --suite``: a fine-tuned model is asked in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from genrec.cli.console import print_json, print_table, stdout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from genrec.benchmark.prompts.phrasings import Phrasings

SUITES = ("prompts", "prompts-development")
K, BEAMS, SEED = 10, 50, 0
NEIGHBOURS = "item-knn-recent"
PACKAGES = ("torch", "transformers", "sentence-transformers")


def run_prompt_suite(
    suite: str, data: str, folders: Sequence[Path], out: Path, split_name: str, command: str, *, json: bool
) -> None:
    """Make the prompts, ask model and baseline, write and print the report.

    Parameters
    ----------
    suite
        One of ``SUITES``: the final phrasings ask the test part, those for development the validation part.
    data, folders, out, split_name
        As ``genrec benchmark`` takes them; one model folder.
    command
        What was typed.
    json
        Print the report as JSON.
    """
    if suite not in SUITES:
        raise typer.BadParameter(f"--suite {suite}: there are {', '.join(SUITES)}")
    if len(folders) != 1:
        raise typer.BadParameter(f"--suite {suite} asks one model: give one --model-folder")
    if split_name not in ("leave-last-out", "global-temporal"):
        raise typer.BadParameter(f"--suite {suite} takes --split leave-last-out or global-temporal")
    import numpy as np

    from genrec.baselines.named import scorer_named
    from genrec.benchmark.entrants import folder_entrants
    from genrec.benchmark.prompts.build import build_prompt_report
    from genrec.benchmark.prompts.files import bar_lines, main_table, save_prompt_report, save_prompts
    from genrec.benchmark.prompts.report import (
        MODEL,
        NEIGHBOURS_TOLD,
        POPULAR_TOLD,
        TEXT,
        TEXT_HISTORY,
        WORDS_ALONE,
    )
    from genrec.benchmark.prompts.run import Asked, ask_model, ask_words_alone, known_items, rank_told
    from genrec.benchmark.prompts.suite import make_suite
    from genrec.benchmark.prompts.text_knn import TextKNN
    from genrec.data.dataset import Dataset
    from genrec.data.split import SPLITS
    from genrec.errors import DataError
    from genrec.recommend.recommender import Recommender

    dataset = Dataset.load(data)
    split = SPLITS[split_name](dataset)
    folder = folders[0].resolve()  # a link to it may move meanwhile
    name = folder_entrants(folder, dataset, split_name, train=split.train)[0].name
    # What guides the model is fitted on the training part, as its weights were.
    recommender = Recommender.from_pretrained(folder, split.train)
    phrasings, left = _phrasings(suite, recommender.model.description.templates)
    part = "test" if suite == SUITES[0] else "validation"
    made = make_suite(dataset, getattr(split, part), phrasings, k=K, seed=SEED)
    if not made.prompts:
        reasons = "; ".join(made.left_out.values())
        raise DataError(f"no prompt can be made of {dataset.name}: {reasons}")
    out.mkdir(parents=True, exist_ok=True)
    baseline = TextKNN(dataset.catalog)
    neighbours = scorer_named(NEIGHBOURS).fit(split.train)
    answers = {
        MODEL: ask_model(recommender, made.prompts, K, BEAMS),
        WORDS_ALONE: ask_words_alone(recommender, made.prompts, K, BEAMS),
        TEXT: Asked(baseline.rank(made.prompts, K)),
        TEXT_HISTORY: Asked(baseline.rank(made.prompts, K, with_history=True)),
        POPULAR_TOLD: rank_told(made, split.train.histories.item_counts(split.train.num_items).astype(np.float32), K),
        NEIGHBOURS_TOLD: rank_told(made, neighbours.score([known_items(prompt) for prompt in made.prompts]), K),
    }
    protocol: Mapping[str, Any] = {
        "split": split.method,
        "part": part,
        "k": K,
        "beams": BEAMS,
        "seed": SEED,
        "encoder": baseline.encoder,
        "reads_text": recommender.reads_text,
        "phrasings": len(phrasings.all()),
        "phrasings_left_out": left,
    }
    report = build_prompt_report(
        made, answers, name=suite, model=name, provenance=_provenance(command), protocol=protocol
    )
    save_prompts(made, answers[MODEL], out / "prompts.jsonl")
    save_prompt_report(report, out)
    if json:
        print_json(report.model_dump(mode="json"))
        return
    table = main_table(report)
    print_table(table.columns, table.rows, title=table.title, footer=table.note)
    for line in bar_lines(report):
        stdout.print(line, soft_wrap=True)
    stdout.print(f"\nreport: {out / 'report.md'}, report.json, prompts.jsonl", soft_wrap=True)


def _phrasings(suite: str, templates: Mapping[str, str]) -> tuple[Phrasings, int]:
    """Phrasings of a suite less those that the model was trained to read, and how many these are."""
    from genrec.benchmark.prompts.development import DEVELOPMENT
    from genrec.benchmark.prompts.final import FINAL
    from genrec.prompt.templates import PHRASINGS

    every = FINAL if suite == SUITES[0] else DEVELOPMENT
    kept = every.without(templates[PHRASINGS].splitlines())
    return kept, len(every.all()) - len(kept.all())


def _provenance(command: str) -> dict[str, Any]:
    from genrec.cli.provenance import provenance

    return {**provenance("", PACKAGES), "command": command}
