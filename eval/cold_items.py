"""Measures what a fine-tuned model makes of items that nobody met yet: python eval/cold_items.py --data D.

Two sets of items, 5% each by default, are held out of training entirely: neither an interaction nor what a user did
after one is left. The default recipe is trained on the rest; the items' codes come from their texts alone. Users are
asked for a held-out item (cold questions), and others for the last of their items that training knows (warm questions),
always among the whole catalog.

A model has only ever seen such items not being chosen, so of a list's last places some are left to new items that suit
the history well enough. What counts for that, how many places and how well are chosen on the first set of items, as the
best share of cold targets found that costs warm questions of the validation part no more than they may; the second set,
and the test part, are looked at once.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from cold_places import NewItemPlaces
from numpy.typing import NDArray

from genrec import Recommender
from genrec.baselines.base import Ranking, Scorer
from genrec.baselines.named import scorer_named
from genrec.cli.console import print_json, print_table
from genrec.cli.provenance import provenance
from genrec.data.cold import cold_items, select_questions
from genrec.data.dataset import Dataset
from genrec.data.split import EvalSet, leave_last_out
from genrec.evaluation.bootstrap import bootstrap_interval
from genrec.evaluation.protocol import Evaluation, evaluate
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.recommend.request import Request
from genrec.shipped import shipped_path
from genrec.training.config import FinetuneConfig
from genrec.training.finetune import finetune

RECIPE = "finetune/configs/gpt-distilled.yaml"
TEXT = ("tfidf-knn", "bert-knn")
METRICS = ("recall@10", "ndcg@10")


class WithoutNew(Scorer):
    """A fitted scorer that never recommends new items."""

    serves_cold_users = True
    serves_cold_items = False

    def __init__(self, name: str, scorer: Scorer, items: NDArray[np.int64]) -> None:
        self.name, self.scorer, self.items = name, scorer, items

    def fit(self, dataset: Dataset) -> WithoutNew:
        """It is fitted already."""
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Scores (B, N), -inf for new items."""
        scores = self.scorer.score(histories)
        scores[:, self.items] = -np.inf
        return scores


