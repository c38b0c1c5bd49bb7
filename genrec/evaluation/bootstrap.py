"""Confidence intervals over users, by resampling them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CELLS = 1 << 22
"""Draws made at once."""


@dataclass(frozen=True)
class Interval:
    """A mean over users and how far it may be off.

    Parameters
    ----------
    mean
        Of the users asked.
    low, high
        Ends of the confidence interval of the mean.
    level
        Confidence, such as 0.95.
    users
        How many values there are.

    Examples
    --------
    >>> print(Interval(0.0912, 0.08, 0.1024, level=0.95, users=500))
    0.0912 [0.0800, 0.1024]
    """

    mean: float
    low: float
    high: float
    level: float
    users: int

    def __str__(self) -> str:
        return f"{self.mean:.4f} [{self.low:.4f}, {self.high:.4f}]"

    def as_dict(self) -> dict[str, float]:
        """Give the fields, ready for JSON."""
        return asdict(self)


def bootstrap_intervals(
    per_user: Mapping[str, NDArray[np.float64]], resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> dict[str, Interval]:
    """Percentile bootstrap over users [1]_, the same resamples for all names.

    It tells how the mean would vary with other users of the same kind; not how it would with another training seed.
    Below some 50 users the interval is too short; the number of users stands in it.

    Parameters
    ----------
    per_user
        float64 (M,) each, such as ``Evaluation.per_user``. A NaN is a user who has no value.
    resamples
        Times that M users are drawn with replacement, default 1000.
    level
        Confidence, default 0.95.
    seed
        Default 0.

    Returns
    -------
    dict
        An :class:`Interval` a name; NaN in it where no user has a value.

    Raises
    ------
    ConfigError
        No users, arrays of different lengths, or a level not between 0 and 1.

    References
    ----------
    .. [1] Efron, Tibshirani, "An introduction to the bootstrap", 1993, chapter 13.

    Examples
    --------
    >>> intervals = bootstrap_intervals({"recall@10": np.repeat([0.0, 1.0], [90, 10])})
    >>> print(intervals["recall@10"])
    0.1000 [0.0400, 0.1600]
    """
    lengths = {len(values) for values in per_user.values()}
    if len(lengths) != 1 or lengths == {0} or not 0 < level < 1:
        raise ConfigError(f"cannot resample arrays of lengths {sorted(lengths)} at level {level}")
    values = np.stack(list(per_user.values()), axis=1)
    means = resampled_means(values, resamples, seed)
    tails = (50 * (1 - level), 50 * (1 + level))
    intervals = {}
    for name, column, drawn in zip(per_user, values.T, means.T, strict=True):
        known = column[~np.isnan(column)]
        mean, low, high = np.nan, np.nan, np.nan
        if len(known):
            mean, (low, high) = known.mean(), np.nanpercentile(drawn, tails)
        intervals[name] = Interval(float(mean), float(low), float(high), level, len(known))
    return intervals


def bootstrap_interval(
    values: NDArray[np.float64], resamples: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """The interval of one metric, or of the differences of two models; see :func:`bootstrap_intervals`.

    Parameters
    ----------
    values
        float64 (M,), NaN for none.
    resamples, level, seed
        As there.

    Examples
    --------
    >>> print(bootstrap_interval(np.array([0.5, 0.5, 0.5])))
    0.5000 [0.5000, 0.5000]
    """
    return bootstrap_intervals({"": values}, resamples, level, seed)[""]


def resampled_means(values: NDArray[np.float64], resamples: int, seed: int) -> NDArray[np.float64]:
    """Means of users drawn with replacement.

    Parameters
    ----------
    values
        float64 (M, n), NaN for none.
    resamples
        How often (R).
    seed
        Of the draws.

    Returns
    -------
    NDArray
        float64 (R, n); NaN where none of the users drawn has a value.
    """
    rng = np.random.default_rng(seed)
    users = len(values)
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    step = max(1, CELLS // users)
    parts = []
    for first in range(0, resamples, step):
        size = min(step, resamples - first)
        drawn = rng.integers(0, users, size=(size, users)) + np.arange(size)[:, None] * users
        # How often each user was drawn: one product then serves all columns.
        times = np.bincount(drawn.ravel(), minlength=size * users).reshape(size, users).astype(np.float64)
        counts = np.full((size, values.shape[1]), float(users)) if known.all() else times @ known
        parts.append(np.divide(times @ filled, counts, out=np.full_like(counts, np.nan), where=counts > 0))
    return np.concatenate(parts)
