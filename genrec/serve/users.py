"""What is known of a user: the data set's history, and what events added to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrec.serve.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec.events import EventStore
    from genrec.recommend.recommender import Recommender


@dataclass(frozen=True)
class Known:
    """What is known of a user.

    Parameters
    ----------
    in_dataset
        Whether the data set has a history of theirs that may be used: not if they were forgotten.
    met
        Item ids that events added, oldest first.
    hidden
        Item ids that are not recommended to them.
    """

    in_dataset: bool
    met: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def anything(self) -> bool:
        """Whether there is anything to go by."""
        return self.in_dataset or bool(self.met)


def known(recommender: Recommender, store: EventStore, user_id: str) -> Known:
    """Look a user up in the data set and in the events, as they are now.

    Items that the catalog does not have are left out: events may come before an item does.
    """
    taste, items = store.taste(user_id), recommender.dataset.catalog.ids
    in_dataset = user_id in recommender.dataset.users and not store.forgotten_among([user_id])
    return Known(
        in_dataset,
        tuple(item for item in taste.items if item in items),
        tuple(item for item in taste.hidden if item in items),
    )


def dataset_history(recommender: Recommender, user_id: str) -> list[str]:
    """Item ids that a user of the data set met there, oldest first."""
    dataset = recommender.dataset
    rows = dataset.histories[int(dataset.users.indices([user_id])[0])]
    return [dataset.catalog.ids[int(row)] for row in rows]


def check_items(recommender: Recommender, item_ids: Sequence[str], field: str) -> None:
    """Refuse item ids that the catalog does not have.

    Raises
    ------
    Problem
        422, naming the first.
    """
    ids = recommender.dataset.catalog.ids
    for place, item_id in enumerate(item_ids):
        if item_id not in ids:
            hint = "GET /v1/items?query= finds items"
            raise Problem(422, "unknown-item", "no such item", field=f"{field}.{place}", value=item_id, hint=hint)
