"""A generator as a scorer, so that it is benchmarked like any other model; alone, or guided by other scorers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol, Self

import numpy as np

from genrec.baselines.base import Ranking, Scorer
from genrec.decoding.beam import beam_search
from genrec.decoding.exact import score_items
from genrec.decoding.weights import ItemWeights
from genrec.recommend.fusion import Fusion
from genrec.recommend.guides import choose_guides
from genrec.recommend.request_weights import return_weights

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet
    from genrec.model.generator import Generator
    from genrec.prompt.sequence import TokenSequence
    from genrec.retrieval.candidates import Candidates

GUIDE_USERS = 1000
"""Validation questions on which the weights of guides are chosen, unless told otherwise."""


class PromptWriter(Protocol):
    """Writes a prompt for a history, as :class:`~genrec.prompt.builder.PromptBuilder` does."""

    def build(self, history: NDArray[np.int32]) -> TokenSequence:
        """Tokens after which the model writes an item, for item indices int32 (T,), oldest first."""


class GenerativeScorer(Scorer):
    """Ranks the catalog by generating: beam search for the top k, exact scoring for all items.

    Other scorers guide it through item log-weights, which the beams feel from the first code on.

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
    candidates
        A retriever: nothing outside its candidates is recommended. Default: the whole catalog.
    evidence
        A scorer whose z-scores, times ``alpha``, are added to the log-probabilities; of a
        :class:`~genrec.recommend.fusion.Fusion`, the weighted z-scores of its parts. Default none.
    alpha
        Strength of the evidence. Default None: :meth:`fit` chooses what each part weighs beside the generator, on the
        validation questions it was told to use, if there are any, and ``alpha`` is 1.
    return_log_odds
        Added for the items of the history, where they are not excluded. Chosen with the weights of evidence. Default 0.
    guide_users
        Validation questions on which they are chosen, at most. Default 1000.
    """

    serves_cold_users: ClassVar[bool] = True

    def __init__(
        self,
        generator: Generator,
        builder: PromptWriter,
        max_items: int,
        *,
        beams: int = 50,
        name: str = "generative",
        batch_size: int = 32,
        candidates: Candidates | None = None,
        evidence: Scorer | None = None,
        alpha: float | None = None,
        return_log_odds: float = 0.0,
        guide_users: int = GUIDE_USERS,
    ) -> None:
        self.generator = generator
        self.builder = builder
        self.max_items = max_items
        self.beams = beams
        self.name = name
        self.batch_size = batch_size
        self.candidates = candidates
        if evidence is not None and not isinstance(evidence, Fusion):
            evidence = Fusion([evidence], [1.0])
        self.evidence: Fusion | None = evidence
        self.return_log_odds = return_log_odds
        self.guide_users = guide_users
        self.alpha = 1.0 if alpha is None else alpha
        self._chooses = alpha is None
        self._validation: EvalSet | None = None

    # Known only from the generator, so no class variable.
    @property
    def serves_cold_items(self) -> bool:  # type: ignore[override]
        """Whether an item's ID or the evidence tells something of an item that training never saw."""
        evidence = self.evidence is not None and self.alpha > 0 and self.evidence.serves_cold_items
        return evidence or self.generator.vocabulary.tokenizer.kind != "atomic"

    def use_validation(self, validation: EvalSet) -> None:
        """Let the next :meth:`fit` choose what evidence weighs by these questions.

        Parameters
        ----------
        validation
            Of the same split as the training data.
        """
        self._validation = validation
        for scorer in self._fitted():
            scorer.use_validation(validation)

    def fit(self, dataset: Dataset) -> Self:
        """Fit what guides the generator, which itself has been fine-tuned.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        for scorer in self._fitted():
            scorer.fit(dataset)
        guides = self.evidence
        if guides is not None:
            guides.know_items_of(dataset)
        if guides is not None and self._chooses and self._validation is not None:
            self.alpha, self.return_log_odds = 0.0, 0.0  # the generator is asked alone
            found = choose_guides(self, guides, self._validation, self.guide_users)
            guides.weights, self.return_log_odds = found
            self.alpha = float(guides.weights.any())
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Log-probability of every item as the next one, and what guides add, float32 (B, N)."""
        return self.score_eligible(histories)

    def score_eligible(
        self, histories: Sequence[NDArray[np.int32]], exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> NDArray[np.float32]:
        """The same, -inf for what is excluded; candidates are drawn from the others."""
        scores = np.empty((len(histories), self.generator.vocabulary.num_items), dtype=np.float32)
        for rows in self._batches(histories):
            batch = [histories[row] for row in rows]
            scores[rows] = score_items(self.generator, self._prompts(batch))
            weights = self._weights(batch, None if exclude is None else [exclude[row] for row in rows])
            if weights is not None:
                scores[rows] += weights.dense
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
            batch = [histories[row] for row in rows]
            weights = self._weights(batch, None if exclude is None else [exclude[row] for row in rows])
            decoded = beam_search(self.generator, self._prompts(batch), k, self.beams, weights)
            items[rows], scores[rows] = decoded.items, decoded.scores
        return Ranking(items, scores)

    def _fitted(self) -> list[Scorer]:
        """What is fitted: a retriever, and the parts of the evidence, whose weights beside each other do not count."""
        retriever = [] if self.candidates is None else [self.candidates.scorer]
        return retriever if self.evidence is None else [*retriever, *self.evidence.scorers]

    def _weights(
        self, histories: Sequence[NDArray[np.int32]], exclude: Sequence[NDArray[np.int32]] | None
    ) -> ItemWeights | None:
        """Exclusions, candidates and evidence as one: log-weights of the items."""
        num_items = self.generator.vocabulary.num_items
        parts = []
        if exclude is not None:
            parts.append(ItemWeights.from_seen(exclude, num_items))
        if self.candidates is not None:
            found = self.candidates.for_histories(histories, exclude)
            live = [row[row >= 0] for row in found]
            parts.append(ItemWeights.from_sparse(live, [np.zeros(len(row)) for row in live], num_items, rest=-np.inf))
        if self.evidence is not None and self.alpha:
            # Scaled before they are summed over branches: what counts there is what the weighted items promise.
            parts.append(ItemWeights.from_priors(np.float32(self.alpha) * self.evidence.score(histories)))
        if self.return_log_odds:
            parts.append(return_weights(histories, self.return_log_odds, num_items))
        return sum(parts[1:], parts[0]) if parts else None

    def _batches(self, histories: Sequence[NDArray[np.int32]]) -> Iterator[NDArray[np.int64]]:
        """Rows that are decoded together: of similar length, so that little of the work is padding."""
        order = np.argsort([len(history) for history in histories], kind="stable")
        for start in range(0, len(order), self.batch_size):
            yield order[start : start + self.batch_size]

    def _prompts(self, histories: Sequence[NDArray[np.int32]]) -> list[TokenSequence]:
        return [self.builder.build(history[-self.max_items :]) for history in histories]
