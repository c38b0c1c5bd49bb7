"""Whether what a scorer recommends is a ranking at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HINT = "genrec.testing.ScorerContract, inherited in a test of yours, checks all that a scorer has to keep"


def check_answers(
    name: str,
    items: NDArray[np.int32],
    shape: tuple[int, int],
    *,
    num_items: int | None = None,
    exclude: Sequence[NDArray[np.int32]] | None = None,
) -> None:
    """Refuse answers of which metrics would be wrong, or break far from here.

    Parameters
    ----------
    name
        Of the scorer.
    items
        What ``recommend`` gave, int32 (B, k), -1 where there was nothing more to recommend.
    shape
        (B, k) as asked.
    num_items
        Items of the catalog (N), to tell one that is none of them. Default: that is not looked at.
    exclude
        B arrays int32 of items that were not to be recommended. Default none.

    Raises
    ------
    ModelError
        Another shape or type, an item that is not in the catalog, one twice for one user, or one that was excluded.

    Examples
    --------
    >>> check_answers("popularity", np.array([[2, 0, -1]]), (1, 3), num_items=3, exclude=[np.array([1])])
    >>> check_answers("popularity", np.array([[2, 2, 1]]), (1, 3))
    Traceback (most recent call last):
        ...
    genrec.errors.ModelError: popularity returned an item more than once for 1 users
    hint: recommend() must return distinct items, -1 padded
    """
    if items.shape != shape or not np.issubdtype(items.dtype, np.integer):
        raise ModelError(
            f"recommend of {name} must give items int32 {shape}, not {items.dtype} {items.shape}", hint=HINT
        )
    if items.min(initial=-1) < -1 or (num_items is not None and items.max(initial=-1) >= num_items):
        raise ModelError(f"recommend of {name} gave an item that is not in the catalog", hint=HINT)
    ordered = np.sort(items, axis=1)
    twice = ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(axis=1)
    if twice.any():
        msg = f"{name} returned an item more than once for {int(twice.sum())} users"
        raise ModelError(msg, hint="recommend() must return distinct items, -1 padded")
    users = (
        0
        if exclude is None
        else sum(bool(np.isin(row[row >= 0], out).any()) for row, out in zip(items, exclude, strict=True))
    )
    if users:
        raise ModelError(f"recommend of {name} gave {users} users items that were excluded", hint=HINT)
