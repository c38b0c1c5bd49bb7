"""A light model beside the generator that is seconds old, not days: which items are met more now, and by whom."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveFloat, PositiveInt
from scipy import sparse

from genrec.baselines.matrices import history_matrix, training_matrix
from genrec.baselines.similarity import SimilarityIndex, strongest
from genrec.decoding.weights import ItemWeights
from genrec.errors import GenrecError
from genrec.recommend.fusion import on_one_scale

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from genrec.data.dataset import Dataset
    from genrec.events.event import StoredEvent
    from genrec.events.store import EventStore
    from genrec.recommend.evidence import Evidence

logger = logging.getLogger(__name__)


class OnlineSettings(BaseModel):
    """How an online model weighs what it sees.

    Examples
    --------
    >>> OnlineSettings(every_s=1.0).neighbours
    100
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    every_s: PositiveFloat = 2.0
    """Seconds between two looks at the store."""
    half_life_s: PositiveFloat = 3 * 86_400.0
    """An event counts half after so many seconds."""
    prudence: PositiveFloat = 500.0
    """Events, spread as the data set's are, that new ones are added to: few events change little."""
    trend: NonNegativeFloat = 0.5
    """Strength of the priors: share of the log-ratio by which an item is met more now than in the data set."""
    most: PositiveFloat = 3.0
    """Largest prior either way."""
    votes: NonNegativeFloat = 0.2
    """Strength of the neighbours: log-weight of a standard deviation of their votes."""
    neighbours: PositiveInt = 100
    """Users most like a history, who vote for what they met."""
    recent: PositiveInt = 50
    """Items kept of each user of the store, the latest."""
    users: PositiveInt = 20_000
    """Users of the store who are kept, those seen last."""


@dataclass(frozen=True, eq=False)
class _Snapshot:
    """What an online model knows at one moment, over its C columns, one an item id.

    Parameters
    ----------
    priors
        float32 (C,).
    met
        float32 (users, C), 1 where a user met an item.
    index
        Compares histories with them.
    """

    priors: NDArray[np.float32]
    met: sparse.csr_matrix
    index: SimilarityIndex


