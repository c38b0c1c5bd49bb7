"""Which questions are asked where asking all takes too long: the same for every model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.data.cold import select_questions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.split import EvalSet


def sample_rows(total: int, most: int | None = None, seed: int = 0) -> NDArray[np.int64]:
    """Draw questions without replacement.

    A smaller sample is part of every larger one of the same seed, so that models asked different numbers of questions
    still have many in common.

    Parameters
    ----------
    total
        How many there are (M).
    most
        How many to draw; None, or more than there are, for all.
    seed
        Of the draw, default 0.

    Returns
    -------
    NDArray
        int64 (S,), ascending.

    Examples
    --------
    >>> set(sample_rows(100, 5)) <= set(sample_rows(100, 10)), sample_rows(3).tolist()
    (True, [0, 1, 2])
    """
    if most is None or most >= total:
        return np.arange(total)
    return np.sort(np.random.default_rng(seed).permutation(total)[:most])


def questions_at(eval_set: EvalSet, rows: NDArray[np.int64]) -> EvalSet:
    """Keep the questions of these rows, int64 (S,) ascending.

    Examples
    --------
    >>> from genrec.data.split import leave_last_out
    >>> from genrec.testing import toy_dataset
    >>> questions_at(leave_last_out(toy_dataset()).test, np.array([3, 7])).users.tolist()
    [3, 7]
    """
    mask = np.zeros(len(eval_set), dtype=np.bool_)
    mask[rows] = True
    return select_questions(eval_set, mask)
