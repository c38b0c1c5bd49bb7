"""To and from Hugging Face ``datasets``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from genrec.columns import TIMESTAMP, USER_ID
from genrec.data.assemble import assemble
from genrec.data.importer import numbered, raise_bad
from genrec.data.readers.rows import Rows
from genrec.data.readers.source import FileSource
from genrec.data.tables import read_interactions, read_items, read_users
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import datasets
    import pyarrow as pa

    from genrec.data.dataset import Dataset
    from genrec.data.options import TimestampUnit

INTERACTIONS, ITEMS, USERS = "interactions", "items", "users"


def to_hf(dataset: Dataset) -> datasets.DatasetDict:
    """Convert to a ``DatasetDict`` with the tables ``interactions``, ``items`` and ``users``.

    Where the data have no time but an order, the column ``timestamp`` is left out, so that :func:`from_hf` knows.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> {name: len(table) for name, table in to_hf(toy_dataset(users=4, items=10, length=3)).items()}
    {'interactions': 12, 'items': 10, 'users': 4}
    """
    import datasets
    import pyarrow as pa

    info = datasets.DatasetInfo(description=dataset.source, license=dataset.licence, dataset_name=dataset.name)
    interactions, attributes = dataset.interactions.table, dataset.user_attributes
    tables = {
        INTERACTIONS: interactions.drop_columns([TIMESTAMP]) if dataset.time == "order" else interactions,
        ITEMS: dataset.catalog.table,
        USERS: pa.table({USER_ID: dataset.users.array}) if attributes is None else attributes,
    }
    memory = {name: datasets.table.InMemoryTable(table) for name, table in tables.items()}
    return datasets.DatasetDict({name: datasets.Dataset(table, info=info.copy()) for name, table in memory.items()})


def from_hf(
    source: str | Path | datasets.DatasetDict | datasets.Dataset,
    *,
    config: str | None = None,
    revision: str | None = None,
    interactions: str = INTERACTIONS,
    items: str = ITEMS,
    users: str = USERS,
    map: Mapping[str, str] | None = None,
    map_item: Mapping[str, str] | None = None,
    map_user: Mapping[str, str] | None = None,
    timestamp_unit: TimestampUnit = "s",
    timestamp_format: str | None = None,
    name: str | None = None,
) -> Dataset:
    """Convert from Hugging Face ``datasets``.

    Parameters
    ----------
    source
        A ``DatasetDict``, or a ``Dataset`` of interactions; a folder that ``save_to_disk`` wrote; or the id of a data
        set on the hub, for which there must be internet, or a copy in the cache.
    config, revision
        Configuration and revision of a data set on the hub.
    interactions, items, users
        Names of the splits to read. The last two may be missing; a set of one split is taken for interactions.
    map, map_item, map_user
        genrec's column name -> the split's.
    timestamp_unit
        Unit of the timestamps.
    timestamp_format
        Format of timestamps that are dates in text, as ``strptime`` takes it.
    name
        Name of the data set; by default the name it has, or that of its folder.

    Raises
    ------
    ConfigError
        A mapping names what is not a column of genrec's, or there are no dates of such a format.
    DataError
        There is no such data set or column, or a row is bad.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> toy = toy_dataset(users=4, items=10, length=3)
    >>> from_hf(to_hf(toy)).histories[0].tolist() == toy.histories[0].tolist()
    True
    """
    splits = _splits(source, config, revision)
    if interactions not in splits and len(splits) == 1:
        splits = {interactions: next(iter(splits.values()))}
    if interactions not in splits:
        hint = f"splits are {', '.join(splits)}; say which one with interactions=..."
        raise DataError(f"the data set has no split {interactions!r}", hint=hint)
    info = splits[interactions].info
    read = read_interactions(_source(splits, interactions, map), timestamp_unit, timestamp_format)
    item_rows = read_items(_source(splits, items, map_item)) if items in splits else None
    user_rows = read_users(_source(splits, users, map_user)) if users in splits else None
    raise_bad([row for table in (read, item_rows, user_rows) if table for row in table.bad])
    named = Path(source).name if isinstance(source, str | Path) else "dataset"
    return assemble(
        name or info.dataset_name or named,
        numbered(read.table),
        item_rows.table if item_rows else None,
        user_rows.table if user_rows else None,
        time="seconds" if TIMESTAMP in read.table.column_names else "order",
        source=info.description or str(source if isinstance(source, str | Path) else ""),
        licence=info.license or "",
    ).dataset


def _splits(
    source: str | Path | datasets.DatasetDict | datasets.Dataset, config: str | None, revision: str | None
) -> dict[str, datasets.Dataset]:
    import datasets

    if isinstance(source, datasets.Dataset):
        return {INTERACTIONS: source}
    if isinstance(source, datasets.DatasetDict):
        return dict(source)
    try:
        if Path(source).is_dir():
            loaded = datasets.load_from_disk(str(source))
        else:
            loaded = datasets.load_dataset(str(source), config, revision=revision)
    except (OSError, ValueError) as error:
        hint = "give a folder that save_to_disk wrote, or the id of a data set on the hub, with internet"
        raise DataError(f"no Hugging Face data set at {str(source)!r}: {error}", hint=hint) from error
    return {INTERACTIONS: loaded} if isinstance(loaded, datasets.Dataset) else dict(loaded)


def _source(splits: Mapping[str, datasets.Dataset], split: str, columns: Mapping[str, str] | None) -> FileSource:
    def read(path: Path, careful: bool) -> Rows:
        del careful
        table = cast("pa.Table", splits[split].with_format("arrow")[:])
        return Rows(path, table, np.arange(1, len(table) + 1), (), tuple(table.column_names))

    return FileSource(Path(split), read, columns or {}, flag="the mapping")