class Served(Scorer):
    """A recommender as users ask it, that leaves some last places to new items."""

    serves_cold_users = True
    serves_cold_items = True

    def __init__(self, recommender: Recommender, scorer: Scorer, new_items: int) -> None:
        self.name, self.recommender, self.scorer = f"default, new_items={new_items}", recommender, scorer
        self.new_items = new_items

    def fit(self, dataset: Dataset) -> Served:
        """It is fitted already."""
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Scores (B, N) of the recommender; places are given in :meth:`recommend`."""
        return self.scorer.score(histories)

    def recommend(
        self, histories: Sequence[NDArray[np.int32]], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> Ranking:
        """The k items of each answer."""
        ids = np.array(self.recommender.model.item_ids)
        requests = [
            Request(history=ids[history].tolist(), k=k, new_items=self.new_items, exclude=ids[left_out].tolist())
            for history, left_out in zip(histories, exclude or [np.empty(0, np.int64)] * len(histories), strict=True)
        ]
        items = np.full((len(histories), k), -1, dtype=np.int32)
        scores = np.full((len(histories), k), -np.inf, dtype=np.float32)
        for row, answer in enumerate(self.recommender.recommend_batch(requests)):
            found = self.recommender.items.of_ids([item.item_id for item in answer.items])
            items[row, : len(found)], scores[row, : len(found)] = found, [item.score for item in answer.items]
        return Ranking(items, scores)


def with_held_out(questions: EvalSet, dataset: Dataset, held_out: NDArray[np.bool_]) -> EvalSet:
    """The same questions, where held-out items that a user had met by then count as seen."""
    seen = []
    for user, history, targets in zip(questions.users, questions.histories, questions.targets, strict=True):
        full = dataset.histories[user]
        before = full[: np.flatnonzero(full == targets[0])[-1]]
        seen.append(np.concatenate([history, before[held_out[before]]]))
    return replace(questions, met=seen)


def compared(name: str, found: Evaluation, reference: Evaluation) -> dict[str, float]:
    """Means, and the difference from the reference with its interval."""
    line: dict[str, float] = {}
    for metric in METRICS:
        gain = bootstrap_interval(found.per_user[metric] - reference.per_user[metric])
        line |= {f"{name} {metric}": found.metrics[metric], f"{name} {metric} difference": gain.mean}
        line |= {f"{name} {metric} low": gain.low, f"{name} {metric} high": gain.high}
    return line


def main(
    data: Annotated[str, typer.Option(help="Named set or data set folder.")] = "ml-100k",
    share: Annotated[float, typer.Option(help="Of the items, in each of the two sets.")] = 0.05,
    may_lose: Annotated[
        float, typer.Option(help="Share of the warm validation NDCG@10 that places for new items may cost.")
    ] = 0.015,
    users: Annotated[int, typer.Option(min=1, help="Validation questions of a kind, at most.")] = 3000,
    seed: Annotated[int, typer.Option(help="Of the items drawn, and of the training.")] = 0,
    model: Annotated[Path | None, typer.Option(help="Folder to keep the model in, or one kept before.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Change of the recipe, as in finetune.")] = None,
    out: Annotated[Path, typer.Option(help="File to write, JSON.")] = Path(__file__).parent / "results/cold_items.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Hold items out, train, choose places, measure; the report is written once all is known."""
    dataset = Dataset.load(data)
    cold = cold_items(dataset, share, seed)
    warm = leave_last_out(cold.train)
    config = FinetuneConfig.from_yaml(shipped_path(RECIPE), [f"training.seed={seed}", *(overrides or [])])
    with tempfile.TemporaryDirectory() as scratch:
        folder = model or Path(scratch) / "model"
        if not (folder / "genrec.json").exists():
            finetune(config, warm.train, folder, validation=warm.validation)
        recommender = Recommender.from_pretrained(folder, warm.train)
        scorer = recommender.as_scorer("default, as trained", evidence=True).fit(warm.train)
    texts = [scorer_named(name).fit(warm.train) for name in TEXT]
    cold_validation = questions_at(cold.validation, sample_rows(len(cold.validation), users))
    met = np.bincount(warm.train.item_indices, minlength=dataset.num_items) > 0
    items = np.flatnonzero(~met)
    warm_validation, warm_test = (
        with_held_out(select_questions(some, np.array([met[targets[0]] for targets in some.targets])), dataset, ~met)
        for some in (warm.validation, warm.test)
    )
    warm_validation = questions_at(warm_validation, sample_rows(len(warm_validation), users))
    text = max(texts, key=lambda one: evaluate(one, cold_validation, ks=(10,)).metrics["recall@10"])
    mixed = NewItemPlaces("default, places for new items", scorer, texts, items, dataset.catalog.text_of())
    mixed.choose(warm_validation, cold_validation, may_lose)
    served = [Served(recommender, scorer, places) for places in (1, 2)]
    entrants: list[Scorer] = [WithoutNew("default, new items never", scorer, items), scorer, mixed, *texts, *served]
    on_warm = [evaluate(one, warm_test, ks=(10,)) for one in entrants]
    on_cold = [evaluate(one, cold.test, ks=(10,)) for one in entrants]
    best_text = on_cold[3 + texts.index(text)]
    rows = [
        {
            "model": one.name,
            **compared("cold", found_cold, best_text),
            **compared("warm", found_warm, on_warm[0]),
            "new items of 10": float(np.isin(found_warm.items[:, :10], items).sum(1).mean()),
        }
        for one, found_warm, found_cold in zip(entrants, on_warm, on_cold, strict=True)
    ]
    report = {
        "data": Path(data).name,
        "share": share,
        "seed": seed,
        "held_out_items": len(items),
        "cold_questions": len(cold.test),
        "warm_questions": len(warm_test),
        "text": text.name,
        "places": {"most": mixed.places, "weights": mixed.weights.round(4).tolist(), "least": mixed.least},
        "warm_loss": 1 - on_warm[2].metrics["ndcg@10"] / on_warm[0].metrics["ndcg@10"],
        **provenance("eval/cold_items.py", ["torch", "transformers", "numpy"]),
        "rows": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        columns = ["model", "cold recall@10", "cold ndcg@10", "warm recall@10", "warm ndcg@10", "new items of 10"]
        cells = [[row["model"], *(f"{row[name]:.4f}" for name in columns[1:])] for row in rows]
        print_table(columns, [[str(cell) for cell in line] for line in cells])
        print(f"{mixed.places} places, from {mixed.least:.2f} on; warm NDCG@10 {-report['warm_loss']:+.1%}")


if __name__ == "__main__":
    typer.run(main)
