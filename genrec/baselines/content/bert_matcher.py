"""A matcher of users and items by their texts: a frozen BERT encoder below, a trained Transformer above."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import torch
from torch import Tensor, nn

from genrec.baselines.sequential.network import Architecture, ItemTransformer
from genrec.baselines.sequential.sasrec import SASRec
from genrec.baselines.sequential.saving import read_saved
from genrec.items.encoder import DEFAULT_ENCODER
from genrec.items.vectors import text_vectors

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from genrec.baselines.position_targets import TargetKind
    from genrec.data.dataset import Dataset


class BertMatcher(SASRec):
    """Scores items by the product of two towers over texts: the item's, and the history's.

    Each item's text (title, categories, text) goes through a sentence encoder once [1]_; a trained two-layer network
    turns the vectors into the item tower, and a causal Transformer reads those of the history for the user tower,
    trained by a softmax over the whole catalog at every position, as in the text-only part of [2]_. No parameter
    belongs to one item, so an item that nobody has met is ranked by what its text says.

    Parameters
    ----------
    width, layers, heads, max_length, dropout, label_smoothing, negatives, learning_rate, weight_decay
        As in :class:`~genrec.baselines.sequential.sasrec.SASRec`; default dropout .2 and learning rate 2e-3.
    batch_positions, epochs, patience, seed, targets, half_life
        Also as there.
    encoder
        Folder or hub name of a sentence-transformers model. Default ``all-MiniLM-L6-v2``.

    References
    ----------
    .. [1] Reimers and Gurevych, "Sentence-BERT: sentence embeddings using siamese BERT-networks", EMNLP 2019.
    .. [2] Hou et al., "Towards universal sequence representation learning for recommender systems", KDD 2022 (UniSRec).

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> scorer = BertMatcher(width=16, epochs=2).fit(toy_dataset(items=8, length=4))
    >>> scorer.score([np.array([3], dtype=np.int32)]).shape
    (1, 8)
    """

    name = "bert-matcher"
    _network: TextTransformer
    serves_cold_items: ClassVar[bool] = True

    def __init__(
        self,
        *,
        width: int = 64,
        layers: int = 1,
        heads: int = 2,
        max_length: int = 50,
        dropout: float = 0.2,
        label_smoothing: float = 0.1,
        negatives: int | None = None,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.01,
        batch_positions: int = 1024,
        epochs: int = 30,
        patience: int = 5,
        seed: int = 0,
        targets: TargetKind = "auto",
        half_life: float | None = None,
        encoder: str = DEFAULT_ENCODER,
    ) -> None:
        self.encoder = encoder
        self._vectors = np.empty((0, 1), dtype=np.float32)
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

    def fit(self, dataset: Dataset) -> Self:
        """Encode the texts of the catalog and train on the histories.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        vectors = text_vectors(dataset.catalog.text_of(), self.encoder)
        centred = vectors - vectors.mean(axis=0)
        self._vectors = centred / np.maximum(centred.std(), 1e-6)
        super().fit(dataset)
        self._network.tokens.finish()
        return self

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what ``save`` wrote; texts are not encoded again.

        Parameters
        ----------
        folder
            Of a model of this class.

        Returns
        -------
        Self
            Fitted, with the same settings.

        Raises
        ------
        ModelError
            No such model there, or one written by a newer genrec.
        """
        saved = read_saved(folder, kind=cls.name)
        scorer = cls(**saved.settings)
        scorer._vectors = saved.weights["tokens.vectors"].numpy()
        scorer._network = scorer._new_network(saved.num_items)
        scorer._network.load_state_dict(saved.weights)
        scorer._network.tokens.finish()
        return scorer

    def _settings(self) -> dict[str, object]:
        return super()._settings() | {"encoder": self.encoder}

    def _new_network(self, num_items: int) -> TextTransformer:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.training.seed)
            return TextTransformer(self._vectors, self.size).eval()


class TextTransformer(ItemTransformer):
    """A causal Transformer whose item vectors are made of text vectors.

    Parameters
    ----------
    vectors
        float32 (N, F), fixed.
    size
        Its size.
    """

    tokens: ItemTower  # type: ignore[assignment]  # stands in for the table of vectors

    def __init__(self, vectors: NDArray[np.float32], size: Architecture) -> None:
        super().__init__(len(vectors), size, causal=True)
        self.tokens = ItemTower(torch.from_numpy(vectors), size)
        # How popular an item is must come from its text, too: the last layer norm's shift is a direction for it.
        self.bias.requires_grad_(False)

    @property
    def item_vectors(self) -> Tensor:
        """Vectors of the items, (N, D)."""
        return self.tokens.items()


class ItemTower(nn.Module):
    """Vectors of items, made of those of their texts by a two-layer network.

    Parameters
    ----------
    vectors
        float32 (N, F), fixed. Token N, which is no item, has a vector of its own.
    size
        Of the Transformer above.
    """

    def __init__(self, vectors: Tensor, size: Architecture) -> None:
        super().__init__()
        self.register_buffer("vectors", vectors)
        self.vectors: Tensor
        self.network = nn.Sequential(
            nn.Linear(vectors.shape[1], 4 * size.width),
            nn.GELU(),
            nn.Dropout(size.dropout),
            nn.Linear(4 * size.width, size.width),
        )
        self.no_item = nn.Parameter(torch.randn(size.width) * size.width**-0.5)
        self._finished: Tensor | None = None

    def forward(self, tokens: Tensor) -> Tensor:
        """Look up tokens: int64 (B, T) to (B, T, D)."""
        is_item = (tokens < len(self.vectors)).unsqueeze(-1)
        index = tokens.clamp(max=max(len(self.vectors) - 1, 0))
        made = self.network(self.vectors[index]) if self._finished is None else self._finished[index]
        return torch.where(is_item, made, self.no_item)

    def items(self) -> Tensor:
        """Vectors of all items, (N, D)."""
        made: Tensor = self.network(self.vectors) if self._finished is None else self._finished
        return made

    @torch.no_grad()
    def finish(self) -> None:
        """Make the vectors once and for all; the network trains no more."""
        self._finished = self.items()
