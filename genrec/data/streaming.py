"""Histories of a data set that does not fit in memory.

Histories can be read one after the other only where a user's rows stand together. So a data set is sorted once, into a
copy, by :func:`sort_by_user`: rows are dealt out to buckets of neighbouring users on disk, and each bucket, small
enough for the memory, is sorted and becomes one row group. :func:`stream_histories` then holds one row group at a time.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genrec.columns import ITEM_ID, RATING, TIMESTAMP, USER_ID
from genrec.data.folder import INTERACTIONS, ITEMS, USERS, read_manifest, write_manifest, written_aside
from genrec.data.histories import time_order
from genrec.data.identifiers import IdMap
from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import datasets
    from numpy.typing import NDArray

SORTED = "sorted_by_user"
BATCH_ROWS = 1 << 17


def sort_by_user(folder: str | Path, out: str | Path, rows_per_group: int = 1_000_000) -> None:
    """Save a copy of a data set in which the rows of a user stand together, oldest first.

    Histories, users and items of the copy are those of the original; only the order of rows across users is another.

    Parameters
    ----------
    folder
        A data set folder.
    out
        Where to write the copy.
    rows_per_group
        Interactions to hold in memory at a time, default 1,000,000; more where one user alone has more.

    Raises
    ------
    DataError
        `folder` is not a data set, or `out` is something else.
    """
    if rows_per_group < 1:
        raise ConfigError(f"rows_per_group must be at least 1, not {rows_per_group}")
    folder = Path(folder)
    manifest = read_manifest(folder)
    users = _ids(folder / USERS, USER_ID)
    with written_aside(Path(out)) as aside, pq.ParquetFile(folder / INTERACTIONS) as file:
        counts = np.zeros(len(users), dtype=np.int64)
        for batch in file.iter_batches(BATCH_ROWS, columns=[USER_ID]):
            counts += np.bincount(users.indices(batch.column(0)), minlength=len(users))
        bucket_of = np.maximum(np.cumsum(counts) - 1, 0) // rows_per_group
        buckets = aside / "buckets"
        buckets.mkdir()
        _deal_out(file, users, bucket_of, buckets)
        with pq.ParquetWriter(aside / INTERACTIONS, file.schema_arrow) as writer:
            for bucket in np.unique(bucket_of[counts > 0]):
                table = pq.read_table(buckets / f"{bucket}.parquet")
                order = time_order(users.indices(table[USER_ID]), table[TIMESTAMP].to_numpy())
                writer.write_table(table.take(order), row_group_size=max(len(table), 1))
        shutil.rmtree(buckets)
        for name in (ITEMS, USERS):
            shutil.copyfile(folder / name, aside / name)
        write_manifest(aside, {**manifest, SORTED: True})


def stream_histories(folder: str | Path) -> datasets.IterableDataset:
    """Stream the histories of a data set through Hugging Face ``datasets``.

    Parameters
    ----------
    folder
        A data set folder that :func:`sort_by_user` wrote. Its row groups are the shards, so that several
        workers can share the work; users without interactions do not come up.

    Returns
    -------
    datasets.IterableDataset
        One example a user: ``user`` (index), ``user_id``, ``items`` (indices, oldest first), ``timestamps`` and,
        where there are ratings, ``ratings``.

    Raises
    ------
    DataError
        The rows of a user do not stand together.

    Examples
    --------
    >>> import tempfile
    >>> from genrec.testing import toy_dataset
    >>> toy_dataset(users=3, items=10, length=4).save(f"{tempfile.gettempdir()}/toy")
    >>> sort_by_user(f"{tempfile.gettempdir()}/toy", f"{tempfile.gettempdir()}/toy-sorted")
    >>> [example["items"] for example in stream_histories(f"{tempfile.gettempdir()}/toy-sorted")]
    [[0, 1, 2, 3], [1, 2, 3, 4], [2, 3, 4, 5]]
    """
    import datasets

    folder = Path(folder)
    if not read_manifest(folder).get(SORTED, False):
        hint = "save a sorted copy first: genrec.data.streaming.sort_by_user(folder, out)"
        raise DataError(f"the interactions in {folder} are not sorted by user", hint=hint)
    with pq.ParquetFile(folder / INTERACTIONS) as file:
        groups = list(range(file.num_row_groups))
        has_ratings = RATING in file.schema_arrow.names
    features: dict[str, Any] = {
        "user": datasets.Value("int32"),
        "user_id": datasets.Value("string"),
        "items": datasets.List(datasets.Value("int32")),
        "timestamps": datasets.List(datasets.Value("int64")),
    }
    if has_ratings:
        features["ratings"] = datasets.List(datasets.Value("float32"))
    # A list among the arguments is what datasets shards by.
    arguments = {"folder": str(folder), "groups": groups}
    return datasets.IterableDataset.from_generator(_histories, datasets.Features(features), gen_kwargs=arguments)


def _histories(folder: str, groups: list[int]) -> Iterator[dict[str, Any]]:
    users, items = _ids(Path(folder) / USERS, USER_ID), _ids(Path(folder) / ITEMS, ITEM_ID)
    with pq.ParquetFile(Path(folder) / INTERACTIONS) as file:
        for group in groups:
            table = file.read_row_group(group)
            user = users.indices(table[USER_ID])
            columns = {"items": items.indices(table[ITEM_ID]), "timestamps": table[TIMESTAMP].to_numpy()}
            if RATING in table.column_names:
                columns["ratings"] = table[RATING].to_numpy()
            ends = np.append(np.flatnonzero(np.diff(user)) + 1, len(user))
            for start, end in zip(np.append(0, ends[:-1]), ends, strict=True):
                index = int(user[start])
                history = {name: values[start:end].tolist() for name, values in columns.items()}
                yield {"user": index, "user_id": users[index], **history}


def _deal_out(file: pq.ParquetFile, users: IdMap, bucket_of: NDArray[np.int64], folder: Path) -> None:
    """Write each row to the file of its user's bucket, in the order it comes."""
    with ExitStack() as stack:
        writers: dict[int, pq.ParquetWriter] = {}
        for batch in file.iter_batches(BATCH_ROWS):
            table = pa.Table.from_batches([batch])
            bucket = bucket_of[users.indices(table[USER_ID])]
            for number in np.unique(bucket).tolist():
                if number not in writers:
                    writer = pq.ParquetWriter(folder / f"{number}.parquet", file.schema_arrow)
                    writers[number] = stack.enter_context(writer)
                writers[number].write_table(table.filter(pa.array(bucket == number)))


def _ids(path: Path, column: str) -> IdMap:
    return IdMap(pq.read_table(path, columns=[column])[column])
