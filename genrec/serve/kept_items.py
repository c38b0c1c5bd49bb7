"""Items that were sent to a running server, kept for the next one."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from genrec.columns import ITEM_ID
from genrec.serve.items import rows_of
from genrec.serve.problems import Problem
from genrec.serve.schemas.items import ItemIn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from genrec.data.catalog import Catalog
    from genrec.events import EventStore

logger = logging.getLogger(__name__)


class KeptItems:
    """New and changed items, on the disk beside the events.

    Parameters
    ----------
    store
        Where they are kept.
    """

    def __init__(self, store: EventStore) -> None:
        self._store = store

    def keep(self, items: Sequence[ItemIn]) -> None:
        """Write what was sent; what is null changes nothing and is left out.

        Raises
        ------
        StorageError
            The disk refuses.
        """
        sent = {item.item_id: item.model_dump(exclude_none=True, exclude={ITEM_ID}) for item in items}
        self._store.keep_items(sent)

    def tables(self, catalog: Catalog, since: float) -> list[pa.Table]:
        """What was sent since a moment, seconds UTC, as rows for a catalog: those of its items, then those of new ones.

        What does not fit a catalog that has other columns now is left out, with a warning.
        """
        known: list[ItemIn] = []
        new: list[ItemIn] = []
        for item in self._fitting(catalog, int(since)):
            (known if item.item_id in catalog.ids else new).append(item)
        return [rows_of(catalog, items).table for items in (known, new) if items]

    def _fitting(self, catalog: Catalog, since: int) -> Iterator[ItemIn]:
        for item_id, fields in self._store.items(since).items():
            item = ItemIn.model_validate({ITEM_ID: item_id, **fields})
            try:
                rows_of(catalog, [item])
            except Problem as problem:
                logger.warning("what was kept of item %r does not fit the data set: %s", item_id, problem.detail)
            else:
                yield item
