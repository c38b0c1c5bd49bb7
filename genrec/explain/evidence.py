"""Collaborative evidence: how often people who met an item of the history also met the recommended one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genrec.explain.reasons import PeopleReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.data.dataset import Dataset

MIN_BOTH = 3
"""Fewer people than this are no evidence."""
MOST = 3
"""Items of the history that are named for one recommended item."""


def evidence(
    dataset: Dataset, history: Sequence[str], items: Sequence[str], *, user: str | None = None
) -> list[tuple[PeopleReason, ...]]:
    """Count the people who met an item of the history and a recommended item.

    An item of the history is evidence if at least three people met both, and its people met the recommended item
    more often than all people did.

    Parameters
    ----------
    dataset
        Who met what.
    history
        Item ids; those that the data set does not know are no evidence.
    items
        Item ids of recommended items, M of them; none has evidence that the data set does not know.
    user
        The person who asks, who is not counted. Default: somebody whom the data set does not know.

    Returns
    -------
    list
        Up to three for each of the M items, first those that are the least likely to be chance: by the number of
        standard deviations between the people who met both and those expected.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> (found,) = evidence(toy_dataset(), ["i3"], ["i4"])
    >>> found[0].both, found[0].people, found[0].met, found[0].everyone
    (22, 24, 25, 60)
    """
    ids = dataset.catalog.ids
    known = [item for item in dict.fromkeys(history) if item in ids]
    counted = [item for item in dict.fromkeys(items) if item in ids]
    ours = dataset.users_of_items[:, ids.indices(known)]  # (U, H)
    theirs = dataset.users_of_items[:, ids.indices(counted)]  # (U, M')
    if user is not None and user in dataset.users:
        others = np.arange(dataset.num_users) != dataset.users.indices([user])[0]
        ours, theirs = ours[others], theirs[others]
    both = (ours.T @ theirs).toarray().astype(int)
    people, met = (np.asarray(part.sum(axis=0), dtype=int).ravel() for part in (ours, theirs))
    titles = [dataset.catalog.titles[row] for row in ids.indices(known)]
    rows = {item: column for column, item in enumerate(counted)}
    found = []
    for item in items:
        counts = (
            []
            if item not in rows
            else [
                PeopleReason(*named, int(both[row, rows[item]]), int(people[row]), int(met[rows[item]]), ours.shape[0])
                for row, named in enumerate(zip(known, titles, strict=True))
                if named[0] != item
            ]
        )
        found.append(_telling(counts))
    return found


def _telling(counts: Sequence[PeopleReason]) -> tuple[PeopleReason, ...]:
    enough = [count for count in counts if count.both >= MIN_BOTH and _surprise(count) > 0]
    return tuple(sorted(enough, key=_surprise, reverse=True)[:MOST])


def _surprise(count: PeopleReason) -> float:
    """Standard deviations by which ``both`` exceeds what chance would give."""
    share = count.met / count.everyone
    spread = np.sqrt(count.people * share * (1 - share))
    return float((count.both - count.people * share) / spread) if spread else 0.0
