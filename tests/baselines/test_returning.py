"""How likely users come back to an item: fitted by maximum likelihood, added so that rows stay distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec.baselines.sequential import SASRec
from genrec.baselines.sequential.returning import LIMIT, add_return_odds, fit_return_log_odds
from genrec.data.split import EvalSet, leave_last_out
from genrec.evaluation import evaluate
from genrec.testing import toy_dataset


def random_logprobs(rng: np.random.Generator, rows: int, items: int) -> np.ndarray:
    logits = rng.normal(size=(rows, items))
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def questions(rng: np.random.Generator, rows: int, items: int, share: float) -> EvalSet:
    """Targets are an item of the history with some probability, which names some items twice."""
    histories = [rng.integers(0, items, 4).astype(np.int32) for _ in range(rows)]
    targets = [
        np.array([rng.choice(h) if rng.random() < share else rng.choice(np.setdiff1d(np.arange(items), h))])
        for h in histories
    ]
    return EvalSet(np.arange(rows, dtype=np.int32), histories, targets)


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.1, 0.5, 0.9]))
def test_the_fit_is_where_the_likelihood_is_greatest(seed, share):
    rng = np.random.default_rng(seed)
    asked, logprobs = questions(rng, 400, 12, share), random_logprobs(rng, 400, 12)
    best = fit_return_log_odds(logprobs, asked)

    def likelihood(log_odds: float) -> float:
        rows = add_return_odds(logprobs.copy(), asked.histories, log_odds)
        return float(sum(row[target] for row, (target,) in zip(rows, asked.targets, strict=True)))

    # Half a return is added to what is observed, which moves the best point a little.
    assert likelihood(best) >= max(likelihood(best - 0.2), likelihood(best + 0.2))


@given(st.integers(0, 2**32 - 1), st.floats(-LIMIT, LIMIT))
def test_rows_stay_distributions_and_only_odds_of_the_history_change(seed, log_odds):
    rng = np.random.default_rng(seed)
    before = random_logprobs(rng, 3, 8)
    histories = [np.array([1, 1, 5]), np.array([], dtype=int), np.array([7])]
    after = add_return_odds(before.copy(), histories, log_odds)
    np.testing.assert_allclose(np.exp(after.astype(np.float64)).sum(1), 1, atol=1e-4)
    moved = after - before
    for row, items in zip(moved, histories, strict=True):
        seen = np.isin(np.arange(8), items)
        if len(items):
            np.testing.assert_allclose(row[seen] - row[~seen][0], log_odds, atol=1e-3)
        np.testing.assert_allclose(row[~seen], row[~seen][0], atol=1e-4)


def test_nobody_returns_or_everybody_does():
    rng = np.random.default_rng(0)
    logprobs = random_logprobs(rng, 300, 12)
    never, always = (fit_return_log_odds(logprobs, questions(rng, 300, 12, share)) for share in (0.0, 1.0))
    assert -LIMIT < never < -4
    assert 4 < always < LIMIT


def test_without_histories_nothing_is_learned():
    asked = EvalSet(np.arange(2, dtype=np.int32), [np.empty(0, dtype=np.int32)] * 2, [np.array([1])] * 2)
    assert fit_return_log_odds(np.log(np.full((2, 4), 0.25, dtype=np.float32)), asked) == 0


@pytest.mark.parametrize("returning", [False, True])
def test_sasrec_learns_whether_users_return(returning):
    """Nobody of the toy set meets an item twice; then everybody ends with the item they began with."""
    split = leave_last_out(toy_dataset(users=120, items=24, length=8))
    validation = split.validation
    if returning:
        validation = EvalSet(validation.users, validation.histories, [h[:1] for h in validation.histories])
    scorer = SASRec(width=16, epochs=2, batch_positions=256)
    scorer.use_validation(validation)
    scorer.fit(split.train)
    kept, filtered = (
        evaluate(scorer, validation, (5,), filter_seen=seen).metrics["recall@5"] for seen in (False, True)
    )
    if returning:
        assert kept > filtered + 0.3
    else:
        assert kept == filtered  # an item of the history is never among the first five
