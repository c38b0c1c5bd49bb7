"""How likely users come back to an item of their history, learned from questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.split import EvalSet

LIMIT = 20.0


def fit_return_log_odds(logprobs: NDArray[np.float32], questions: EvalSet) -> float:
    r"""Fit the log-odds b by which items of the history are likelier than a model says, by maximum likelihood.

    The model becomes :math:`p'(i) \propto p(i) e^{b [i \in history]}`. With m the probability that p gives to the
    history, the likelihood is greatest where the expected number of returns, the sum of
    :math:`m e^b / (1 - m + m e^b)`, is the observed one. Half a return is added to those observed and half an answer
    that is none, so that b stays finite. Where nobody ever returns, b is strongly negative: what [1]_ learns with a
    network, whether a user repeats or explores, is here one number of the data set.

    Parameters
    ----------
    logprobs
        float32 (M, N), each row the log of a distribution.
    questions
        M of them.

    Returns
    -------
    float
        b, within -20 and 20; 0 if no question has a history.

    References
    ----------
    .. [1] Ren et al., "RepeatNet: a repeat aware neural recommendation machine for session-based recommendation",
       AAAI 2019.

    Examples
    --------
    >>> from genrec.data.split import EvalSet
    >>> always = [np.array([0])] * 50
    >>> questions = EvalSet(np.arange(50, dtype=np.int32), always, [np.array([0])] * 25 + [np.array([1])] * 25)
    >>> round(fit_return_log_odds(np.log(np.full((50, 4), 0.25, dtype=np.float32)), questions), 2)  # 1/4 to 1/2: log 3
    1.1
    """
    mass = np.array(
        [np.exp(row[np.unique(items)]).sum() for row, items in zip(logprobs, questions.histories, strict=True)]
    )
    returns = [np.isin(wanted, items) for wanted, items in zip(questions.targets, questions.histories, strict=True)]
    number = np.array([len(wanted) for wanted in returns])
    known = (mass > 0) & (mass < 1)
    if not known.any():
        return 0.0
    # Half a return and half of another answer beside those observed, at the odds that the model has on average.
    odds = np.log(mass[known]) - np.log1p(-mass[known])
    odds = np.append(odds, np.average(odds, weights=number[known]))
    weight = np.append(number[known], 1)
    observed = sum(int(wanted.sum()) for wanted, is_known in zip(returns, known, strict=True) if is_known) + 0.5

    def excess(log_odds: float) -> float:
        return float((weight * expit(odds + log_odds)).sum() - observed)

    if excess(-LIMIT) >= 0 or excess(LIMIT) <= 0:
        return -LIMIT if excess(-LIMIT) >= 0 else LIMIT
    return float(brentq(excess, -LIMIT, LIMIT, xtol=1e-6))


def add_return_odds(
    logprobs: NDArray[np.float32], histories: Sequence[NDArray[np.int32]], log_odds: float
) -> NDArray[np.float32]:
    """Make items of the history likelier by some log-odds, in place; rows stay distributions.

    Parameters
    ----------
    logprobs
        float32 (B, N).
    histories
        B arrays int32.
    log_odds
        0 changes nothing.

    Examples
    --------
    >>> add_return_odds(np.log(np.full((1, 2), 0.5, dtype=np.float32)), [np.array([0])], np.log(3.0)).round(3).tolist()
    [[-0.287..., -1.386...]]
    """
    if not log_odds:
        return logprobs
    for row, items in zip(logprobs, histories, strict=True):
        if len(items):
            seen = np.unique(items)
            mass = np.exp(row[seen]).sum()
            row[seen] += np.float32(log_odds)
            row -= np.float32(np.log1p(mass * np.expm1(log_odds)))
    return logprobs
