"""What other scorers say about a history, added to the generator's log-probabilities while it searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from genrec.baselines.base import Scorer
from genrec.baselines.ease import EASE
from genrec.baselines.named import scorer_named
from genrec.baselines.recalled_ease import RecalledEASE
from genrec.baselines.sequential.base import SequentialScorer
from genrec.baselines.trained import TrainedScorer
from genrec.data.identifiers import IdMap
from genrec.decoding.weights import ItemWeights
from genrec.errors import ModelError
from genrec.model.description import EvidenceDescription, ModelDescription
from genrec.recommend.fusion import Fusion
from genrec.recommend.guides import choose_guides
from genrec.recommend.scorer import GenerativeScorer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet


class Evidence(Protocol):
    """What a recommender adds to the generator's log-probabilities for a history."""

    def weights(self, history: NDArray[np.int32]) -> ItemWeights:
        """Log-weights (1, N) for item indices int32 (T,), oldest first; none is -inf."""

    def weights_of(self, histories: Sequence[NDArray[np.int32]]) -> list[ItemWeights]:
        """The same for several histories, which costs less than one by one."""

    def for_items(self, item_ids: Sequence[str]) -> Evidence:
        """The same for a model of other items."""


FOLDER = "evidence"
"""In a model folder, holds the scorers that were trained with it."""


class ScorerEvidence:
    """Scorers fitted on a data set, as evidence for a model's items.

    Parameters
    ----------
    fusion
        The fitted scorers, each with what its z-scores weigh.
    about
        Gives what all of that is multiplied by, and the log-weight of items of the history.
    known
        Ids of the items that the scorers know.
    item_ids
        Ids of the model's N items. Those that the scorers do not know get the mean of those they do.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> about = EvidenceDescription(scorers=["item-knn"], weights=[0.5])
    >>> evidence = ScorerEvidence.fitted(about, dataset, dataset.catalog.ids.ids)
    >>> evidence.weights(np.array([3, 4], dtype=np.int32)).dense.shape
    (1, 24)
    """

    def __init__(self, fusion: Fusion, about: EvidenceDescription, known: IdMap, item_ids: Sequence[str]) -> None:
        self.fusion = fusion
        self.about = about
        self._known = known
        self._column = known.find(item_ids)

    @classmethod
    def fitted(
        cls, about: EvidenceDescription, dataset: Dataset, item_ids: Sequence[str], folder: Path | None = None
    ) -> Self:
        """Fit what a model folder names, with the weights it gives; what was trained, or solved before, is read."""
        fusion = fusion_of(about, folder, item_ids)
        fusion.scorers = [RecalledEASE.of(one) if type(one) is EASE else one for one in fusion.scorers]
        return cls(fusion.fit(dataset), about, dataset.catalog.ids, item_ids)

    def for_items(self, item_ids: Sequence[str]) -> Self:
        """The same scorers for a model of other items."""
        return type(self)(self.fusion, self.about, self._known, item_ids)

    def weights(self, history: NDArray[np.int32]) -> ItemWeights:
        """Log-weights (1, N) for item indices int32 (T,) of the model, oldest first."""
        return self.weights_of([history])[0]

    def weights_of(self, histories: Sequence[NDArray[np.int32]]) -> list[ItemWeights]:
        """The same for several histories, which costs less than one by one."""
        column = self._column
        read = [column[history] for history in histories]
        scores = self.fusion.score([rows[rows >= 0] for rows in read])
        weights = np.float32(self.about.strength) * np.where(column >= 0, scores[:, column], 0)
        for row, history in zip(weights, histories, strict=True):
            row[np.unique(history)] += np.float32(self.about.return_log_odds)
        return [ItemWeights.from_priors(row) for row in weights]


def fusion_of(about: EvidenceDescription, folder: Path | None = None, item_ids: Sequence[str] = ()) -> Fusion:
    """The unfitted scorers that a model folder names, with the weights it gives.

    Parameters
    ----------
    about
        What it says.
    folder
        The model folder, if scorers were trained with it.
    item_ids
        Ids of the model's items: first those that the scorers were trained on, then what came later.

    Raises
    ------
    ModelError
        A trained scorer is not there.
    """
    scorers: list[Scorer] = []
    for name in about.scorers:
        scorers.append(_read_trained(name, folder, item_ids) if name in about.trained else scorer_named(name))
    return Fusion(scorers, about.weights, name=FOLDER)


def guides_alone(folder: Path, item_ids: Sequence[str]) -> Fusion:
    """The scorers that may guide a model, without it: what they do by themselves says what the model adds.

    Parameters
    ----------
    folder
        The model folder. Scorers that were trained with it are read from there.
    item_ids
        Ids of the model's items.

    Returns
    -------
    Fusion
        To be fitted. Its weights are chosen then, on as many validation questions as those beside the model were, and
        of all scorers that were offered: one that added nothing to the model may count here.

    Raises
    ------
    ModelError
        Nothing guides the model, or a trained scorer is not there.
    """
    folder = folder.resolve()  # a link to it may move meanwhile
    about = ModelDescription.read(folder).evidence
    if about is None:
        raise ModelError(f"nothing guides {folder}", hint="fine-tune it with an evidence section")
    names = about.offered or about.scorers
    parts = [_read_trained(one, folder, item_ids) if one in about.trained else scorer_named(one) for one in names]
    return Fusion(parts, max_users=about.questions)


def _read_trained(name: str, folder: Path | None, item_ids: Sequence[str]) -> TrainedScorer:
    kind = type(scorer_named(name))
    if folder is None or not issubclass(kind, SequentialScorer):
        raise ModelError(f"the trained scorer {name} is to be had from a model folder only", hint="upgrade genrec")
    scorer = kind.load(folder / FOLDER / name)
    return TrainedScorer(scorer, item_ids[: scorer.num_items])


def choose_evidence(
    scorers: Mapping[str, Scorer], alone: GenerativeScorer, train: Dataset, validation: EvalSet, users: int = 1000
) -> EvidenceDescription:
    """Choose by validation what scorers weigh beside the generator.

    Parameters
    ----------
    scorers
        By name, fitted on the training part of a split.
    alone
        The trained generator.
    train
        That training part.
    validation
        Questions of the same split. NDCG@10 with seen items filtered decides.
    users
        Questions asked at most, a fixed sample. Default 1000.

    Returns
    -------
    EvidenceDescription
        Scorers of weight 0 are left out. The strength is 0 where the generator is better alone.
    """
    users = min(users, len(validation))
    fusion = Fusion(list(scorers.values()), name=FOLDER)
    fusion.know_items_of(train)
    weights, return_log_odds = choose_guides(alone, fusion, validation, users)
    heard = [(name, float(weight)) for name, weight in zip(scorers, weights, strict=True) if weight > 0]
    return EvidenceDescription(
        scorers=[name for name, _ in heard],
        weights=[weight for _, weight in heard],
        strength=float(bool(heard)),
        trained=[name for name, _ in heard if isinstance(scorers[name], SequentialScorer)],
        return_log_odds=return_log_odds,
        offered=list(scorers),
        questions=users,
    )


def save_evidence(about: EvidenceDescription, scorers: Mapping[str, Scorer], folder: Path) -> None:
    """Write the trained ones among the scorers into a model folder."""
    for name in about.trained:
        scorer = scorers[name]
        assert isinstance(scorer, SequentialScorer)  # says choose_evidence
        scorer.save(folder / FOLDER / name)
