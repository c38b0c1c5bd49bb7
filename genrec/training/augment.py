"""Augmentation of histories: crop, mask, reorder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["augment", "crop", "mask", "reorder"]


def crop(length: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Keep a run of a history at a random place.

    Parameters
    ----------
    length
        Items of the history.
    share
        Share of them that is kept, rounded up.
    rng
        Chooses the place.

    Returns
    -------
    NDArray
        int64: positions that are kept, ascending.

    Examples
    --------
    >>> len(crop(10, share=0.6, rng=np.random.default_rng(0)))
    6
    """
    kept = max(1, int(np.ceil(share * length)))
    start = int(rng.integers(0, length - kept + 1))
    return np.arange(start, start + kept)


def mask(length: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Leave out items at random; a causal model has no mask token, so they are gone rather than blank.

    Parameters
    ----------
    length
        Items of the history.
    share
        Chance of each item to go. One stays at least.
    rng
        Chooses them.

    Returns
    -------
    NDArray
        int64: positions that are kept, ascending.
    """
    kept = np.flatnonzero(rng.random(length) >= share)
    return kept if len(kept) else rng.integers(0, length, size=1)


def reorder(length: int, share: float, rng: np.random.Generator) -> NDArray[np.int64]:
    """Shuffle a run of a history at a random place.

    Parameters
    ----------
    length
        Items of the history.
    share
        Share of them that is shuffled, rounded up.
    rng
        Chooses the place and the order.

    Returns
    -------
    NDArray
        int64 (length,): old position of what comes at each.
    """
    order = np.arange(length)
    run = crop(length, share, rng)
    order[run] = rng.permutation(run)
    return order


def augment(
    length: int, kinds: Sequence[str], chance: float, shares: dict[str, float], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Change a history in one way out of several, or leave it as it is (Xie et al. 2022, CL4SRec).

    Parameters
    ----------
    length
        Items of the history.
    kinds
        Of ``"crop"``, ``"mask"`` and ``"reorder"``; one of them is drawn.
    chance
        Chance that the history is changed at all.
    shares
        ``share`` of each kind.
    rng
        Draws.

    Returns
    -------
    NDArray
        int64: old positions, in their new order.
    """
    if not kinds or length < 2 or rng.random() >= chance:
        return np.arange(length)
    kind = kinds[int(rng.integers(len(kinds)))]
    return {"crop": crop, "mask": mask, "reorder": reorder}[kind](length, shares[kind], rng)
