"""A generator as a scorer, so that it is benchmarked like any other model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from genrec.baselines.base import Ranking, Scorer
from genrec.decoding.beam import beam_search
from genrec.decoding.exact import score_items
from genrec.decoding.weights import ItemWeights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.model.generator import Generator
    from genrec.prompt.builder import PromptBuilder
    from genrec.prompt.sequence import TokenSequence


class GenerativeScorer(Scorer):
    """Ranks the catalog by generating: beam search for the top k, exact scoring for all items.

    Parameters
    ----------
    generator
        A trained generator.
    builder
        Writes its prompts.
    max_items
        Longest history the model reads, in items.
    beams
        Beam width (W). Default 50.
    name
        Name in reports. Default ``"generative"``.
    batch_size
        Prompts decoded together. Default 32.
    """

    serves_cold_users: ClassVar[bool] = True
    serves_cold_items: ClassVar[bool] = True

    def __init__(
        self,
        generator: Generator,
        builder: PromptBuilder,
        max_items: int,
        *,
        beams: int = 50,
        name: str = "generative",
        batch_size: int = 32,
    ) -> None:
        self.generator = generator
        self.builder = builder
        self.max_items = max_items
        self.beams = beams
        self.name = name
        self.batch_size = batch_size

    def fit(self, dataset: Dataset) -> Self:
        """Nothing to do: the generator has been fine-tuned."""
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Log-probability of every item as the next one, float32 (B, N)."""
        scores = np.empty((len(histories), self.generator.vocabulary.num_items), dtype=np.float32)
        for rows in self._batches(histories):
            scores[rows] = score_items(self.generator, self._prompts(histories, rows))
        return scores

    def recommend(
        self,
        histories: Sequence[NDArray[np.int32]],
        k: int,
        exclude: Sequence[NDArray[np.int32]] | None = None,
    ) -> Ranking:
        """The k best items of each history by beam search."""
        items = np.full((len(histories), k), -1, dtype=np.int32)
        scores = np.full((len(histories), k), -np.inf, dtype=np.float32)
        for rows in self._batches(histories):
            weights = None
            if exclude is not None:
                num_items = self.generator.vocabulary.num_items
                weights = ItemWeights.from_seen([exclude[row] for row in rows], num_items)
            decoded = beam_search(self.generator, self._prompts(histories, rows), k, self.beams, weights)
            items[rows], scores[rows] = decoded.items, decoded.scores
        return Ranking(items, scores)

    def _batches(self, histories: Sequence[NDArray[np.int32]]) -> Iterator[NDArray[np.int64]]:
        """Rows that are decoded together: of similar length, so that little of the work is padding."""
        order = np.argsort([len(history) for history in histories], kind="stable")
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size]

    def _prompts(self, histories: Sequence[NDArray[np.int32]], rows: NDArray[np.int64]) -> list[TokenSequence]:
        return [self.builder.build(histories[row][-self.max_items :]) for row in rows]
