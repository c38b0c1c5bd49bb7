"""SASRec whose items are their texts: what is met next, for items that nobody met yet, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import torch

from genrec.baselines.sequential.network import ItemTransformer
from genrec.baselines.sequential.sasrec import SASRec
from genrec.items.encoder import DEFAULT_ENCODER
from genrec.items.vectors import text_vectors

if TYPE_CHECKING:
    from torch import Tensor

    from genrec.baselines.position_targets import TargetKind
    from genrec.data.dataset import Dataset


class TextSASRec(SASRec):
    """SASRec whose item vectors are projections of the items' texts, through a frozen sentence encoder.

    No item has a vector of its own, so what is learned of one holds for those with like texts, and an item without
    interactions is scored as well as any; the idea of [1]_ and [2]_. Beside a model of item IDs, which remembers, it is
    strongest in a sum of both [3]_.

    Parameters
    ----------
    width, layers, heads, max_length, dropout, label_smoothing, learning_rate, weight_decay
        As of :class:`SASRec`.
    batch_positions, epochs, patience, seed, targets, half_life
        As of :class:`SASRec`.
    negatives
        As of :class:`SASRec`. Default 1024, or the full softmax where the catalog has no more items than that.
    encoder
        Folder or hub name of a sentence-transformers model. Default ``all-MiniLM-L6-v2``.
    components
        Principal components of the text vectors that are read. Default 128.

    References
    ----------
    .. [1] Hou et al., "Towards universal sequence representation learning for recommender systems", KDD 2022.
    .. [2] Yuan et al., "Where to go next for recommender systems? ID- vs. modality-based recommender models
       revisited", SIGIR 2023.
    .. [3] Collins et al., "Exploiting ID-text complementarity via ensembling for sequential recommendation",
       arXiv 2512.17820, 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.testing import toy_dataset
    >>> scorer = TextSASRec(width=16, epochs=1).fit(toy_dataset(items=8, length=4))
    >>> scorer.score([np.array([3, 4], dtype=np.int32)]).shape
    (1, 8)
    """

    name = "sasrec-text"
    serves_cold_items: ClassVar[bool] = True

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 1,
        heads: int = 2,
        max_length: int = 50,
        dropout: float = 0.3,
        label_smoothing: float = 0.1,
        negatives: int | None = 1024,
        learning_rate: float = 5e-3,
        weight_decay: float = 0.01,
        batch_positions: int = 1024,
        epochs: int = 30,
        patience: int = 5,
        seed: int = 0,
        targets: TargetKind = "auto",
        half_life: float | None = None,
        encoder: str = DEFAULT_ENCODER,
        components: int = 128,
    ) -> None:
        self.encoder = encoder
        self.components = components
        self._features: Tensor | None = None
        super().__init__(
            width=width,
            layers=layers,
            heads=heads,
            max_length=max_length,
            dropout=dropout,
            label_smoothing=label_smoothing,
            negatives=negatives,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            batch_positions=batch_positions,
            epochs=epochs,
            patience=patience,
            seed=seed,
            targets=targets,
            half_life=half_life,
        )
        self.name = type(self).name

    def fit(self, dataset: Dataset) -> Self:
        """Encode the texts of the catalog and train on the histories.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object. It keeps the items' vectors, not their texts.
        """
        vectors = torch.from_numpy(text_vectors(dataset.catalog.text_of(), self.encoder))
        self._features = _components(vectors, self.components)
        super().fit(dataset)
        self._features = None
        self._network = self._network.with_own_vectors(self.size)
        return self

    def _settings(self) -> dict[str, object]:
        return {**super()._settings(), "encoder": self.encoder, "components": self.components}

    def _new_network(self, num_items: int) -> ItemTransformer:
        if self._features is None:
            return super()._new_network(num_items)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            return ItemTransformer(num_items, self.size, causal=self.causal, features=self._features).eval()


def _components(vectors: Tensor, number: int) -> Tensor:
    """The first principal components of centred vectors of length 1: what few directions tell of texts."""
    centred = torch.nn.functional.normalize(vectors - vectors.mean(0))
    _, directions = torch.linalg.eigh(centred.T.double() @ centred.double())
    projected: Tensor = centred @ directions.flip(1)[:, :number].float()
    return projected
