"""Digests of tables: whether what lies behind a result is still the same."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from hashlib import _Hash

    from genrec.data.dataset import Dataset


def interactions_digest(dataset: Dataset) -> str:
    """sha256 of all that is known of the interactions, in their order: data sets of one digest teach the same.

    Examples
    --------
    >>> from genrec.testing import toy_dataset
    >>> interactions_digest(toy_dataset()) == interactions_digest(toy_dataset()) != interactions_digest(toy_dataset(61))
    True
    """
    digest = hashlib.sha256()
    add_table(digest, dataset.interactions.table)
    return digest.hexdigest()


def add_table(digest: _Hash, table: pa.Table) -> None:
    """Add the columns and rows of a table to a digest, wherever they came from.

    Parameters
    ----------
    digest
        Changed in place.
    table
        The table. Its metadata and how it is cut into chunks do not count.

    Examples
    --------
    >>> import hashlib
    >>> whole, cut = hashlib.sha256(), hashlib.sha256()
    >>> add_table(whole, pa.table({"item_id": ["7", "8"]}))
    >>> add_table(cut, pa.concat_tables([pa.table({"item_id": ["7"]}), pa.table({"item_id": ["8"]})]))
    >>> whole.digest() == cut.digest()
    True
    """
    sink = pa.BufferOutputStream()
    whole = table.combine_chunks().replace_schema_metadata()
    with pa.ipc.new_stream(sink, whole.schema) as writer:
        writer.write_table(whole)
    digest.update(sink.getvalue())
