"""What an update trains on and what it is judged by: histories of the data set and of events, put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.data.split import SPLITS, EvalSet
from genrec.recommend.model_items import ModelItems
from genrec.training.update.fresh import Fresh, choose_asked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.events.store import EventStore
    from genrec.training.update.config import UpdateConfig
    from genrec.training.update.learnt import Learnt


@dataclass(frozen=True, eq=False)
class History:
    """What one user met, oldest first.

    Parameters
    ----------
    items
        Items of the model, int32 (T,).
    timestamps
        int64 (T,).
    numbers
        int64 (T,): number of the event that an item comes from, 0 for the data set.
    """

    items: NDArray[np.int32]
    timestamps: NDArray[np.int64]
    numbers: NDArray[np.int64]

    def __getitem__(self, span: slice | NDArray[np.bool_]) -> History:
        """Some of it."""
        return History(self.items[span], self.timestamps[span], self.numbers[span])


@dataclass(frozen=True, eq=False)
class UpdateData:
    """Training histories, and questions that were held out of them.

    Parameters
    ----------
    train
        Histories with new events, as far as a model reads them, and replayed ones; items in the model's order.
    new, old
        Questions about what users with new events met last, and about others.
    held_out
        Numbers of the events that the new questions hold out.
    new_events, learnt_events, unknown_items, users, replayed, forgotten
        As in the report.
    """

    train: Dataset | None
    new: EvalSet
    old: EvalSet
    held_out: tuple[int, ...]
    new_events: int
    learnt_events: int
    unknown_items: int
    users: int
    replayed: int
    forgotten: int


def gather(
    dataset: Dataset,
    item_ids: list[str],
    events: EventStore,
    learnt: Learnt,
    last: int,
    split: str,
    max_items: int,
    config: UpdateConfig,
    *,
    baskets: bool = False,
) -> UpdateData:
    """Put together what an update works with.

    Parameters
    ----------
    dataset
        The data set of the model, or a later state of it.
    item_ids
        Items of the model, in the order of its codes.
    events
        The store.
    learnt
        What the model has learnt of it.
    last
        Number of the latest event that is looked at; those that arrive meanwhile are left to the next update.
    split
        What the model's first training held out of the data set: a key of ``SPLITS``, or none.
    max_items
        Longest history that the model reads.
    config
        How many histories are replayed, and questions asked.
    baskets
        The model was taught next baskets: asked is for all that a user met at the last moment. Default False: for the
        last item.
    """
    items = ModelItems(dataset.catalog, item_ids)
    left_out = events.forgotten_among(dataset.users.ids)
    told, unknown = _told(events, item_ids, last)
    rows = {user: row for row, user in enumerate(dataset.users.ids) if user not in left_out}
    known = {user: _merged(dataset, items, rows[user], one) if user in rows else one for user, one in told.items()}
    of_user = {user: Fresh.of(one, learnt, baskets=baskets) for user, one in known.items()}
    fresh = {user: one for user, one in of_user.items() if one.new.any()}
    rng = np.random.default_rng(config.seed)

    asked = choose_asked(fresh, config, rng)
    new = EvalSet(
        np.arange(len(asked), dtype=np.int32),
        [fresh[user].history.items[: fresh[user].begin] for user in asked],
        [fresh[user].targets for user in asked],
        whole_baskets=baskets,
    )
    held_out = sorted(number for user in asked for number in fresh[user].held_out)
    among_asked = set(asked)
    taught = [one.taught(max_items, asked=user in among_asked) for user, one in fresh.items()]

    old_train, old_questions = _old_split(dataset, split)
    others = np.array([user in rows and user not in told for user in dataset.users.ids], dtype=bool)
    stale = [one for user, one in known.items() if user not in fresh and len(one.items)]
    replayed = _replayed(old_train, items, others, stale, rng, round(config.replay * len(fresh)))
    return UpdateData(
        train=_as_dataset(dataset, items, [*taught, *replayed]),
        new=new,
        old=_sampled(old_questions, items, others, rng, config.questions),
        held_out=tuple(held_out),
        new_events=sum(int((one.new & ~one.asked_before).sum()) for one in fresh.values()),
        learnt_events=sum(int(one.new.sum()) for one in fresh.values()) - len(held_out),
        unknown_items=unknown,
        users=len(fresh),
        replayed=len(replayed),
        forgotten=len(left_out),
    )


def _told(events: EventStore, item_ids: list[str], last: int) -> tuple[dict[str, History], int]:
    """What events up to a number tell of each user, and how many are about items that the model does not know."""
    index_of = {item_id: index for index, item_id in enumerate(item_ids)}
    told, unknown = {}, 0
    for user, taste in events.tastes():
        index = np.array([index_of.get(item, -1) for item in taste.items], dtype=np.int32)
        times, numbers = (np.array(part, dtype=np.int64) for part in (taste.timestamps, taste.numbers))
        there = numbers <= last
        told[user] = History(index, times, numbers)[there & (index >= 0)]
        unknown += int((there & (index < 0)).sum())
    return told, unknown


def _merged(dataset: Dataset, items: ModelItems, row: int, told: History) -> History:
    """History of the data set and of events; what both have counts once, as the event."""
    span = slice(dataset.histories.indptr[row], dataset.histories.indptr[row + 1])
    index, times = items.of_rows(dataset.histories.items[span]), dataset.histories.timestamps[span]
    if dataset.time == "order":  # the numbers of rows, before any moment
        times = times - np.int64(len(dataset.interactions))
    both = set(zip(told.items.tolist(), told.timestamps.tolist(), strict=True))
    keep = np.array([item >= 0 and (item, at) not in both for item, at in zip(index, times, strict=True)], dtype=bool)
    joined = History(
        np.concatenate([index[keep], told.items]),
        np.concatenate([times[keep], told.timestamps]),
        np.concatenate([np.zeros(int(keep.sum()), dtype=np.int64), told.numbers]),
    )
    order = np.argsort(joined.timestamps, kind="stable")
    return History(joined.items[order], joined.timestamps[order], joined.numbers[order])


def _old_split(dataset: Dataset, split: str) -> tuple[Dataset, EvalSet]:
    """What a data set's split gives to train on, and its validation questions; the test part is never asked."""
    if split == "none":
        return dataset, EvalSet(np.empty(0, dtype=np.int32), [], [])
    parts = SPLITS[split](dataset)
    return parts.train, parts.validation


