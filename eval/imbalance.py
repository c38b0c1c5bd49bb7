"""Measures what the tools against popularity imbalance do to tail and head items, on validation questions.

Trains ``finetune/configs/gpt-semantic.yaml`` once as it is and once with each tool, for a few epochs, and compares user
by user. Nothing here looks at the test part of the split.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from genrec import Recommender
from genrec.cli.console import print_json, print_table
from genrec.cli.provenance import provenance
from genrec.data.dataset import Dataset
from genrec.data.split import Split, leave_last_out
from genrec.evaluation.bootstrap import bootstrap_interval
from genrec.evaluation.protocol import evaluate
from genrec.shipped import shipped_path
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune
from genrec.training.imbalance import tail_items

RECIPE = "finetune/configs/gpt-semantic.yaml"
TAIL_SHARE = 0.2
BEAMS = 20
BEFORE = "none"
TOOLS: dict[str, list[str]] = {
    BEFORE: [],
    "histories of rare items drawn more often": ["examples.history_exponent=0.5"],
    "frequent targets passed over": ["examples.target_threshold=0.001"],
    "inverse propensity, exponent 0.25": ["examples.propensity_exponent=0.25"],
    "inverse propensity, exponent 0.5": ["examples.propensity_exponent=0.5"],
    "tail items twice": ["examples.tail_copies=1"],
    "crop": ["examples.augment=[crop]"],
    "mask": ["examples.augment=[mask]"],
    "reorder": ["examples.augment=[reorder]"],
}
QUICK = (BEFORE, "inverse propensity, exponent 0.5", "tail items twice")


@dataclass(frozen=True)
class Answered:
    """What one training gave: recall and NDCG at 10 of each question, the share of the catalog shown, seconds."""

    recall: NDArray[np.float64]
    ndcg: NDArray[np.float64]
    coverage: float
    seconds: float


def train(data: str, split: Split, dataset: Dataset, overrides: list[str]) -> Answered:
    """Fine-tune with these settings and ask the validation questions."""
    config = FinetuneConfig.from_yaml(shipped_path(RECIPE), ["evidence=null", *overrides])
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        finetune(config, data, folder)
        seconds = time.monotonic() - began
        scorer = Recommender.from_pretrained(folder, dataset).as_scorer(beams=BEAMS)
        found = evaluate(scorer, split.validation, ks=(10,))
    coverage = len(np.unique(found.items[found.items >= 0])) / dataset.num_items
    return Answered(found.per_user["recall@10"], found.per_user["ndcg@10"], coverage, seconds)


def row(name: str, before: Answered, after: Answered, in_tail: NDArray[np.bool_]) -> dict[str, object]:
    """One tool's line: recall of tail items before and after with the interval of the difference, and the price."""
    gain = bootstrap_interval((after.recall - before.recall)[in_tail])
    return {
        "tool": name,
        "set": " ".join(TOOLS[name]),
        "tail recall@10 before": before.recall[in_tail].mean(),
        "tail recall@10 after": after.recall[in_tail].mean(),
        "difference": gain.mean,
        "low": gain.low,
        "high": gain.high,
        "tail ndcg@10": after.ndcg[in_tail].mean(),
        "head recall@10": after.recall[~in_tail].mean(),
        "recall@10": after.recall.mean(),
        "ndcg@10": after.ndcg.mean(),
        "coverage@10": after.coverage,
        "seconds": round(after.seconds),
    }


def as_table(rows: list[dict[str, object]]) -> tuple[list[str], list[list[str]]]:
    """Columns and cells; the interval in the cell of the difference."""
    columns = [column for column in rows[0] if column not in ("set", "low", "high")]
    cells = []
    for line in rows:
        said = {name: f"{value:.4f}" if isinstance(value, float) else str(value) for name, value in line.items()}
        if line["tool"] != BEFORE:
            said["difference"] = f"{line['difference']:+.4f} [{line['low']:+.4f}, {line['high']:+.4f}]"
        cells.append([said[column] for column in columns])
    return columns, cells


def as_markdown(report: dict[str, object], rows: list[dict[str, object]]) -> str:
    """The table with what a reader has to know."""
    columns, cells = as_table(rows)
    return "\n".join(
        [
            f"# Tools against popularity imbalance on {report['data']}",
            "",
            f"`{report['command']}`, commit {report['commit']}, {report['date']}.",
            "",
            f"Validation part of leave-last-out, {report['questions']} questions, seen items filtered, beam {BEAMS}. "
            f"`{RECIPE}` trained {report['epochs']} epochs, seed {report['seed']}, the last epoch's weights. The tail "
            f"is the {report['tail_items']} least popular items, which hold at most {TAIL_SHARE:.0%} of the training "
            f"interactions; {report['tail_questions']} questions ask for one. In brackets, the 95 % bootstrap "
            "interval of the difference over these users; one training each, so luck of the training is not in it.",
            "",
            "| " + " | ".join(columns) + " |",
            "| --- |" + " ---: |" * (len(columns) - 1),
            *("| " + " | ".join(line) + " |" for line in cells),
            "",
        ]
    )


def main(
    data: Annotated[str, typer.Option(help="Named set or data set folder.")] = "ml-100k",
    epochs: Annotated[int, typer.Option(min=1, help="Of each training.")] = 5,
    seed: Annotated[int, typer.Option(help="Of each training.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Toy data, one epoch, three trainings: to see it run.")
    ] = False,
    out: Annotated[Path, typer.Option(help="File to write, JSON; Markdown is written beside it.")] = Path(
        __file__
    ).parent
    / "results/imbalance.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Train with each tool, compare tail recall before and after, write the table after every training."""
    data, epochs = ("toy", 1) if quick else (data, epochs)
    dataset = Dataset.load(data)
    split = leave_last_out(dataset)
    is_tail = tail_items(split.train.histories.item_counts(split.train.num_items), TAIL_SHARE)
    in_tail = np.array([bool(is_tail[targets].all()) for targets in split.validation.targets])
    report: dict[str, object] = {
        "data": data if "/" not in data else Path(data).name,
        "epochs": epochs,
        "seed": seed,
        "questions": len(in_tail),
        "tail_items": int(is_tail.sum()),
        "tail_questions": int(in_tail.sum()),
        **provenance("eval/imbalance.py", ["torch", "transformers", "numpy"]),
    }
    common = [f"training.epochs={epochs}", f"training.seed={seed}", "training.validation_users=0"]
    rows: list[dict[str, object]] = []
    before: Answered | None = None
    for name in QUICK if quick else TOOLS:
        print(f"{name} ...", file=sys.stderr)
        after = train(data, split, dataset, common + TOOLS[name])
        before = before or after
        rows.append(row(name, before, after, in_tail))
        out.parent.mkdir(parents=True, exist_ok=True)
        out.with_suffix(".md").write_text(as_markdown(report, rows), encoding="utf-8")
        out.with_suffix(".json").write_text(json.dumps({**report, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json({**report, "rows": rows})
    else:
        print_table(*as_table(rows))


if __name__ == "__main__":
    typer.run(main)
