"""The items that a model knows, among those of a data set."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from genrec.data.catalog import Catalog
from genrec.errors import ModelError, UnknownIdError
from genrec.prompt.title_words import TitleWords

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

logger = logging.getLogger(__name__)


class ModelItems:
    """Finds a model's items by the rows and ids of a data set, which may have more.

    Parameters
    ----------
    whole
        Catalog of the data set.
    item_ids
        Id of each of the N items of the model, in the order of its codes.

    Raises
    ------
    ModelError
        The catalog lacks one of them.

    Examples
    --------
    >>> import pyarrow as pa
    >>> items = ModelItems(Catalog(pa.table({"item_id": ["a", "b", "c"], "title": ["A", "B", "C"]})), ["c", "a"])
    >>> items.of_ids(["a", "b", "c"]).tolist(), items.catalog.titles
    ([1, -1, 0], ['C', 'A'])
    """

    def __init__(self, whole: Catalog, item_ids: list[str]) -> None:
        self.whole = whole
        self.catalog = _in_model_order(whole, item_ids)
        self._item_ids = item_ids

    @cached_property
    def title_words(self) -> TitleWords:
        """Words of the titles that tell the items apart."""
        return TitleWords(self.catalog.titles)

    def of_rows(self, rows: NDArray[np.integer]) -> NDArray[np.int32]:
        """Index in the model of rows of the data set's catalog; -1 for items that the model does not know."""
        index: NDArray[np.int32] = self._index[rows]
        return index

    def of_ids(self, ids: Sequence[str]) -> NDArray[np.int32]:
        """The same by ids.

        Raises
        ------
        UnknownIdError
            The data set does not know one of them.
        """
        return self.of_rows(self.whole.ids.indices(ids))

    @cached_property
    def _index(self) -> NDArray[np.int32]:
        index = np.full(len(self.whole), -1, dtype=np.int32)
        index[self.whole.ids.indices(self._item_ids)] = np.arange(len(self.catalog), dtype=np.int32)
        return index


def known(items: NDArray[np.int32], of: str) -> NDArray[np.int32]:
    """The items that the model knows: those that are not -1."""
    if (items < 0).any():
        logger.info("%d items of %s are new to the model and left out", int((items < 0).sum()), of)
    return items[items >= 0]


def _in_model_order(catalog: Catalog, item_ids: list[str]) -> Catalog:
    """The rows of the items a model knows, in the order of its codes."""
    if catalog.ids.ids == item_ids:
        return catalog
    try:
        rows = catalog.ids.indices(item_ids)
    except UnknownIdError as error:
        hint = "give the data set the model was trained on, or a later state of it"
        raise ModelError(f"the data set lacks an item of the model: {error.message}", hint=hint) from error
    if len(rows) < len(catalog):
        logger.info("%d items of the data set are new to the model and not recommended", len(catalog) - len(rows))
    return Catalog(catalog.table.take(rows))
