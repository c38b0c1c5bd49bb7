"""The ceiling of what can be made of a retriever's candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from genrec.baselines.base import Ranking, Scorer
from genrec.retrieval.candidates import Candidates

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.split import EvalSet


class Oracle(Scorer):
    """Ranks a retriever's candidates by the answers themselves: no model, but what none can beat on those candidates.

    Its recall at any cut-off that holds all targets is the retriever's recall of n candidates.

    Parameters
    ----------
    retriever
        Gives the candidates.
    n
        Candidates a user. Default 200.
    name
        Name in reports. Default ``"oracle"``.

    Examples
    --------
    >>> from genrec.baselines import Popularity
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.evaluation.protocol import evaluate
    >>> from genrec.testing import toy_dataset
    >>> split = leave_last_out(toy_dataset())
    >>> oracle = Oracle(Popularity(), n=24).fit(split.train)
    >>> oracle.use_answers(split.test)
    >>> evaluate(oracle, split.test, ks=(1,)).metrics["recall@1"]
    1.0
    """

    def __init__(self, retriever: Scorer, n: int = 200, *, name: str = "oracle") -> None:
        self.candidates = Candidates(retriever, n)
        self.name = name
        self._answers: dict[int, NDArray[np.int32]] = {}
        self._asked: list[EvalSet] = []

    # Those of the retriever, so no class variables.
    @property
    def serves_cold_users(self) -> bool:  # type: ignore[override]
        """Whether the retriever does."""
        return self.candidates.scorer.serves_cold_users

    @property
    def serves_cold_items(self) -> bool:  # type: ignore[override]
        """Whether the retriever does."""
        return self.candidates.scorer.serves_cold_items

    def use_validation(self, validation: EvalSet) -> None:
        """Take the answers of the validation part, and let the retriever use it.

        Parameters
        ----------
        validation
            Of the same split as the training data.
        """
        self.candidates.scorer.use_validation(validation)
        self.use_answers(validation)

    def use_answers(self, questions: EvalSet) -> None:
        """Know the targets of some questions; any other history is ranked as the retriever does.

        Parameters
        ----------
        questions
            Known by their arrays themselves, since users with the same history have different targets.
        """
        self._asked.append(questions)  # alive, so that no other array takes the place of one of its
        self._answers |= {id(items): found for items, found in zip(questions.histories, questions.targets, strict=True)}

    def fit(self, dataset: Dataset) -> Self:
        """Fit the retriever.

        Parameters
        ----------
        dataset
            N items.

        Returns
        -------
        Self
            The same object.
        """
        self.candidates.scorer.fit(dataset)
        return self

    def score(self, histories: Sequence[NDArray[np.int32]]) -> NDArray[np.float32]:
        """Give the retriever's scores of its candidates, the answers among them first.

        Parameters
        ----------
        histories
            B arrays int32 (T,).

        Returns
        -------
        NDArray
            float32 (B, N), -inf for what is no candidate.
        """
        scores = self.candidates.scorer.score(histories)
        found = self.candidates.for_histories(histories)
        row, column = np.nonzero(found >= 0)
        marked = np.full_like(scores, -np.inf)
        marked[row, found[row, column]] = scores[row, found[row, column]]
        row, column = np.nonzero(self._is_answer(histories, found))
        marked[row, found[row, column]] = scores.max(axis=1, initial=0)[row] + 1
        return marked

    def recommend(
        self, histories: Sequence[NDArray[np.int32]], k: int, exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> Ranking:
        """Give the candidates, the answers among them first.

        Parameters
        ----------
        histories
            B arrays int32 (T,) of item indices, oldest first.
        k
            Items a user, at least 1.
        exclude
            B arrays of items that are no candidates.

        Returns
        -------
        Ranking
            (B, k), -1 where there are fewer candidates.
        """
        found = self.candidates.for_histories(histories, exclude)
        order = np.argsort(~self._is_answer(histories, found), axis=1, kind="stable")[:, :k]
        items = np.full((len(found), k), -1, dtype=np.int32)
        items[:, : order.shape[1]] = np.take_along_axis(found, order, axis=1)
        ranks = np.broadcast_to(-np.arange(k, dtype=np.float32), items.shape)
        return Ranking(items, np.where(items >= 0, ranks, -np.inf).astype(np.float32))

    def _is_answer(self, histories: Sequence[NDArray[np.int32]], items: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of the items (B, n) are targets of the question, bool (B, n)."""
        nothing = np.empty(0, dtype=np.int32)
        pairs = zip(items, histories, strict=True)
        rows = [np.isin(row, self._answers.get(id(history), nothing)) for row, history in pairs]
        return np.array(rows, dtype=np.bool_).reshape(items.shape)
