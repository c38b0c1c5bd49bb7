"""Gives a fine-tuned model scorers that guide its search: python finetune/guide.py M [--scorers A,B] [--users N].

``genrec finetune`` does it at the end of a run whose configuration has an ``evidence`` section; this is for a model
made without one, or to try other scorers. What they weigh is chosen on the validation part of the split that the
model was trained on, and written into ``genrec.json``; nothing else of the folder changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec import Dataset, Recommender
from genrec.data.split import leave_last_out
from genrec.errors import ConfigError
from genrec.recommend.evidence import choose_evidence


def main(
    model: Annotated[Path, typer.Argument(help="Model folder.")],
    scorers: Annotated[str, typer.Option(help="Names, separated by commas.")] = "item-knn-recent,tfidf-knn",
    users: Annotated[int, typer.Option(min=1, help="Validation users who choose the strength.")] = 500,
    beams: Annotated[int, typer.Option(min=10, help="Beam width while choosing.")] = 50,
) -> None:
    """Choose, and write it down."""
    recommender = Recommender.from_pretrained(model, evidence=False)
    description = recommender.model.description
    if description.dataset.split != "leave-last-out":
        raise ConfigError(
            f"{model} was trained with split {description.dataset.split}, which this script does not make"
        )
    split = leave_last_out(Dataset.load(description.dataset.location))
    alone = recommender.as_scorer(beams=beams)
    evidence = choose_evidence(scorers.split(","), alone, split.train, split.validation, users)
    description.model_copy(update={"evidence": evidence}).write(model)
    print(evidence)


if __name__ == "__main__":
    typer.run(main)
