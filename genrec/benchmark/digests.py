"""Digests of data and questions: what is kept of a run is used again only where nothing has changed."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from genrec.data.digest import add_table
from genrec.prompt.templates import Templates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet, Split
    from genrec.training.config import FinetuneConfig

FORMAT = 2
"""Raised when what is measured changes: a model kept from before is then run again."""


def dataset_digest(dataset: Dataset) -> str:
    """sha256 of the interactions and the catalog, wherever they came from.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset_digest(toy_dataset()) == dataset_digest(toy_dataset()) != dataset_digest(toy_dataset(users=61))
    True
    """
    digest = hashlib.sha256()
    for table in (dataset.interactions.table, dataset.catalog.table):
        add_table(digest, table)
    return digest.hexdigest()


def recipe_digest(config: FinetuneConfig) -> str:
    """sha256 of how a generator is trained: its configuration, and the templates that its prompts are written with.

    Examples
    --------
    >>> from genrec.training.config import FinetuneConfig
    >>> atomic, semantic = (FinetuneConfig.from_mapping({"items": {"kind": kind}}) for kind in ("atomic", "semantic"))
    >>> recipe_digest(atomic) == recipe_digest(atomic) != recipe_digest(semantic)
    True
    """
    parts = [config.model_dump(mode="json"), dict(Templates.load(config.prompt.templates).sources)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def split_digest(splits: Sequence[Split]) -> str:
    """sha256 of what is trained on and what is asked."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(f"{split.method} {dataset_digest(split.train)}".encode())
        for part in (split.validation, split.test):
            _add_questions(digest, part)
    return digest.hexdigest()


def questions_digest(questions: EvalSet) -> str:
    """sha256 of what is asked, whom, and what would be right."""
    digest = hashlib.sha256()
    _add_questions(digest, questions)
    return digest.hexdigest()


def _add_questions(digest: hashlib._Hash, questions: EvalSet) -> None:
    for arrays in ([questions.users], questions.histories, questions.targets, questions.met or []):
        digest.update(np.array([len(array) for array in arrays]).tobytes())
        digest.update(np.concatenate([*arrays, np.empty(0, dtype=np.int32)]).astype(np.int32).tobytes())
    if questions.whole_baskets:
        digest.update(b"whole baskets")