def _replayed(
    train: Dataset,
    items: ModelItems,
    others: NDArray[np.bool_],
    stale: list[History],
    rng: np.random.Generator,
    count: int,
) -> list[History]:
    """Some histories without new events: of the data set, and of events that were learnt before."""
    users = np.flatnonzero(others & (train.histories.lengths > 0))
    chosen = np.sort(rng.permutation(len(users) + len(stale))[:count])
    nothing = History(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))
    old = (
        _merged(train, items, int(users[at]), nothing) if at < len(users) else stale[at - len(users)] for at in chosen
    )
    return [history for history in old if len(history.items)]


def _sampled(
    questions: EvalSet, items: ModelItems, others: NDArray[np.bool_], rng: np.random.Generator, count: int
) -> EvalSet:
    rows = np.flatnonzero(others[questions.users]) if len(questions) else np.empty(0, dtype=np.int64)
    chosen = np.sort(rng.permutation(rows)[:count])
    histories = [items.of_rows(questions.histories[row]) for row in chosen]
    targets = [items.of_rows(questions.targets[row]) for row in chosen]
    kept = [at for at, target in enumerate(targets) if (target >= 0).any()]
    return EvalSet(
        questions.users[chosen[np.array(kept, dtype=np.int64)]],
        [histories[at][histories[at] >= 0] for at in kept],
        [targets[at][targets[at] >= 0] for at in kept],
    )


def _as_dataset(dataset: Dataset, items: ModelItems, histories: Sequence[History]) -> Dataset | None:
    """Histories as a data set with the model's items; users without names, which nothing asks for."""
    lengths = [len(history.items) for history in histories]
    if not sum(lengths):
        return None
    users = [str(number) for number in range(len(histories))]
    ids = items.catalog.ids.ids
    interactions = Interactions.from_columns(
        np.repeat(users, lengths).tolist(),
        [ids[item] for history in histories for item in history.items],
        None if dataset.time == "order" else np.concatenate([history.timestamps for history in histories]),
    )
    return Dataset(dataset.name, interactions, items.catalog, IdMap(users), time=dataset.time)
