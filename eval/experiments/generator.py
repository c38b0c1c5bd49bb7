"""Fine-tune one configuration and measure it on validation questions: an attempt for eval/results/experiments.md.

Nothing here looks at the test part of the split. A line of JSON is appended for each attempt.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from pathlib import Path

from genrec import Recommender
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out
from genrec.evaluation.protocol import evaluate
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

USERS = 4000
"""Validation users that are ranked, drawn once and for all attempts."""


def main() -> None:
    """Train, rank, append a line."""
    options = _options()
    logging.basicConfig(level=logging.INFO)
    out = options.runs / options.name
    config = FinetuneConfig.from_yaml(options.config, options.set)
    began = time.monotonic()
    result = finetune(config, options.data, out, resume=options.resume)
    seconds = time.monotonic() - began
    validation = leave_last_out(Dataset.load(options.data)).validation
    questions = questions_at(validation, sample_rows(len(validation), USERS))
    scorer = Recommender.from_pretrained(out, options.data).as_scorer(beams=options.beams)
    line: dict[str, object] = {
        "name": options.name,
        "data": Path(options.data).name,
        "config": options.config.name,
        "set": options.set,
        "seconds": round(seconds),
        "best_epoch": result.training.best_epoch,
        "loss": round(result.training.loss, 4),
    }
    for mode, filter_seen in (("filtered", True), ("kept", False)):
        metrics = evaluate(scorer, questions, ks=(10,), filter_seen=filter_seen).metrics
        line[mode] = [round(metrics["recall@10"], 4), round(metrics["ndcg@10"], 4)]
    with (options.runs / "attempts.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    print(json.dumps(line))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("name", help="of the attempt")
    parser.add_argument("--data", default="ml-100k", help="named set or data set folder")
    parser.add_argument("--config", type=Path, default=Path("finetune/configs/gpt-semantic.yaml"))
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as of genrec finetune")
    parser.add_argument("--runs", type=Path, default=Path("runs/experiments"))
    parser.add_argument("--beams", type=int, default=20)
    parser.add_argument("--resume", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
