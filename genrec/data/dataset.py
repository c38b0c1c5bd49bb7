"""Interactions, the catalog and the users, held together by index maps that do not change."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa

from genrec.columns import EVENT, ITEM_ID, RATING, TIMESTAMP, USER_ID
from genrec.data.catalog import TYPES
from genrec.data.histories import Histories
from genrec.data.interactions import Interactions
from genrec.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray
    from scipy import sparse

    from genrec.data.catalog import Catalog
    from genrec.data.identifiers import IdMap

TimeKind = Literal["seconds", "order"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set: who met what, the items there are, and the users there are.

    Parameters
    ----------
    name
        What to call it in reports.
    interactions
        Interactions in file order; every user and item id is known to `users` and `catalog`.
    catalog
        All items, N of them, also those that nobody met yet.
    users
        All users, U of them.
    source, licence
        Where the data come from and on what terms; kept in the folder and in model cards.
    user_attributes
        ``user_id`` and further columns (age, country ...), one row a user, in the order of `users`.
    time
        ``"seconds"``: timestamps are seconds UTC; ``"order"``: there were none, so they only number
        the rows and say nothing across users.
    written
        When its folder was written, in seconds UTC; 0 if it was not loaded from one.

    Raises
    ------
    UnknownIdError
        An interaction names a user or item that `users` or `catalog` does not have.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> dataset = toy_dataset(users=4, items=10, length=3)
    >>> dataset.num_users, dataset.num_items, len(dataset.interactions)
    (4, 10, 12)
    """

    name: str
    interactions: Interactions
    catalog: Catalog
    users: IdMap
    source: str = ""
    licence: str = ""
    user_attributes: pa.Table | None = None
    time: TimeKind = "seconds"
    written: float = 0.0

    def __post_init__(self) -> None:
        self.user_indices  # noqa: B018 (unknown ids must show here, not in the middle of a run)
        self.item_indices  # noqa: B018
        attributes = self.user_attributes
        if attributes is not None and not attributes[USER_ID].combine_chunks().equals(self.users.array):
            raise DataError("user_attributes must have one row for each user, in the order of users")

    @property
    def num_users(self) -> int:
        """Number of users (U)."""
        return len(self.users)

    @property
    def num_items(self) -> int:
        """Number of catalog items (N)."""
        return len(self.catalog)

    @cached_property
    def user_indices(self) -> NDArray[np.int32]:
        """User index of each interaction, int32 (n,)."""
        return self.users.indices(self.interactions.table[USER_ID])

    @cached_property
    def item_indices(self) -> NDArray[np.int32]:
        """Item index of each interaction, int32 (n,)."""
        return self.catalog.ids.indices(self.interactions.table[ITEM_ID])

    @cached_property
    def histories(self) -> Histories:
        """The history of every user, oldest first, equal timestamps in file order."""
        table = self.interactions.table
        return Histories.from_rows(
            self.user_indices,
            self.item_indices,
            table[TIMESTAMP].to_numpy(),
            table[RATING].to_numpy() if RATING in table.column_names else None,
            num_users=self.num_users,
        )

    @cached_property
    def users_of_items(self) -> sparse.csc_matrix:
        """Who met which item: users by items (U, N) in order of items, 1 where a user met an item, however often."""
        return self.histories.to_csr(self.num_items).tocsc()

    def with_interactions(self, rows: NDArray[np.bool_] | NDArray[np.int64] | pa.Table | Interactions) -> Dataset:
        """Return the same users and items with other interactions, so that indices agree.

        Parameters
        ----------
        rows
            A mask (n,) over the present interactions, row numbers, or other interactions.

        Examples
        --------
        >>> from genrec.testing import toy_dataset
        >>> dataset = toy_dataset(users=4, items=10, length=3)
        >>> fewer = dataset.with_interactions(dataset.user_indices > 1)
        >>> len(fewer.interactions), fewer.num_users
        (6, 4)
        """
        if isinstance(rows, Interactions):
            interactions = rows
        elif isinstance(rows, pa.Table):
            interactions = Interactions(rows)
        else:
            table = self.interactions.table
            interactions = Interactions(table.filter(pa.array(rows)) if rows.dtype == bool else table.take(rows))
        return replace(self, interactions=interactions)

    def with_catalog(self, catalog: Catalog) -> Dataset:
        """Return the same interactions with more known of the items, or more items.

        Parameters
        ----------
        catalog
            Has the items there are in the same rows; what is new stands behind them.

        Raises
        ------
        DataError
            The first items are others.

        Examples
        --------
        >>> from genrec.testing import toy_catalog, toy_dataset
        >>> dataset = toy_dataset(items=10)
        >>> dataset.with_catalog(toy_catalog(12)).num_items
        12
        """
        if not catalog.ids.array[: self.num_items].equals(self.catalog.ids.array):
            raise DataError("the catalog does not begin with the items of the data set")
        # Indices stay what they are, and looking all of them up again would take seconds in a large data set.
        made = copy.copy(self)
        object.__setattr__(made, "catalog", catalog)
        made.__dict__.pop("users_of_items", None)
        return made

    def describe(self) -> dict[str, Any]:
        """Count users, items and interactions, and say what shape they have, ready for JSON.

        Returns
        -------
        dict
            ``users``, ``items``, ``interactions``; ``density``, interactions over users x items;
            ``items_never_met``; ``history_length`` (min, median, mean, max over users); ``ties_in_time``,
            interactions with the timestamp of the one before them in their history; ``repeats``,
            interactions with an item the user met before; ``time`` and ``first``/``last`` timestamp;
            ``item_columns``, ``user_columns``, ``has_ratings``, ``has_events``; ``item_types``, ``user_types``, what
            further columns hold, in words.
        """
        histories, count = self.histories, len(self.interactions)
        cells, lengths = self.num_users * self.num_items, histories.lengths
        columns = self.interactions.table.column_names
        return {
            "name": self.name,
            "users": self.num_users,
            "items": self.num_items,
            "interactions": count,
            "density": count / cells if cells else 0.0,
            "items_never_met": int((histories.item_counts(self.num_items) == 0).sum()),
            "history_length": _spread(lengths) if len(lengths) else None,
            "ties_in_time": histories.count_ties(),
            "repeats": count - histories.to_csr(self.num_items).nnz,
            "time": self.time,
            "first": int(histories.timestamps.min()) if count else None,
            "last": int(histories.timestamps.max()) if count else None,
            "has_ratings": RATING in columns,
            "has_events": EVENT in columns,
            "item_columns": self.catalog.table.column_names,
            "item_types": _type_words(self.catalog.table),
            "user_columns": self.user_attributes.column_names if self.user_attributes is not None else [USER_ID],
            "user_types": {} if self.user_attributes is None else _type_words(self.user_attributes),
            "source": self.source,
            "licence": self.licence,
        }

    def save(self, folder: str | Path) -> None:
        """Write a data set folder: aside first, then renamed, so that a crash leaves no half of one.

        Parameters
        ----------
        folder
            Where to. A data set folder that is there already is replaced; anything else is refused.

        Raises
        ------
        DataError
            `folder` exists and is not a data set folder.
        """
        from genrec.data.folder import save_folder

        save_folder(self, folder)

    @classmethod
    def load(cls, name_or_folder: str | Path) -> Dataset:
        """Load a named set (``ml-100k``, ``toy``) or a data set folder.

        Parameters
        ----------
        name_or_folder
            A name wins over a folder of that name; write ``./toy`` for the folder.

        Raises
        ------
        DataError
            No such set, an unknown format version, or a file that is not the one that was saved.

        Examples
        --------
        >>> Dataset.load("toy").num_items
        24
        """
        from genrec.data.folder import load_folder
        from genrec.data.sources import NAMED, load_named

        if str(name_or_folder) in NAMED:
            return load_named(str(name_or_folder))
        return load_folder(name_or_folder)


def _spread(lengths: NDArray[np.int64]) -> dict[str, float]:
    import numpy as np

    return {
        "min": int(lengths.min()),
        "median": float(np.median(lengths)),
        "mean": float(lengths.mean()),
        "max": int(lengths.max()),
    }


def _type_words(table: pa.Table) -> dict[str, str]:
    """What the further columns of a table hold, by name."""
    return {field.name: _type_word(field.type) for field in table.schema if field.name not in (*TYPES, USER_ID)}


def _type_word(kind: pa.DataType) -> str:
    words = {
        "text": (pa.types.is_string, pa.types.is_large_string),
        "whole number": (pa.types.is_integer,),
        "number": (pa.types.is_floating, pa.types.is_decimal),
        "true/false": (pa.types.is_boolean,),
        "date": (pa.types.is_date, pa.types.is_timestamp),
        "list": (pa.types.is_list, pa.types.is_large_list),
    }
    return next((word for word, tests in words.items() if any(test(kind) for test in tests)), str(kind))
