"""Amazon reviews, as JSON Lines: the releases of 2014 and 2018, and that of 2023."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec.columns import CATEGORIES, ITEM_ID, RATING, TEXT, TIMESTAMP, USER_ID
from genrec.data.readers.jsonl import parse_line, read_jsonl
from genrec.data.readers.rows import open_binary
from genrec.data.readers.source import FileSource
from genrec.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.data.readers.rows import Rows

REVIEWS_2014 = {USER_ID: "reviewerID", ITEM_ID: "asin", TIMESTAMP: "unixReviewTime", RATING: "overall"}
REVIEWS_2023 = {USER_ID: "user_id", ITEM_ID: "parent_asin", TIMESTAMP: "timestamp", RATING: "rating"}


def review_source(path: Path) -> FileSource:
    """How to read a file of reviews: which release it is of shows in the keys of its first line."""
    keys = first_keys(path)
    for columns, unit in ((REVIEWS_2014, "s"), (REVIEWS_2023, "ms")):
        if keys >= {columns[USER_ID], columns[ITEM_ID]}:

            def read(path: Path, careful: bool, keep: frozenset[str] = frozenset(columns.values())) -> Rows:
                return read_jsonl(path, careful, keep)

            return FileSource(path, read, columns, timestamp_unit="ms" if unit == "ms" else "s")
    expected = "reviewerID and asin (2014, 2018) or user_id and parent_asin (2023)"
    message = f"{path.name} is not a file of Amazon reviews; its first line has {', '.join(sorted(keys)) or 'no keys'}"
    raise DataError(message, hint=f"expected {expected}; use --format jsonl with --map for other files")


def product_source(path: Path) -> FileSource:
    """How to read a file of products (``meta_*.jsonl``)."""
    keys = first_keys(path)
    columns = {ITEM_ID: "parent_asin" if "parent_asin" in keys else "asin"}
    if "category" in keys and "categories" not in keys:
        columns[CATEGORIES] = "category"
    if "description" in keys and "text" not in keys:
        columns[TEXT] = "description"
    return FileSource(path, read_jsonl, columns)


def first_keys(path: Path) -> set[str]:
    """Keys of the first object of a JSON Lines file; none where it does not begin with one."""
    with open_binary(path) as file:
        first = next((line for line in file if line.strip()), b"")
    row = parse_line(first)
    return set(row) if isinstance(row, dict) else set()
