"""The answer in words, which says no more than the numbers do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from genrec.evaluation.significance import Comparison

Outcome = Literal["better", "worse", "no difference shown"]


def outcome(comparison: Comparison, alpha: float = 0.05) -> Outcome:
    """Judge one comparison: a difference is one if the corrected test and the interval both say so.

    Parameters
    ----------
    comparison
        Against the baseline.
    alpha
        Level of the test, default 0.05.

    Returns
    -------
    str
        ``"better"``, ``"worse"``, or ``"no difference shown"``, which is not the same as equal.
    """
    interval = comparison.difference
    if comparison.p_holm < alpha and interval.low > 0:
        return "better"
    if comparison.p_holm < alpha and interval.high < 0:
        return "worse"
    return "no difference shown"


def verdict(
    comparisons: Sequence[Comparison],
    seeds: Mapping[str, int] | None = None,
    alpha: float = 0.05,
    where: str = "",
) -> str:
    """Write a paragraph: which models are better or worse than the baseline, by how much, how sure that is.

    Parameters
    ----------
    comparisons
        Of :func:`~genrec.evaluation.significance.compare`: one metric, one baseline.
    seeds
        Trainings of each model whose training is random; default None: of none of them. Of a model with one, the
        paragraph says that luck of the training is not in the interval.
    alpha
        Level of the tests, default 0.05.
    where
        What was measured on what, to open the paragraph with: ``"On the test part of ml-100k, seen items filtered"``.

    Returns
    -------
    str
        One paragraph without markup.

    Raises
    ------
    ConfigError
        No comparisons, or of several metrics or baselines.

    Examples
    --------
    >>> import numpy as np
    >>> from genrec.evaluation.significance import compare
    >>> values = np.random.default_rng(0).random(400)
    >>> print(verdict(compare({"ease": values, "sasrec": np.minimum(values + 0.1, 1)}, "ease")))
    Over 400 users, ndcg@10 of the baseline ease is 0.5307. sasrec is significantly better: 0.6242, a difference of
    +0.0936 (95% interval +0.0915 to +0.0954, +17.6%, effect size 4.71), p < 0.0001.
    """
    if not comparisons or len({(c.metric, c.baseline, c.difference.users) for c in comparisons}) != 1:
        raise ConfigError("a verdict is of one metric against one baseline, on the same users")
    first = comparisons[0]
    opening = f"{where}, over" if where else "Over"
    parts = [
        f"{opening} {first.difference.users} users, {first.metric} of the baseline {first.baseline} is "
        f"{first.baseline_mean:.4f}."
    ]
    parts += [_sentence(comparison, alpha) for comparison in comparisons]
    if len(comparisons) > 1:
        parts.append(
            f"Values of p are of the paired randomisation test, corrected for {first.compared} comparisons (Holm)."
        )
    parts += _cautions(comparisons, seeds or {})
    return " ".join(parts)


def _sentence(comparison: Comparison, alpha: float) -> str:
    interval, found = comparison.difference, outcome(comparison, alpha)
    numbers = (
        f"{comparison.mean:.4f}, a difference of {interval.mean:+.4f} ({interval.level:.0%} interval "
        f"{interval.low:+.4f} to {interval.high:+.4f}{_relative(comparison)}, effect size {comparison.effect:.2f}), "
        f"{_p(comparison.p_holm)}"
    )
    if found == "no difference shown":
        return (
            f"For {comparison.model} no difference is shown: {numbers}; with these users a true difference of "
            f"{comparison.detectable:.4f} is found in 4 of 5 such comparisons, a smaller one less often."
        )
    return f"{comparison.model} is significantly {found}: {numbers}{_doubt(comparison, found, alpha)}."


def _doubt(comparison: Comparison, found: Outcome, alpha: float) -> str:
    """What Wilcoxon's test says, where it says something else."""
    agrees = (comparison.rank_effect > 0) == (found == "better")
    if agrees and comparison.p_wilcoxon_holm < alpha:
        return ""
    says = "points the other way" if not agrees else "does not confirm it"
    return (
        f"; Wilcoxon's test, which weighs ranks of differences and not their size, {says} "
        f"({_p(comparison.p_wilcoxon_holm)}; {comparison.better} users are better off, {comparison.worse} worse)"
    )


def _cautions(comparisons: Sequence[Comparison], seeds: Mapping[str, int]) -> list[str]:
    names = [comparisons[0].baseline, *(comparison.model for comparison in comparisons)]
    once = [name for name in names if seeds.get(name) == 1]
    if not once:
        return []
    verb = "was" if len(once) == 1 else "were"
    return [f"{', '.join(once)} {verb} trained with one seed: how much another would change is not in the intervals."]


def _relative(comparison: Comparison) -> str:
    if comparison.baseline_mean <= 0:
        return ""
    return f", {comparison.difference.mean / comparison.baseline_mean:+.1%}"


def _p(value: float) -> str:
    return "p < 0.0001" if value < 0.0001 else f"p = {value:.4f}"
