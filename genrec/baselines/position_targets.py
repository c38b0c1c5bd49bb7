"""What each position of the histories is trained to predict: the next item, or one of the next basket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from genrec.baselines.age import age_weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.data.histories import Histories

TargetKind = Literal["auto", "next-item", "next-basket"]
FUTURE_HALF_LIFE = 0.1
"""Age, as a share of the time that the data span, at which an interaction is a target half as often as the newest, for
questions that come after all of them: what sells changes."""


class PositionTargets:
    """Draws a target for every position of the histories, anew each epoch.

    Position r stands before interaction r of all histories laid end to end (R): it has read what that user met before.
    A basket are the interactions of one user at one moment [1]_, and the order of their rows says nothing: a position
    learns any item of what comes, as in [2]_, rather than the row that happens to be next.

    Parameters
    ----------
    dataset
        R training interactions.
    next_basket
        A target is any item of the next basket: of the one that begins with interaction r, else of the one after the
        basket that is being read. Default False: interaction r itself.
    half_life
        Age at which an interaction is a target half as often, as a share of the time that the data span. Default None:
        age does not matter.

    Raises
    ------
    UnsupportedError
        ``next_basket`` or a half-life for a data set without timestamps.

    References
    ----------
    .. [1] Rendle, Freudenthaler, Schmidt-Thieme, "Factorizing personalized Markov chains for next-basket
       recommendation", WWW 2010.
    .. [2] Pancha, Zhai, Leskovec, Rosenberg, "PinnerFormer: sequence modeling for user representation at Pinterest",
       KDD 2022.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset(users=2, items=8, length=3)  # an item a day: every basket is a single item
    >>> rng = np.random.default_rng(0)
    >>> PositionTargets(dataset).draw(rng).tolist()
    [0, 1, 2, 3, 4, 5]
    >>> PositionTargets(dataset, next_basket=True).draw(rng).tolist()
    [0, 1, 2, 3, 4, 5]
    """

    def __init__(self, dataset: Dataset, *, next_basket: bool = False, half_life: float | None = None) -> None:
        self.next_basket = next_basket
        self._count = len(dataset.histories.items)
        self._chance = None if half_life is None else age_weights(dataset, half_life)
        self._baskets: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None
        if next_basket:
            age_weights(dataset, 1.0)  # says so if there are no timestamps
            self._baskets = _next_baskets(dataset.histories)

    def draw(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of interactions, int64 (R,); -1 where a position has no target."""
        target = np.arange(self._count)
        if self._baskets is not None:
            first, size = self._baskets
            target = np.where(size > 0, first + (rng.random(self._count) * size).astype(np.int64), -1)
        if self._chance is not None:
            target[rng.random(len(target)) >= self._chance[target]] = -1
        return target


def targets_for(
    dataset: Dataset, kind: TargetKind, half_life: float | None, *, whole_baskets: bool, in_future: bool
) -> PositionTargets:
    """Targets that suit what is going to be asked.

    Parameters
    ----------
    dataset
        Training interactions.
    kind
        ``"auto"``: next baskets where they are asked for.
    half_life
        As of :class:`PositionTargets`. None: a tenth of the time that the data span where the future is asked for.
    whole_baskets, in_future
        What is going to be asked, as of :class:`~genrec.data.split.EvalSet`.

    Returns
    -------
    PositionTargets
        Next items of any age, unless something else is asked for.

    Raises
    ------
    UnsupportedError
        As :class:`PositionTargets` does.

    Examples
    --------
    >>> from genrec.testing import toy_basket_dataset
    >>> targets_for(toy_basket_dataset(), "auto", None, whole_baskets=True, in_future=True).next_basket
    True
    """
    if half_life is None and in_future:
        half_life = FUTURE_HALF_LIFE
    next_basket = whole_baskets if kind == "auto" else kind == "next-basket"
    return PositionTargets(dataset, next_basket=next_basket, half_life=half_life)


def _next_baskets(histories: Histories) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First interaction and size of the basket that each position is to predict, int64 (R,); size 0: none."""
    count = len(histories.items)
    if not count:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    user = np.repeat(np.arange(len(histories)), histories.lengths)
    begins = np.append(True, (np.diff(histories.timestamps) != 0) | (np.diff(user) != 0))
    start = np.flatnonzero(begins)
    size = np.diff(np.append(start, count))
    basket = np.cumsum(begins) - 1
    # The one begun here, or the one after that of the item before, which is of the same user then.
    wanted = np.where(begins, basket, basket + 1)
    there = wanted < len(start)
    wanted = np.where(there, wanted, 0)
    there &= user[start[wanted]] == user
    return np.where(there, start[wanted], 0), np.where(there, size[wanted], 0)
