"""Measures what the default makes of items that nobody met yet: python eval/cold_items.py --data D.

A set of items, 5% by default, is held out of training entirely: neither an interaction nor what a user did after one is
left. The default recipe is trained on the rest; the items' codes come from their texts alone. Users are asked for a
held-out item (cold questions), and others for the last of their items that training knows (warm questions), always
among the whole catalog, as any user asks a recommender: with `new_items` of 0, 1, 2 and 3.

Two sets are drawn. How `new_items` chooses was settled with `--part validation`: there, the items of the other set are
in no catalog, as if the shop did not have them yet, and the warm questions are the validation's, too. The test holds
out that other set alone, with another training.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
import typer
from numpy.typing import NDArray

from genrec import Recommender
from genrec.baselines.base import Ranking, Scorer
from genrec.baselines.named import scorer_named
from genrec.cli.console import print_json, print_table
from genrec.cli.provenance import provenance
from genrec.data.catalog import Catalog
from genrec.data.cold import draw_items, hold_out_items, select_questions
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
PLACES = (0, 1, 2, 3)
METRICS = ("recall@10", "ndcg@10")


class Part(StrEnum):
    """Which set of items is held out."""

    VALIDATION = "validation"
    TEST = "test"


class Served(Scorer):
    """A recommender as users ask it, that leaves some last places to new items."""

    serves_cold_users = True
    serves_cold_items = True

    def __init__(self, recommender: Recommender, new_items: int) -> None:
        self.name, self.recommender, self.new_items = f"default, new_items={new_items}", recommender, new_items

    def fit(self, dataset: Dataset) -> Served:
        """It is fitted already."""
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Scores (B, N) before places are given, which :meth:`recommend` does."""
        return self.recommender.as_scorer(evidence=True).fit(self.recommender.dataset).score(histories)

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


def before(dataset: Dataset, items: NDArray[np.int64]) -> Dataset:
    """The data as they were before some items came: they are in no catalog and in no history."""
    kept = np.ones(dataset.num_items, dtype=np.bool_)
    kept[items] = False
    fewer = Catalog(dataset.catalog.table.filter(pa.array(kept)))
    return replace(dataset.with_interactions(kept[dataset.item_indices]), catalog=fewer)


def with_held_out(questions: EvalSet, dataset: Dataset, held_out: NDArray[np.bool_]) -> EvalSet:
    """The same questions, where held-out items that a user had met by then count as seen."""
    seen = []
    for user, history, targets in zip(questions.users, questions.histories, questions.targets, strict=True):
        full = dataset.histories[user]
        met = full[: np.flatnonzero(full == targets[0])[-1]]
        seen.append(np.concatenate([history, met[held_out[met]]]))
    return replace(questions, met=seen)


def compared(name: str, found: Evaluation, reference: Evaluation) -> dict[str, float]:
    """Means, and the difference from the reference with its interval."""
    line: dict[str, float] = {}
    for metric in METRICS:
        gain = bootstrap_interval(found.per_user[metric] - reference.per_user[metric])
        line |= {f"{name} {metric}": found.metrics[metric], f"{name} {metric} difference": gain.mean}
        line |= {f"{name} {metric} low": gain.low, f"{name} {metric} high": gain.high}
    return line


def measured(entrants: Sequence[Scorer], questions: EvalSet, users: int | None) -> list[Evaluation]:
    """Ask all of them the same questions, or the same sample of so many."""
    asked = questions if users is None else questions_at(questions, sample_rows(len(questions), users))
    return [evaluate(one, asked, ks=(10,)) for one in entrants]


def main(
    data: Annotated[str, typer.Option(help="Named set or data set folder.")] = "ml-100k",
    part: Annotated[Part, typer.Option(help="Which of the two sets of items is held out.")] = Part.TEST,
    share: Annotated[float, typer.Option(help="Of the items, in each of the two sets.")] = 0.05,
    users: Annotated[int | None, typer.Option(min=1, help="Questions of a kind, at most. Default: all.")] = None,
    seed: Annotated[int, typer.Option(help="Of the items drawn, and of the training.")] = 0,
    model: Annotated[Path | None, typer.Option(help="Folder to keep the model in, or one kept before.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Change of the recipe, as in finetune.")] = None,
    out: Annotated[Path, typer.Option(help="File to write, JSON.")] = Path(__file__).parent / "results/cold_items.json",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone on stdout.")] = False,
) -> None:
    """Hold items out, train, measure; the report is written once all is known."""
    dataset = Dataset.load(data)
    tuned, tested = draw_items(dataset, share, seed)
    held_out = tested
    if part is Part.VALIDATION:
        dataset, held_out = before(dataset, tested), tuned - np.searchsorted(tested, tuned)
    train, (cold,) = hold_out_items(dataset, held_out)
    split = leave_last_out(train)
    config = FinetuneConfig.from_yaml(shipped_path(RECIPE), [f"training.seed={seed}", *(overrides or [])])
    with tempfile.TemporaryDirectory() as scratch:
        folder = model or Path(scratch) / "model"
        if not (folder / "genrec.json").exists():
            finetune(config, split.train, folder, validation=split.validation)
        recommender = Recommender.from_pretrained(folder, split.train)
    met = split.train.histories.item_counts(dataset.num_items) > 0
    last = split.validation if part is Part.VALIDATION else split.test
    warm = select_questions(last, np.array([met[targets[0]] for targets in last.targets]))
    texts = [scorer_named(name).fit(split.train) for name in TEXT]
    entrants: list[Scorer] = [*(Served(recommender, places) for places in PLACES), *texts]
    on_warm = measured(entrants, with_held_out(warm, dataset, ~met), users)
    on_cold = measured(entrants, cold, users)
    best_text = max(on_cold[len(PLACES) :], key=lambda one: one.metrics["recall@10"])
    rows = [
        {
            "model": one.name,
            **compared("cold", found_cold, best_text),
            **compared("warm", found_warm, on_warm[0]),
            "warm loss": 1 - found_warm.metrics["ndcg@10"] / on_warm[0].metrics["ndcg@10"],
            "new items of 10": float((~met[found_warm.items[:, :10]]).sum(1).mean()),
        }
        for one, found_warm, found_cold in zip(entrants, on_warm, on_cold, strict=True)
    ]
    report = {
        "data": Path(data).name,
        "part": part,
        "share": share,
        "seed": seed,
        "held_out_items": len(held_out),
        "new_items": int((~met).sum()),
        "cold_questions": len(on_cold[0].items),
        "warm_questions": len(on_warm[0].items),
        "text": best_text.model,
        **provenance("eval/cold_items.py", ["torch", "transformers", "numpy"]),
        "rows": rows,
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    if as_json:
        print_json(report)
    else:
        columns = ["model", "cold recall@10", "cold ndcg@10", "warm recall@10", "warm ndcg@10", "warm loss"]
        cells = [[row["model"], *(f"{row[name]:.4f}" for name in columns[1:])] for row in rows]
        print_table(columns, [[str(cell) for cell in line] for line in cells])


if __name__ == "__main__":
    typer.run(main)
