"""Gives a fine-tuned model scorers that guide its search: python finetune/guide.py M [--scorers A,B] [--users N].

``genrec finetune`` does it at the end of a run whose configuration has an ``evidence`` section; this is for a model
made without one, or to try other scorers. What they weigh is chosen on the validation part of the split that the
model was trained on, and written into ``genrec.json``; scorers that take training are kept under
``evidence/`` and not trained again.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from genrec import Dataset, Recommender
from genrec.baselines.trained import fit_named
from genrec.data.split import SPLITS
from genrec.errors import ConfigError
from genrec.recommend.evidence import FOLDER, choose_evidence


def main(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    scorers: Annotated[str, typer.Option(help="Names, separated by commas.")] = "item-knn-recent,tfidf-knn",
    users: Annotated[int, typer.Option(min=1, help="Validation users who choose the weights.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Of scorers that are trained.")] = 0,
) -> None:
    """Choose, and write it down."""
    recommender = Recommender.from_pretrained(model, evidence=False)
    description = recommender.model.description
    if description.dataset.split not in SPLITS:
        raise ConfigError(f"{model} was trained with split {description.dataset.split}: nothing was held out")
    split = SPLITS[description.dataset.split](Dataset.load(description.dataset.location))
    fitted = {name: fit_named(name, split.train, split.validation, seed, model / FOLDER) for name in scorers.split(",")}
    evidence = choose_evidence(fitted, recommender.as_scorer(), split.train, split.validation, users)
    for name in (path.name for path in (model / FOLDER).glob("*") if path.name not in evidence.trained):
        shutil.rmtree(model / FOLDER / name)
    description.model_copy(update={"evidence": evidence}).write(model)
    print(evidence)


if __name__ == "__main__":
    typer.run(main)
