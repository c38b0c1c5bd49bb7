"""What other scorers say about a history, added to the generator's log-probabilities while it searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from genrec.baselines.named import scorer_named
from genrec.data.identifiers import IdMap
from genrec.decoding.weights import ItemWeights
from genrec.model.description import EvidenceDescription
from genrec.recommend.fusion import Fusion, on_one_scale
from genrec.recommend.scorer import GenerativeScorer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet


class Evidence(Protocol):
    """What a recommender adds to the generator's log-probabilities for a history."""

    def weights(self, history: NDArray[np.int32]) -> ItemWeights:
        """Log-weights (1, N) for item indices int32 (T,), oldest first; none is -inf."""

    def for_items(self, item_ids: Sequence[str]) -> Evidence:
        """The same for a model of other items."""


class ScorerEvidence:
    """Scorers fitted on a data set, as evidence for a model's items.

    Parameters
    ----------
    fusion
        The fitted scorers.
    strength
        What their z-scores are multiplied by.
    known
        Ids of the items that the scorers know.
    item_ids
        Ids of the model's N items. Those that the scorers do not know get the mean of those they do.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> about = EvidenceDescription(scorers=["item-knn"], weights=[1.0], strength=0.5)
    >>> evidence = ScorerEvidence.fitted(about, dataset, dataset.catalog.ids.ids)
    >>> evidence.weights(np.array([3, 4], dtype=np.int32)).dense.shape
    (1, 24)
    """

    def __init__(self, fusion: Fusion, strength: float, known: IdMap, item_ids: Sequence[str]) -> None:
        self.fusion = fusion
        self.strength = strength
        self._known = known
        self._column = known.find(item_ids)

    @classmethod
    def fitted(cls, about: EvidenceDescription, dataset: Dataset, item_ids: Sequence[str]) -> Self:
        """Fit what a model folder names, with the weights it gives."""
        return cls(fusion_of(about).fit(dataset), about.strength, dataset.catalog.ids, item_ids)

    def for_items(self, item_ids: Sequence[str]) -> Self:
        """The same scorers for a model of other items."""
        return type(self)(self.fusion, self.strength, self._known, item_ids)

    def weights(self, history: NDArray[np.int32]) -> ItemWeights:
        """Log-weights (1, N) for item indices int32 (T,) of the model, oldest first."""
        column = self._column
        read = column[history]
        scores = on_one_scale(self.fusion.score([read[read >= 0]]), "z-score")[0]
        return ItemWeights.from_priors(np.float32(self.strength) * np.where(column >= 0, scores[column], 0))


def fusion_of(about: EvidenceDescription) -> Fusion:
    """The unfitted scorers that a model folder names, with the weights it gives."""
    return Fusion([scorer_named(name) for name in about.scorers], about.weights, name="evidence")


def choose_evidence(
    names: Sequence[str], alone: GenerativeScorer, train: Dataset, validation: EvalSet, users: int = 500
) -> EvidenceDescription:
    """Choose by validation what scorers weigh beside each other, and beside the generator.

    Parameters
    ----------
    names
        The scorers.
    alone
        The trained generator.
    train
        Training part of a split, on which the scorers are fitted.
    validation
        Questions of the same split. NDCG@10 with seen items filtered decides.
    users
        Questions for the strength beside the generator, a fixed sample. Default 500.

    Returns
    -------
    EvidenceDescription
        Scorers of weight 0 are left out. The strength is 0 where the generator is better alone.
    """
    fusion = Fusion([scorer_named(name) for name in names], name="evidence")
    guided = GenerativeScorer(
        alone.generator,
        alone.builder,
        alone.max_items,
        beams=alone.beams,
        batch_size=alone.batch_size,
        evidence=fusion,
        strength_users=users,
    )
    guided.use_validation(validation)
    guided.fit(train)
    heard = [(name, float(weight)) for name, weight in zip(names, fusion.weights, strict=True) if weight > 0]
    return EvidenceDescription(
        scorers=[name for name, _ in heard], weights=[weight for _, weight in heard], strength=guided.alpha
    )
