"""The only place where outside ids meet integers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec.errors import DataError, UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray


class IdMap:
    """Immutable two-way map between string ids and ``0 .. n-1``.

    Parameters
    ----------
    ids
        Distinct ids; the position of an id is its index.
    of
        What they name, such as user or item: errors say so. Default: nothing in particular.

    Raises
    ------
    DataError
        An id is missing (null) or stands there twice.

    Examples
    --------
    >>> users = IdMap(["ann", "bob"])
    >>> users.indices(["bob", "ann"]).tolist(), users[0], "eve" in users
    ([1, 0], 'ann', False)
    """

    def __init__(self, ids: Sequence[str] | pa.Array | pa.ChunkedArray, of: str = "") -> None:
        self._array = _as_strings(ids)
        self._called = f"{of} id".lstrip()
        if self._array.null_count:
            raise DataError("an id is missing (null)")
        if len(self._array.unique()) != len(self._array):
            counts = self._array.value_counts()
            twice = counts.field("values").filter(pc.greater(counts.field("counts"), 1))
            raise DataError(f"ids are not distinct: {twice[0].as_py()!r} stands there more than once")

    def __len__(self) -> int:
        return len(self._array)

    def __contains__(self, id: object) -> bool:
        return id in self._positions

    def __getitem__(self, index: int) -> str:
        return cast("str", self._array[int(index)].as_py())

    @property
    def array(self) -> pa.Array:
        """The ids as an arrow string array, (n,)."""
        return self._array

    @cached_property
    def ids(self) -> list[str]:
        """All ids, in index order."""
        return cast("list[str]", self._array.to_pylist())

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {id: index for index, id in enumerate(self.ids)}

    def indices(self, ids: Iterable[str] | pa.Array | pa.ChunkedArray) -> NDArray[np.int32]:
        """Index of each id.

        Parameters
        ----------
        ids
            Ids to look up, (n,).

        Returns
        -------
        numpy.ndarray
            int32 (n,).

        Raises
        ------
        UnknownIdError
            An id is not in the map; the message names it and ids that look like it.
        """
        if not isinstance(ids, pa.Array | pa.ChunkedArray):
            return self._few(list(ids))
        wanted = _as_strings(ids)
        found = pc.index_in(wanted, value_set=self._array)
        if found.null_count:
            self._raise_unknown(str(wanted.filter(pc.is_null(found))[0].as_py()))
        return cast("NDArray[np.int32]", found.to_numpy(zero_copy_only=False).astype(np.int32, copy=False))

    def find(self, ids: Sequence[str]) -> NDArray[np.int32]:
        """Index of each id, int32 (M,); -1 for those that are not in the map.

        Examples
        --------
        >>> IdMap(["a", "b"]).find(["b", "c"]).tolist()
        [1, -1]
        """
        found = pc.fill_null(pc.index_in(_as_strings(ids), value_set=self._array), -1)
        return cast("NDArray[np.int32]", found.to_numpy(zero_copy_only=False).astype(np.int32, copy=False))

    def _few(self, ids: list[str]) -> NDArray[np.int32]:
        """Index of each id, without a hash table of all ids for a few of them, as arrow makes one each time."""
        try:
            return np.array([self._positions[id] for id in ids], dtype=np.int32)
        except KeyError as error:
            self._raise_unknown(str(error.args[0]))

    def _raise_unknown(self, id: str) -> NoReturn:
        # rapidfuzz, because difflib takes seconds over a large catalog.
        from rapidfuzz import fuzz, process

        padded = next((known for known in self.ids if id and known.lstrip("0") == id.lstrip("0")), None)
        near = [match for match, _, _ in process.extract(id, self.ids, scorer=fuzz.ratio, limit=3, score_cutoff=60)]
        hint = f"did you mean {', '.join(map(repr, near))}?" if near else f"{len(self)} ids are known, none like it"
        if padded is not None:
            hint = f"did you mean {padded!r}? Leading zeros are part of an id"
        raise UnknownIdError(f"unknown {self._called} {id!r}", hint=hint)


def _as_strings(ids: Iterable[str] | pa.Array | pa.ChunkedArray) -> pa.Array:
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    if not isinstance(ids, pa.Array):
        ids = pa.array(list(ids), pa.string())
    return ids if ids.type == pa.string() else ids.cast(pa.string())
