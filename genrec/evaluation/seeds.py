"""One model trained several times: what of a difference is luck of the training."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


@dataclass(frozen=True)
class SeedSpread:
    """A metric over training seeds.

    Parameters
    ----------
    mean, low, high
        Mean, smallest and largest of the seeds' values.
    deviation
        Standard deviation over the seeds (n - 1); None for one seed, which says nothing of it.
    seeds
        How many.

    Examples
    --------
    >>> print(seed_spread([0.1, 0.12, 0.11]))
    0.1100 ± 0.0100 over 3 seeds
    >>> print(seed_spread([0.1]))
    0.1000, one seed
    """

    mean: float
    low: float
    high: float
    deviation: float | None
    seeds: int

    def __str__(self) -> str:
        if self.deviation is None:
            return f"{self.mean:.4f}, one seed"
        return f"{self.mean:.4f} ± {self.deviation:.4f} over {self.seeds} seeds"

    def as_dict(self) -> dict[str, float | None]:
        """Give the fields, ready for JSON."""
        return asdict(self)


def seed_spread(values: Sequence[float]) -> SeedSpread:
    """Summarise the values of one metric, one a seed.

    Parameters
    ----------
    values
        At least one.

    Raises
    ------
    ConfigError
        No value.

    Examples
    --------
    >>> seed_spread([0.0, 1.0]).deviation.__round__(3)
    0.707
    """
    if not values:
        raise ConfigError("no seeds to summarise")
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return SeedSpread(float(np.mean(values)), float(min(values)), float(max(values)), deviation, len(values))


def mean_over_seeds(values: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Average the per-user values of several seeds, user by user, to test the model rather than one training of it.

    Means of several are rounded to 12 digits, so that those of the same values in another order are equal.

    Parameters
    ----------
    values
        One float64 (M,) a seed, of the same questions.

    Returns
    -------
    NDArray
        float64 (M,).

    Examples
    --------
    >>> mean_over_seeds([np.array([0.0, 1.0]), np.array([1.0, 1.0])]).tolist()
    [0.5, 1.0]
    """
    if len(values) == 1:
        return values[0]
    return np.asarray(np.mean(np.stack(list(values)), axis=0), dtype=np.float64).round(12)
