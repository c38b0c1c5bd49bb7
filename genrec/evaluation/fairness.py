"""How far apart groups of users lie, and whether chance alone would set them so far apart."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError
from genrec.evaluation.bootstrap import resampled_means

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.evaluation.slices import Groups

SMALLEST = 20
"""Questions below which a group's mean is too uncertain to be the best or the worst."""


@dataclass(frozen=True)
class Gap:
    """The best and the worst served group.

    Parameters
    ----------
    by, metric
        What the users are grouped by, and what is measured.
    best, worst
        The groups.
    difference
        Of their means.
    low, high
        Bootstrap interval of the difference of these two groups. It lies too high, because they were chosen for
        their distance; `p_value` allows for that.
    p_value
        Share of random assignments of the users to groups of these sizes whose gap is at least as large.
    left_out
        Groups of too few questions.
    """

    by: str
    metric: str
    best: str
    worst: str
    difference: float
    low: float
    high: float
    p_value: float
    left_out: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Give the fields, ready for JSON."""
        return asdict(self)


def fairness_gap(
    values: NDArray[np.float64],
    groups: Groups,
    metric: str,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    smallest: int = SMALLEST,
) -> Gap | None:
    """Find the groups that are served best and worst.

    Parameters
    ----------
    values
        float64 (M,), such as ``evaluation.per_user["ndcg@10"]``.
    groups
        Of the M questions.
    metric
        What the values are.
    rounds
        Resamples and random assignments, default 1000.
    level
        Confidence, default 0.95.
    seed
        Default 0.
    smallest
        Questions that a group must have, default 20.

    Returns
    -------
    Gap or None
        None where fewer than two groups are large enough.

    Raises
    ------
    ConfigError
        The groups are not of these questions.

    Examples
    --------
    >>> from genrec.evaluation.slices import Groups
    >>> groups = Groups("age", ("young", "old"), np.repeat([0, 1], 50))
    >>> gap = fairness_gap(np.repeat([0.3, 0.1], 50), groups, "ndcg@10")
    >>> gap.best, gap.worst, round(gap.difference, 2), gap.p_value < 0.01
    ('young', 'old', 0.2, True)
    """
    if len(groups.labels) != len(values):
        raise ConfigError(f"groups of {len(groups.labels)} questions for {len(values)} values")
    sizes = np.bincount(groups.labels[groups.labels >= 0], minlength=len(groups.names))
    large = np.flatnonzero(sizes >= smallest)
    if len(large) < 2:
        return None
    inside = np.isin(groups.labels, large)
    mine, labels = values[inside], groups.labels[inside]
    means = np.bincount(labels, weights=mine, minlength=len(groups.names))[large] / sizes[large]
    best, worst = large[means.argmax()], large[means.argmin()]
    drawn = [
        resampled_means(values[groups.labels == label, None], rounds, seed + side)
        for side, label in enumerate((best, worst))
    ]
    low, high = np.percentile(drawn[0] - drawn[1], (50 * (1 - level), 50 * (1 + level)))
    return Gap(
        by=groups.by,
        metric=metric,
        best=groups.names[best],
        worst=groups.names[worst],
        difference=float(means.max() - means.min()),
        low=float(low),
        high=float(high),
        p_value=_chance_of(float(means.max() - means.min()), mine, labels, rounds, seed),
        left_out=tuple(name for name, size in zip(groups.names, sizes, strict=True) if 0 < size < smallest),
    )


def _chance_of(gap: float, values: NDArray[np.float64], labels: NDArray[np.int64], rounds: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    order = np.argsort(labels, kind="stable")
    starts = np.flatnonzero(np.diff(labels[order], prepend=-1))
    sizes = np.diff(starts, append=len(labels))
    as_large = 0
    for _ in range(rounds):
        means = np.add.reduceat(rng.permutation(values), starts) / sizes
        as_large += means.max() - means.min() >= gap * (1 - 1e-12)
    return float(as_large + 1) / (rounds + 1)
