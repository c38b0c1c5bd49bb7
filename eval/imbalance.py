"""Measure what the tools against popularity imbalance do to head and tail items, on validation questions.

Trains ``finetune/configs/gpt-semantic.yaml`` once as it is and once with each tool, for a few epochs, and writes
a table. Nothing here looks at the test part of the split.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genrec import Recommender
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.shipped import shipped_path
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune
from genrec.training.imbalance import tail_items

if TYPE_CHECKING:
    from numpy.typing import NDArray

TAIL_SHARE = 0.2
TOOLS: dict[str, list[str]] = {
    "none": [],
    "histories of rare items drawn more often": ["examples.history_exponent=0.5"],
    "frequent targets passed over": ["examples.target_threshold=0.001"],
    "inverse propensity, exponent 0.25": ["examples.propensity_exponent=0.25"],
    "inverse propensity, exponent 0.5": ["examples.propensity_exponent=0.5"],
    "tail items twice": ["examples.tail_copies=1"],
    "crop": ["examples.augment=[crop]"],
    "mask": ["examples.augment=[mask]"],
    "reorder": ["examples.augment=[reorder]"],
}


def main() -> None:
    """Train, measure, write the table."""
    options = _options()
    dataset = Dataset.load(options.data)
    split = leave_last_out(dataset)
    counts = split.train.histories.item_counts(split.train.num_items)
    is_tail = tail_items(counts, TAIL_SHARE)
    target_in_tail = np.array([bool(is_tail[targets].all()) for targets in split.validation.targets])
    rows: list[dict[str, object]] = []
    for name, overrides in TOOLS.items():
        print(f"{name} ...", file=sys.stderr)
        common = [f"training.epochs={options.epochs}", f"training.seed={options.seed}", "training.validation_users=0"]
        config = FinetuneConfig.from_yaml(shipped_path("finetune/configs/gpt-semantic.yaml"), common + overrides)
        with tempfile.TemporaryDirectory() as folder:
            began = time.monotonic()
            finetune(config, options.data, folder)
            seconds = time.monotonic() - began
            scorer = Recommender.from_pretrained(folder, dataset).as_scorer(beams=20)
            evaluation = evaluate(scorer, split.validation, ks=(10,))
        rows.append(
            {"tool": name, "set": " ".join(overrides), "seconds": round(seconds)}
            | _slice("all", evaluation.per_user, np.ones_like(target_in_tail))
            | _slice("tail", evaluation.per_user, target_in_tail)
            | _slice("head", evaluation.per_user, ~target_in_tail)
            | {"coverage@10": round(len(np.unique(evaluation.items)) / dataset.num_items, 3)}
        )
        _write(options.out, options, rows, int(is_tail.sum()), target_in_tail)


def _slice(name: str, per_user: dict[str, NDArray[np.float64]], chosen: NDArray[np.bool_]) -> dict[str, float]:
    return {f"{name} {metric}": round(float(per_user[metric][chosen].mean()), 4) for metric in ("recall@10", "ndcg@10")}


def _write(
    out: Path,
    options: argparse.Namespace,
    rows: list[dict[str, object]],
    num_tail: int,
    target_in_tail: NDArray[np.bool_],
) -> None:
    """The table as Markdown, and as JSON beside it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    settings = {"data": options.data, "epochs": options.epochs, "seed": options.seed}
    record = settings | {"tail_items": num_tail, "tail_questions": int(target_in_tail.sum()), "rows": rows}
    out.with_suffix(".json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    columns = [column for column in rows[0] if column != "set"]
    lines = [
        f"# Tools against popularity imbalance on {options.data}",
        "",
        f"`python eval/imbalance.py --data {options.data} --epochs {options.epochs} --seed {options.seed}`: validation "
        f"part of leave-last-out, {len(target_in_tail)} questions, seen items filtered, beam 20, gpt-semantic trained "
        f"{options.epochs} epochs. The tail is the {num_tail} least popular items, which hold at most "
        f"{TAIL_SHARE:.0%} of the training interactions; {int(target_in_tail.sum())} questions ask for one.",
        "",
        "| " + " | ".join(columns) + " |",
        "|" + "---|" * len(columns),
        *("| " + " | ".join(str(row[column]) for column in columns) + " |" for row in rows),
        "",
    ]
    out.write_text("\n".join(lines), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="ml-100k", help="named set or data set folder")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("eval/results/imbalance.md"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
