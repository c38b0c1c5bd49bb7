"""Who met which item, and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genrec.columns import EVENT, ITEM_ID, RATING, TIMESTAMP, USER_ID
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TYPES = {
    USER_ID: pa.string(),
    ITEM_ID: pa.string(),
    TIMESTAMP: pa.int64(),
    RATING: pa.float32(),
    EVENT: pa.string(),
}
REQUIRED = (USER_ID, ITEM_ID, TIMESTAMP)


@dataclass(frozen=True, eq=False)
class Interactions:
    """A table of interactions, in file order.

    Parameters
    ----------
    table
        Columns ``user_id`` and ``item_id`` string, ``timestamp`` int64 (seconds UTC), and optionally
        ``rating`` float32 and ``event`` string. No nulls, except in ``event``.

    Raises
    ------
    DataError
        A column is missing, unknown, of another type, or holds nulls.

    Examples
    --------
    >>> len(Interactions.from_columns(["ann", "bob"], ["tea", "tea"]))
    2
    """

    table: pa.Table

    def __post_init__(self) -> None:
        seen = self.table.column_names
        for name in REQUIRED:
            if name not in seen:
                raise DataError(f"interactions have no column {name!r}", hint=f"columns are {', '.join(seen)}")
        for field in self.table.schema:
            wanted = TYPES.get(field.name)
            if wanted is None:
                raise DataError(f"unknown interaction column {field.name!r}", hint=f"columns are {', '.join(TYPES)}")
            if field.type != wanted:
                raise DataError(f"interaction column {field.name!r} is {field.type}, not {wanted}")
            if field.name != EVENT and self.table[field.name].null_count:
                raise DataError(f"interaction column {field.name!r} has missing values (nulls)")

    @classmethod
    def from_columns(
        cls,
        user_id: Sequence[str] | pa.Array | pa.ChunkedArray,
        item_id: Sequence[str] | pa.Array | pa.ChunkedArray,
        timestamp: Sequence[int] | NDArray[np.int64] | pa.Array | pa.ChunkedArray | None = None,
        rating: Sequence[float] | NDArray[np.floating[Any]] | pa.Array | pa.ChunkedArray | None = None,
        event: Sequence[str | None] | pa.Array | pa.ChunkedArray | None = None,
    ) -> Interactions:
        """Build from columns of equal length.

        Parameters
        ----------
        user_id, item_id
            String ids, (n,).
        timestamp
            Seconds UTC, int64 (n,). Left out, the order of the rows is their order in time.
        rating
            float32 (n,).
        event
            What happened, such as ``"click"``, (n,).
        """
        columns = {USER_ID: user_id, ITEM_ID: item_id, RATING: rating, EVENT: event}
        columns[TIMESTAMP] = np.arange(len(user_id), dtype=np.int64) if timestamp is None else timestamp
        arrays = {name: _column(columns[name], type) for name, type in TYPES.items() if columns[name] is not None}
        return cls(pa.table(arrays))

    def __len__(self) -> int:
        return int(self.table.num_rows)


def _column(values: Any, type: pa.DataType) -> pa.Array | pa.ChunkedArray:  # noqa: ANN401 (any sequence arrow takes)
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values.cast(type)
    return pa.array(values, type)
