"""What scorers weigh beside a generator, chosen by validation questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.baselines.sequential.returning import fit_return_log_odds
from genrec.evaluation.sample import questions_at, sample_rows
from genrec.progress import in_batches
from genrec.recommend.fusion import RETURN_USERS, on_one_scale
from genrec.recommend.fusion_weights import Pool, choose_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.baselines.base import Scorer
    from genrec.data.split import EvalSet
    from genrec.recommend.fusion import Fusion

BATCH = 64


def choose_guides(
    generator: Scorer,
    guides: Fusion,
    validation: EvalSet,
    users: int,
    *,
    depth: int = 100,
) -> tuple[NDArray[np.float64], float]:
    """Choose weights for the best NDCG@10 of the generator's log-probabilities plus what guides say, seen items out.

    All of them at once, so that a guide counts for what it adds to the generator, and not for what it knows itself.

    Parameters
    ----------
    generator
        Gives log-probabilities of all items.
    guides
        G fitted scorers, whose weights do not count.
    validation
        Questions that none of them was trained on.
    users
        Questions asked at most, a fixed sample.
    depth
        Best items of each that are compared. Default 100.

    Returns
    -------
    NDArray
        float64 (G,).
    float
        Log-odds of the items of a history, fitted on some of the questions: see
        :func:`~genrec.baselines.sequential.returning.fit_return_log_odds`.
    """
    numbers = range(len(guides.scorers))
    rows = sample_rows(len(validation), users)
    asked = questions_at(validation, rows)
    few = np.isin(rows, sample_rows(len(validation), min(users, RETURN_USERS)))
    pools, of_few = [], []
    for some in in_batches("weigh what guides", len(asked), BATCH):
        histories = asked.histories[some]
        parts = [generator.score(histories), *(guides.part(number, histories) for number in numbers)]
        of_few.append(parts[0][few[some]])  # a language model takes seconds for each
        pools.append(Pool.of(parts, asked.targets[some], depth, exclude=asked.seen[some]))
    weights = choose_weights(Pool.concatenated(pools), anchor=0)[1:]
    some_of, scores = questions_at(asked, np.flatnonzero(few)), np.concatenate(of_few)
    for number, weight in enumerate(weights):
        scores += np.float32(weight) * guides.part(number, some_of.histories)
    return weights, fit_return_log_odds(on_one_scale(scores, "log-probability"), some_of)