class OnlineModel:
    """Keeps item priors and neighbours current from an event store.

    What it knows goes into the search as item log-weights, so it costs no training and bends the ranking no more than
    its settings allow. Noise is not counted, and forgotten users have no vote.

    Parameters
    ----------
    store
        The events.
    dataset
        What the generator was trained on: what counts as normal, and further neighbours.
    settings
        Strengths and limits.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from genrec.events import Event, EventStore
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset()
    >>> events = [Event(f"e{n}", f"u{n}", "i3", "interaction", timestamp=n) for n in range(100)]
    >>> with tempfile.TemporaryDirectory() as folder, EventStore.open(Path(folder) / "events.db") as store:
    ...     online = OnlineModel(store, dataset)
    ...     evidence = online.evidence(dataset.catalog.ids.ids)
    ...     _ = store.append(events)
    ...     read = online.refresh()
    >>> read, int(evidence.weights(np.array([0], dtype=np.int32)).dense.argmax())
    (100, 3)
    """

    def __init__(self, store: EventStore, dataset: Dataset, settings: OnlineSettings | None = None) -> None:
        self.settings = settings or OnlineSettings()
        self._store = store
        self._dataset = dataset
        self._columns = {item_id: column for column, item_id in enumerate(dataset.catalog.ids.ids)}
        self._normal = dataset.histories.item_counts(dataset.num_items).astype(np.float64)
        self._counts = np.zeros(dataset.num_items)  # events of each item, old ones counting less, as of a moment
        self._as_of = 0
        self._recent: dict[str, list[int]] = {}  # of users of the store, those seen last at the end
        self._read = 0
        self._forgettings = store.forgettings
        self._trained = self._rows_of_dataset()
        self._working = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.snapshot = self._new_snapshot()
        self.refresh()

    def evidence(self, item_ids: Sequence[str]) -> Evidence:
        """Weights for a model with these items, in its order; they follow every refresh."""
        with self._working:
            for item_id in item_ids:
                self._columns.setdefault(item_id, len(self._columns))
            more = (0, len(self._columns) - len(self._counts))
            self._normal, self._counts = np.pad(self._normal, more), np.pad(self._counts, more)
            self.snapshot = self._new_snapshot()
            return _OnlineEvidence(self, np.array([self._columns[item_id] for item_id in item_ids], dtype=np.int64))

    def refresh(self) -> int:
        """Take in the events that came since the last time, and leave out who was forgotten.

        Returns
        -------
        int
            How many events there were.
        """
        with self._working:
            events = list(self._store.read(after=self._read))
            forgettings = self._store.forgettings
            if not events and forgettings == self._forgettings:
                return 0
            if events:
                self._take(events)
            if forgettings != self._forgettings:
                for user in self._store.forgotten_among(self._recent):
                    self._read_again(user)
                self._trained = self._rows_of_dataset()
                self._forgettings = forgettings  # last: what fails is done again
            self.snapshot = self._new_snapshot()
            return len(events)

    def start(self) -> None:
        """Refresh every few seconds, on a thread of its own, until :meth:`stop`."""
        self._thread = threading.Thread(target=self._keep_current, name="genrec-online", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End what :meth:`start` began."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def _keep_current(self) -> None:
        while not self._stopping.wait(self.settings.every_s):
            try:
                self.refresh()
            except GenrecError:
                logger.exception("the online model could not be refreshed; it is tried again")

    def _take(self, events: list[StoredEvent]) -> None:
        self._read = events[-1].number
        # The server's clock: a client that is wrong about the time must not outweigh all others.
        now = max(self._as_of, *(one.received for one in events))
        self._counts *= 2.0 ** ((self._as_of - now) / self.settings.half_life_s)
        self._as_of = now
        for one in events:
            column = self._columns.get(one.event.item_id)
            if column is None or one.noise or one.event.kind == "impression":
                continue
            user, value = one.event.user_id, one.event.value
            items = [item for item in self._recent.pop(user, []) if item != column]
            if one.event.kind == "interaction" or value == "like":
                self._counts[column] += 2.0 ** ((one.received - now) / self.settings.half_life_s)
                items.append(column)
            self._recent[user] = items[-self.settings.recent :]
        for user in list(self._recent)[: -self.settings.users]:
            del self._recent[user]

    def _read_again(self, user: str) -> None:
        """Keep of a user who was forgotten what they did since, if anything."""
        columns = [self._columns.get(item_id) for item_id in self._store.history(user)]
        latest_first = dict.fromkeys(column for column in reversed(columns) if column is not None)
        if latest_first:
            self._recent[user] = list(latest_first)[: self.settings.recent][::-1]
        else:
            del self._recent[user]

    def _rows_of_dataset(self) -> sparse.csr_matrix:
        forgotten = self._store.forgotten_among(self._dataset.users.ids)
        keep = np.array([user not in forgotten for user in self._dataset.users.ids], dtype=bool)
        return training_matrix(self._dataset.histories, self._dataset.num_items)[keep]

    def _new_snapshot(self) -> _Snapshot:
        settings, num_columns = self.settings, len(self._columns)
        rows = [np.array(items, dtype=np.int32) for items in self._recent.values()]
        trained = self._trained.copy()
        trained.resize(trained.shape[0], num_columns)
        met = sparse.vstack([trained, history_matrix(rows, num_columns)], format="csr")
        normal = (self._normal + 0.5) / (self._normal + 0.5).sum()
        now = (self._counts + settings.prudence * normal) / (self._counts.sum() + settings.prudence)
        priors = np.clip(settings.trend * np.log(now / normal), -settings.most, settings.most)
        return _Snapshot(priors.astype(np.float32), met, SimilarityIndex(met))


class _OnlineEvidence:
    """What an online model knows, for the items of a model, which are some of its columns."""

    def __init__(self, online: OnlineModel, columns: NDArray[np.int64]) -> None:
        self._online = online
        self._columns = columns

    def for_items(self, item_ids: Sequence[str]) -> Evidence:
        """The same for a model of other items."""
        return self._online.evidence(item_ids)

    def weights(self, history: NDArray[np.int32]) -> ItemWeights:
        """Log-weights (1, N)."""
        snapshot, settings = self._online.snapshot, self._online.settings
        asked = history_matrix([self._columns[history].astype(np.int32)], snapshot.met.shape[1])
        votes = (strongest(snapshot.index.compare(asked), settings.neighbours) @ snapshot.met).toarray()
        scaled = np.minimum(on_one_scale(votes[:, self._columns], "z-score"), settings.most / max(settings.votes, 1e-9))
        return ItemWeights.from_priors(snapshot.priors[self._columns] + np.float32(settings.votes) * scaled[0])

    def weights_of(self, histories: Sequence[NDArray[np.int32]]) -> list[ItemWeights]:
        """The same for several histories."""
        return [self.weights(history) for history in histories]
