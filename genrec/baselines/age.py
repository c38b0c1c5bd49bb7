"""Weights of interactions by their age."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from genrec.errors import UnsupportedError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset

DAY = 24 * 60 * 60  # seconds
AgeUnit = Literal["span", "days"]


def age_weights(
    dataset: Dataset, half_life: float | None = None, window: float | None = None, unit: AgeUnit = "span"
) -> NDArray[np.float64]:
    """Weigh interactions by how long before the newest one they happened.

    Parameters
    ----------
    dataset
        n interactions, with timestamps.
    half_life
        Age at which an interaction weighs a half. Default None: old ones weigh as much as new ones.
    window
        Age above which an interaction weighs nothing. Default None: all count.
    unit
        Of both. ``"span"`` (default): 1 is the time between the oldest and the newest interaction, so that one value
        means the same on any data; ``"days"``.

    Returns
    -------
    NDArray
        float64 (n,), in the order of ``dataset.histories``.

    Raises
    ------
    UnsupportedError
        The data set has no timestamps.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset(users=1, items=5, length=5)  # an item a day
    >>> age_weights(dataset, half_life=1, window=2, unit="days").tolist()
    [0.0, 0.0, 0.25, 0.5, 1.0]
    >>> age_weights(dataset, half_life=0.25).tolist()
    [0.0625, 0.125, 0.25, 0.5, 1.0]
    """
    times = dataset.histories.timestamps
    if half_life is None and window is None:
        return np.ones(len(times))
    if dataset.time == "order":
        hint = "use all-time popularity, or import the data with their timestamps"
        raise UnsupportedError("the data set has no timestamps, so what is recent is not known", hint=hint)
    if not len(times):
        return np.ones(0)
    newest = times.max()
    scale = DAY if unit == "days" else max(int(newest - times.min()), 1)
    age = (newest - times) / scale
    weights = np.ones(len(times)) if half_life is None else 0.5 ** (age / half_life)
    if window is not None:
        weights[age > window] = 0
    return weights
