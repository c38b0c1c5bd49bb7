"""Scorers that are trained and kept: as they are in a folder, for whichever data set has their items."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.base import Scorer
from genrec.baselines.ease import EASE
from genrec.baselines.named import scorer_named
from genrec.baselines.sequential.base import SequentialScorer
from genrec.data.identifiers import IdMap
from genrec.errors import ConfigError, ResourceError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet


logger = logging.getLogger(__name__)

EASE_ITEMS = 15_000
"""Items of a catalog that EASE guides a model on, at most."""


def fit_named(name: str, train: Dataset, validation: EvalSet | None, seed: int, folder: Path) -> Scorer:
    """Fit a scorer, or read it where the same was trained before.

    Parameters
    ----------
    name
        As of :func:`~genrec.baselines.named.scorer_named`.
    train
        Training part of a split.
    validation
        Questions of that split by which training stops, if there are any.
    seed
        Of scorers that are trained.
    folder
        Keeps those, each in a folder of its name.

    Raises
    ------
    ResourceError
        EASE on more items than it solves in a minute or so, which the first load of a model would take.
    """
    scorer = scorer_named(name, seed)
    if isinstance(scorer, EASE) and train.num_items > EASE_ITEMS:
        msg = f"{name} on {train.num_items:,} items, more than {EASE_ITEMS:,}, takes minutes at a model's first load"
        raise ResourceError(msg, hint="use item-knn or item-knn-recent")
    if not isinstance(scorer, SequentialScorer):
        return scorer.fit(train)
    if (folder / name).is_dir():
        return type(scorer).load(folder / name)
    if validation is not None:
        scorer.use_validation(validation)
    scorer.fit(train)
    # Written aside and renamed: a run that is killed here leaves no half scorer under its name.
    aside = folder / f".{name}.partial"
    scorer.save(aside)
    aside.rename(folder / name)
    return scorer


def fit_allowed(
    names: Sequence[str], train: Dataset, validation: EvalSet | None, seed: int, folder: Path
) -> dict[str, Scorer]:
    """Fit scorers as :func:`fit_named` does; one that these data do not allow is left out, and the log says so.

    Parameters
    ----------
    names, train, validation, seed, folder
        As of :func:`fit_named`.

    Returns
    -------
    dict
        Fitted scorers by name; none, perhaps.
    """
    scorers: dict[str, Scorer] = {}
    for name in names:
        try:
            scorers[name] = fit_named(name, train, validation, seed, folder)
        except (ResourceError, UnsupportedError) as error:
            logger.warning("%s is left out: %s", name, error)
    return scorers


class TrainedScorer(Scorer):
    """A scorer as it was trained, for data sets that may have other items, too, or have them in another order.

    Parameters
    ----------
    scorer
        Fitted on M items.
    item_ids
        Their ids.

    Examples
    --------
    >>> from genrec.baselines import Popularity
    >>> from genrec.testing import toy_dataset
    >>> small, large = toy_dataset(items=8, length=4), toy_dataset(items=9, length=4)
    >>> kept = TrainedScorer(Popularity().fit(small), small.catalog.ids.ids).fit(large)
    >>> kept.score([np.array([8, 3], dtype=np.int32)]).shape
    (1, 9)
    """

    serves_cold_users: ClassVar[bool] = True

    def __init__(self, scorer: Scorer, item_ids: Sequence[str]) -> None:
        self.scorer = scorer
        self.name = scorer.name
        self._ids = IdMap(item_ids)
        self._own: NDArray[np.int32] | None = None

    @property
    def serves_cold_items(self) -> bool:  # type: ignore[override]
        """As the scorer does."""
        return self.scorer.serves_cold_items

    def fit(self, dataset: Dataset) -> Self:
        """Find the scorer's items among those of a data set (N); nothing is trained."""
        self._own = self._ids.find(dataset.catalog.ids.ids)
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """The scorer's scores of the data set's items, float32 (B, N); an item it does not know gets their mean."""
        if self._own is None:
            raise ConfigError(f"{self.name} does not know the data set's items", hint="fit it first")
        own = self._own
        if len(own) == len(self._ids) and np.array_equal(own, np.arange(len(own))):
            return self.scorer.score(histories)
        read = [own[items] for items in histories]
        scores = self.scorer.score([items[items >= 0] for items in read])
        return np.where(own >= 0, scores[:, own], scores.mean(axis=1, keepdims=True)).astype(np.float32, copy=False)
