"""A served model with a light one beside it that follows the events."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from genrec.recommend.online import OnlineModel
from genrec.recommend.recommender import Recommender

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.events import EventStore


class OnlineLoader:
    """Loads a model, each time it is asked to, with what an online model knows as evidence.

    Parameters
    ----------
    model, data, engine, quantization
        As of :meth:`Recommender.from_pretrained`.
    store
        The events.
    """

    def __init__(
        self,
        model: Path,
        store: EventStore,
        *,
        data: str | None = None,
        engine: str = "torch",
        quantization: str | None = None,
    ) -> None:
        self._store = store
        self._from_folder = partial(Recommender.from_pretrained, model, data, quantization=quantization, engine=engine)
        self._online: OnlineModel | None = None

    def __call__(self) -> Recommender:
        """Load the folder as it is now."""
        recommender = self._from_folder()
        if self._online is None:
            self._online = OnlineModel(self._store, recommender.dataset)
            self._online.start()
        self.equip(recommender)
        return recommender

    def equip(self, recommender: Recommender) -> None:
        """Give a recommender the evidence for its items, of which it may have more than when it was loaded."""
        if self._online is not None:
            recommender.online = self._online.evidence(recommender.model.item_ids)

    def stop(self) -> None:
        """Follow no more events."""
        if self._online is not None:
            self._online.stop()
