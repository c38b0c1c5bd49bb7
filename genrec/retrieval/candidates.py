"""The few items of the catalog that are worth a closer look."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError
from genrec.evaluation.metrics import recall

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.baselines.base import Scorer
    from genrec.data.split import EvalSet


@dataclass(frozen=True, eq=False)
class Candidates:
    """The n best items of a scorer, for another one to choose from.

    Parameters
    ----------
    scorer
        The retriever; a :class:`~genrec.recommend.fusion.Fusion` retrieves by several signs at once.
    n
        Candidates a user. Default 200.

    Raises
    ------
    ConfigError
        ``n`` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.baselines import EASE
    >>> from genrec.testing import toy_dataset
    >>> candidates = Candidates(EASE().fit(toy_dataset(users=24, items=8, length=3)), n=2)
    >>> history = np.array([3, 4], dtype=np.int32)
    >>> sorted(candidates.for_histories([history], exclude=[history])[0].tolist())
    [2, 5]
    """

    scorer: Scorer
    n: int = 200

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ConfigError(f"a retriever needs 1 candidate at least, not {self.n}")

    def for_histories(
        self, histories: Sequence[NDArray[np.int32]], exclude: Sequence[NDArray[np.int32]] | None = None
    ) -> NDArray[np.int32]:
        """Retrieve.

        Parameters
        ----------
        histories
            B arrays int32 (T,), oldest first.
        exclude
            B arrays of items that are no candidates, such as the seen ones.

        Returns
        -------
        NDArray
            int32 (B, n) item indices, best first, -1 where there are fewer.
        """
        return self.scorer.recommend(histories, self.n, exclude).items

    def recall(self, questions: EvalSet, *, filter_seen: bool = True, batch_size: int = 128) -> NDArray[np.float64]:
        """Share of each question's targets among its candidates: no model that chooses from them can find more.

        Parameters
        ----------
        questions
            M histories and targets.
        filter_seen
            Whether items of the history are no candidates. Default True.
        batch_size
            Histories asked at once. Default 128.

        Returns
        -------
        NDArray
            float64 (M,).
        """
        found = []
        for first in range(0, len(questions), batch_size):
            histories = questions.histories[first : first + batch_size]
            items = self.for_histories(histories, histories if filter_seen else None)
            found.append(recall(items, questions.targets[first : first + batch_size], self.n))
        return np.concatenate(found)
