"""Parquet files."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genrec.data.readers.rows import Rows
from genrec.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def read_parquet(path: Path, careful: bool) -> Rows:
    """Read a Parquet file; a row's number stands for its line.

    Raises
    ------
    DataError
        It is not a Parquet file, or a damaged one.
    """
    del careful
    if not path.is_file():
        raise DataError(f"no such file: {path}")
    try:
        table = pq.ParquetFile(path).read()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} cannot be read as Parquet: {error}") from error
    return Rows(path, table, np.arange(1, len(table) + 1), (), tuple(table.column_names), partial(_raw, table), "row")


def _raw(table: pa.Table, numbers: Collection[int]) -> dict[int, str]:
    rows = {number: table.slice(number - 1, 1).to_pylist()[0] for number in numbers}
    # Dates, decimals and bytes, which JSON does not have, become their text.
    return {number: json.dumps(row, ensure_ascii=False, default=str) for number, row in rows.items()}
