"""Fit a teacher once, measure it on validation questions, and save its targets for many attempts.

The weights of the scorers are fitted on one half of the validation users, and measured on the other.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from genrec.baselines.content.bert_knn import BertKNN
from genrec.baselines.ranking import top_k
from genrec.baselines.sequential.sasrec import SASRec
from genrec.data.dataset import Dataset
from genrec.data.split import leave_last_out
from genrec.evaluation.metrics import ndcg, recall
from genrec.training.pooling import QUESTIONS, pool_weights
from genrec.training.teacher import teach


def main() -> None:
    """Fit SASRec and BertKNN, print what each and both give, save the targets of SASRec alone and of both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", default="ml-100k")
    parser.add_argument("--negatives", type=int, default=None, help="of SASRec; default: the full softmax")
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--out", type=Path, required=True, help="folder; gets alone/ and pooled/")
    options = parser.parse_args()
    split = leave_last_out(Dataset.load(options.data))
    validation = split.validation
    sasrec = SASRec(learning_rate=options.learning_rate, negatives=options.negatives, epochs=20, patience=3)
    sasrec.use_validation(validation)
    scorers = [sasrec.fit(split.train), BertKNN().fit(split.train)]

    order = np.random.default_rng(0).permutation(len(validation))
    fitted, asked = order[: len(order) // 2][:QUESTIONS], order[len(order) // 2 :][: 2 * QUESTIONS]
    histories, targets = ([part[row] for row in fitted] for part in (validation.histories, validation.targets))
    weights = pool_weights([scorer.score(histories) for scorer in scorers], targets)
    print("weights of sasrec, bert-knn:", weights.round(3).tolist())
    histories, targets = ([part[row] for row in asked] for part in (validation.histories, validation.targets))
    scores = [scorer.score(histories) for scorer in scorers]
    pooled = weights[0] * scores[0] + weights[1] * scores[1]
    for name, values in (("sasrec", scores[0]), ("bert-knn", scores[1]), ("pooled", pooled)):
        items = top_k(values.astype(np.float32), 10, histories).items
        print(f"{name}: {recall(items, targets, 10).mean():.4f} / {ndcg(items, targets, 10).mean():.4f}")
    teach(scorers[:1], np.ones(1), split.train).save(options.out / "alone")
    teach(scorers, weights, split.train).save(options.out / "pooled")


if __name__ == "__main__":
    main()
