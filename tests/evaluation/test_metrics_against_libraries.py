"""1,000 random rankings with ties: every metric equal to that of a reference library to 1e-9."""

import ir_measures
import numpy as np
import pytest
from ir_measures import AP, RR, P, R, Success, nDCG
from scipy import stats
from sklearn import metrics as sk

from genrec.baselines.ranking import top_k
from genrec.evaluation.auc import auc
from genrec.evaluation.metrics import average_precision, f1, hit_rate, mrr, ndcg, precision, recall

USERS, ITEMS, KS = 1000, 40, (5, 10, 20)
EXACT = {"rtol": 0, "atol": 1e-9}


@pytest.fixture(scope="module")
def scores():
    """Whole numbers from 0 to 7 for 40 items: every row has ties, at every cut-off."""
    return np.random.default_rng(0).integers(0, 8, size=(USERS, ITEMS)).astype(np.float32)


@pytest.fixture(scope="module")
def targets():
    rng = np.random.default_rng(1)
    return [rng.choice(ITEMS, size=rng.integers(1, 13), replace=False).astype(np.int32) for _ in range(USERS)]


@pytest.fixture(scope="module")
def ranked(scores):
    return top_k(scores, max(KS)).items


@pytest.fixture(scope="module")
def relevant(targets):
    found = np.zeros((USERS, ITEMS), dtype=int)
    for row, items in zip(found, targets, strict=True):
        row[items] = 1
    return found


@pytest.fixture(scope="module")
def of_trec_eval(scores, targets):
    """Values by measure and user, from the tied scores themselves.

    trec_eval puts documents of equal scores in descending order of their names, so the item of the lowest
    index gets the highest name.
    """
    names = [f"{ITEMS - item:03d}" for item in range(ITEMS)]
    run = [
        ir_measures.ScoredDoc(str(user), names[item], float(scores[user, item]))
        for user in range(USERS)
        for item in range(ITEMS)
    ]
    qrels = [ir_measures.Qrel(str(user), names[item], 1) for user in range(USERS) for item in targets[user]]
    measures = [RR, *(kind @ k for kind in (R, P, Success, nDCG, AP) for k in KS)]
    found = {str(measure): np.full(USERS, np.nan) for measure in measures}
    for value in ir_measures.iter_calc(measures, qrels, run):
        found[str(value.measure)][int(value.query_id)] = value.value
    # trec_eval has no cut-off for the reciprocal rank; the other tools of ir-measures break ties the other way around.
    return found | {f"RR@{k}": np.where(found["RR"] >= 1 / k, found["RR"], 0.0) for k in KS}


@pytest.mark.parametrize("k", KS)
@pytest.mark.parametrize(
    ("name", "metric"),
    [("R", recall), ("P", precision), ("Success", hit_rate), ("nDCG", ndcg), ("RR", mrr), ("AP", average_precision)],
)
def test_equal_to_trec_eval(ranked, targets, of_trec_eval, name, metric, k):
    np.testing.assert_allclose(metric(ranked, targets, k), of_trec_eval[f"{name}@{k}"], **EXACT)


@pytest.mark.parametrize("k", KS)
@pytest.mark.parametrize(
    ("metric", "reference"), [(precision, sk.precision_score), (recall, sk.recall_score), (f1, sk.f1_score)]
)
def test_equal_to_scikit_learn(ranked, targets, relevant, metric, reference, k):
    chosen = np.zeros((USERS, ITEMS), dtype=int)
    np.put_along_axis(chosen, ranked[:, :k].astype(int), 1, axis=1)
    wanted = reference(relevant.T, chosen.T, average=None)  # a user is a label, an item a sample
    np.testing.assert_allclose(metric(ranked, targets, k), wanted, **EXACT)


@pytest.mark.parametrize("k", KS)
def test_ndcg_equal_to_scikit_learn(scores, ranked, targets, relevant, k):
    # scikit-learn shares the gain of a tie out among its items, so it gets scores in which the rule has decided.
    decided = -stats.rankdata(-scores.astype(int) * ITEMS + np.arange(ITEMS), axis=1)
    users = range(0, USERS, 5)
    wanted = [sk.ndcg_score(relevant[[user]], decided[[user]], k=k) for user in users]
    np.testing.assert_allclose(ndcg(ranked, targets, k)[::5], wanted, **EXACT)


def test_auc_equal_to_scikit_learn(scores, targets, relevant):
    wanted = sk.roc_auc_score(relevant.T, scores.T, average=None)
    np.testing.assert_allclose(auc(scores, targets), wanted, **EXACT)


def test_auc_of_what_is_eligible_equal_to_scikit_learn(scores, targets, relevant):
    rng, users = np.random.default_rng(2), 200
    seen = [np.setdiff1d(rng.integers(0, ITEMS, size=8), items).astype(np.int32) for items in targets[:users]]
    wanted = []
    for user in range(users):
        eligible = np.setdiff1d(np.arange(ITEMS), seen[user])
        wanted.append(sk.roc_auc_score(relevant[user, eligible], scores[user, eligible]))
    np.testing.assert_allclose(auc(scores[:users], targets[:users], seen), wanted, **EXACT)
