"""Fit the scorers of a teacher once, measure each and their pool on validation questions, and save its targets.

The weights of the pool are fitted on one half of the validation users, and all is measured on the other. The targets
may be named in a configuration (``training.teacher.targets``), so that many attempts learn from one teacher. Nothing
here looks at the test part of the split.
"""

from __future__ import annotations

import argparse
import logging
import time
from pathlib import Path

import numpy as np
import torch

from genrec.baselines.ranking import top_k
from genrec.baselines.sequential.returning import add_return_odds
from genrec.baselines.trained import fit_named
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out
from genrec.evaluation.metrics import ndcg, recall
from genrec.evaluation.sample import questions_at
from genrec.training.pooling import QUESTIONS
from genrec.training.teacher import finite, pool, teach

MEASURED = 2 * QUESTIONS


def main() -> None:
    """Fit, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="ml-100k")
    parser.add_argument("--scorers", default="sasrec,sasrec-text,bert-knn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True, help="folder; gets the trained scorers and targets/")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    split = leave_last_out(Dataset.load(options.data))
    validation = split.validation
    order = np.random.default_rng(0).permutation(len(validation))
    half = len(order) // 2
    fitted, asked = (
        questions_at(validation, np.sort(rows)) for rows in (order[:half][:QUESTIONS], order[half:][:MEASURED])
    )
    names, scorers = options.scorers.split(","), []
    for name in names:
        began = time.monotonic()
        scorers.append(fit_named(name, split.train, validation, options.seed, options.out))
        print(f"{name}: fitted in {time.monotonic() - began:.0f} s", flush=True)
    weights, log_odds = pool(scorers, fitted)
    print("weights:", dict(zip(names, weights.round(3).tolist(), strict=True)), f"log-odds of returns: {log_odds:.2f}")
    scores = [finite(scorer.score(asked.histories)) for scorer in scorers]
    pooled = torch.from_numpy(np.tensordot(weights.astype(np.float32), np.stack(scores), 1))
    scores.append(add_return_odds(torch.log_softmax(pooled, dim=1).numpy(), asked.histories, log_odds))
    for name, values in zip([*names, "pooled"], scores, strict=True):
        for seen, exclude in (("filtered", asked.histories), ("kept", None)):
            found, right = top_k(values, 10, exclude).items, asked.targets
            print(f"{name}, {seen}: {recall(found, right, 10).mean():.4f} / {ndcg(found, right, 10).mean():.4f}")
    teach(scorers, weights, split.train, return_log_odds=log_odds).save(options.out / "targets")


if __name__ == "__main__":
    main()
