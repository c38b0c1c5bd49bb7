"""Is a model better than the baseline, or was it the users who were asked? Paired tests, corrected for many."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from genrec.errors import ConfigError
from genrec.evaluation.bootstrap import Interval, bootstrap_intervals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

CELLS = 1 << 22
"""Signs drawn at once."""
POWER = 0.8
"""Chance of finding a difference that :attr:`Comparison.detectable` stands for."""
EQUAL, DIGITS = 1e-9, 9
"""Below which a difference of two values is rounding alone, and how many digits of one are not."""


@dataclass(frozen=True)
class Comparison:
    """One model against the baseline on the same questions.

    Parameters
    ----------
    model, baseline, metric
        Names.
    mean, baseline_mean
        Over the users.
    difference
        ``mean - baseline_mean`` with its bootstrap interval.
    effect
        Mean of the differences over their standard deviation (Cohen's d of pairs); 0 where there are none.
    rank_effect
        Rank-biserial correlation of the pairs, -1 to 1: the direction in which Wilcoxon's test points.
    better, worse
        Users with a higher and with a lower value than the baseline gives them; the others are equal, to 1e-9.
    p_randomisation, p_wilcoxon
        Of the two tests, two-sided, uncorrected.
    p_holm, p_wilcoxon_holm
        The same after Holm's correction over the models that were compared.
    detectable
        The least true difference that a test of this size finds in 4 of 5 repeats, uncorrected.
    compared
        Number of models that the correction is for.
    """

    model: str
    baseline: str
    metric: str
    mean: float
    baseline_mean: float
    difference: Interval
    effect: float
    rank_effect: float
    better: int
    worse: int
    p_randomisation: float
    p_wilcoxon: float
    p_holm: float
    p_wilcoxon_holm: float
    detectable: float
    compared: int

    def as_dict(self) -> dict[str, object]:
        """Give the fields, ready for JSON."""
        return asdict(self)


def compare(
    per_user: Mapping[str, NDArray[np.float64]],
    baseline: str,
    metric: str = "ndcg@10",
    rounds: int = 10_000,
    level: float = 0.95,
    seed: int = 0,
    resamples: int | None = None,
) -> list[Comparison]:
    """Test every other model against the baseline, which must have been chosen on validation.

    Parameters
    ----------
    per_user
        Values of one metric, float64 (M,), by model: ``{name: evaluation.per_user["ndcg@10"]}``, of the same
        questions in the same order. Where a model was trained with several seeds, its mean over them.
    baseline
        One of the models.
    metric
        What the values are, for words and tables. Default ``"ndcg@10"``.
    rounds
        Of the randomisation test. Default 10,000.
    level
        Confidence of the interval of the difference, default 0.95; it is not corrected for many.
    seed
        Default 0.
    resamples
        Of the bootstrap. Default None: as many as rounds.

    Returns
    -------
    list of Comparison
        One for each model but the baseline, in the order given.

    Raises
    ------
    ConfigError
        No such baseline, nothing to compare with it, values of different questions, or of fewer than 2 users.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> ease, sasrec = rng.random(200), rng.random(200)
    >>> [found] = compare({"ease": ease, "sasrec": sasrec + 0.2}, baseline="ease")
    >>> found.model, round(found.difference.mean, 2), found.p_holm < 0.001
    ('sasrec', 0.18, True)
    """
    others = [name for name in per_user if name != baseline]
    if baseline not in per_user or not others:
        raise ConfigError(f"cannot compare {list(per_user)} with the baseline {baseline!r}")
    if len({len(values) for values in per_user.values()}) != 1:
        raise ConfigError("models can be compared on the same questions only: numbers of users differ")
    reference = per_user[baseline]
    if len(reference) < 2:
        raise ConfigError(f"a comparison takes at least 2 users, not {len(reference)}")
    differences = {name: paired_differences(per_user[name], reference) for name in others}
    randomisation = [randomisation_test(difference, rounds, seed) for difference in differences.values()]
    wilcoxon = [wilcoxon_test(difference) for difference in differences.values()]
    intervals = bootstrap_intervals(differences, resamples or rounds, level, seed)
    corrected = zip(holm(randomisation), holm(wilcoxon), strict=True)
    return [
        Comparison(
            model=name,
            baseline=baseline,
            metric=metric,
            mean=float(per_user[name].mean()),
            baseline_mean=float(reference.mean()),
            difference=intervals[name],
            effect=_effect(difference),
            rank_effect=rank_biserial(difference),
            better=int((difference > 0).sum()),
            worse=int((difference < 0).sum()),
            p_randomisation=p_randomisation,
            p_wilcoxon=p_wilcoxon,
            p_holm=float(p_holm),
            p_wilcoxon_holm=float(p_wilcoxon_holm),
            detectable=detectable_difference(difference, 1 - level),
            compared=len(others),
        )
        for (name, difference), p_randomisation, p_wilcoxon, (p_holm, p_wilcoxon_holm) in zip(
            differences.items(), randomisation, wilcoxon, corrected, strict=True
        )
    ]


def paired_differences(values: NDArray[np.float64], reference: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much one model's values are higher than another's, without what rounding alone makes of equal ones.

    Means over seeds differ from the values they are of in their last digits. Unless these are dropped, users whom both
    models serve alike count as better or worse, and gains and losses of one size have different ranks.

    Parameters
    ----------
    values, reference
        float64 (M,) each, of the same questions in the same order.

    Returns
    -------
    NDArray
        float64 (M,), to 9 digits; 0 where the two are less than 1e-9 apart.

    Examples
    --------
    >>> paired_differences(np.array([0.1 + 0.2, 0.5]), np.array([0.3, 0.25])).tolist()
    [0.0, 0.25]
    """
    differences = values - reference
    return np.where(np.abs(differences) < EQUAL, 0.0, differences.round(DIGITS))


def randomisation_test(differences: NDArray[np.float64], rounds: int = 10_000, seed: int = 0) -> float:
    """Two-sided p-value of the paired randomisation (sign-flip) test of the mean [1]_.

    If the two models were the same, each difference could as well have the other sign. All signs are tried where
    that takes no more than ``rounds``; else random ones, and p is never below ``1 / (rounds + 1)``.

    Parameters
    ----------
    differences
        float64 (M,), of the two models' values for each user.
    rounds
        Default 10,000.
    seed
        Default 0.

    References
    ----------
    .. [1] Smucker, Allan, Carterette, "A comparison of statistical significance tests for information retrieval
       evaluation", CIKM 2007.

    Examples
    --------
    >>> randomisation_test(np.array([0.1, 0.2, 0.3, 0.4]))  # of 16 signs, all plus and all minus are as extreme
    0.125
    """
    moved = differences[differences != 0]  # a zero has no sign to flip
    if not len(moved):
        return 1.0
    observed = abs(moved.sum()) * (1 - 1e-12)  # sums in another order differ in the last digits
    if len(moved) < 63 and 1 << len(moved) <= rounds:
        bits = np.arange(1 << len(moved))[:, None] >> np.arange(len(moved)) & 1
        return float((np.abs((1 - 2 * bits) @ moved) >= observed).mean())
    rng = np.random.default_rng(seed)
    step = max(1, CELLS // len(moved))
    extreme = 0
    for first in range(0, rounds, step):
        size = min(step, rounds - first)
        packed = rng.integers(0, 256, size=(size, -(-len(moved) // 8)), dtype=np.uint8)
        flipped = np.unpackbits(packed, axis=1, count=len(moved)).astype(np.float64)
        extreme += int((np.abs(moved.sum() - 2 * (flipped @ moved)) >= observed).sum())
    return (extreme + 1) / (rounds + 1)


def wilcoxon_test(differences: NDArray[np.float64]) -> float:
    """Two-sided p-value of Wilcoxon's signed-rank test; 1 where there is no difference at all.

    It ranks the differences that are not zero, so it asks for whom a model is better rather than by how much.

    Parameters
    ----------
    differences
        float64 (M,).

    Examples
    --------
    >>> wilcoxon_test(np.array([0.1, 0.2, 0.3, 0.4]))
    0.125
    """
    if not differences.any():
        return 1.0
    return float(stats.wilcoxon(differences, zero_method="wilcox").pvalue)


def rank_biserial(differences: NDArray[np.float64]) -> float:
    r"""Effect size of Wilcoxon's test [1]_: :math:`(W_+ - W_-) / (W_+ + W_-)`, the sums of ranks by sign.

    Parameters
    ----------
    differences
        float64 (M,); zeros are left out.

    References
    ----------
    .. [1] Kerby, "The simple difference formula", Comprehensive Psychology 2014.

    Examples
    --------
    >>> rank_biserial(np.array([0.3, -0.1, 0.2, 0.0]))  # ranks 3 and 2 against 1
    0.6666666666666666
    """
    moved = differences[differences != 0]
    ranks = stats.rankdata(np.abs(moved))
    return float((ranks * np.sign(moved)).sum() / ranks.sum()) if len(moved) else 0.0


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Correct p-values for many tests, so that the chance of any false finding stays below the level [1]_.

    The smallest is multiplied by their number n, the next by n - 1, and so on; none falls below one before it.

    Parameters
    ----------
    p_values
        Of n tests.

    Returns
    -------
    NDArray
        float64 (n,), in the same order, at most 1.

    References
    ----------
    .. [1] Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)), 1.0)
    return corrected


def detectable_difference(differences: NDArray[np.float64], alpha: float = 0.05) -> float:
    r"""Least true mean difference that a two-sided test finds in 4 of 5 repeats.

    :math:`(z_{1 - \alpha / 2} + z_{0.8}) \, s / \sqrt{M}`, by the normal approximation.

    Parameters
    ----------
    differences
        float64 (M,), at least 2, whose standard deviation s is used.
    alpha
        Level of the test, default 0.05.

    Examples
    --------
    >>> round(detectable_difference(np.tile([-1.0, 1.0], 50)), 2)  # 2.80 standard errors of about .1
    0.28
    """
    standard_error = differences.std(ddof=1) / np.sqrt(len(differences))
    return float((stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(POWER)) * standard_error)


def _effect(differences: NDArray[np.float64]) -> float:
    spread = float(differences.std(ddof=1))
    return float(differences.mean()) / spread if spread > 0 else 0.0
