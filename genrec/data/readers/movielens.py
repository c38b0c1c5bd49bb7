"""MovieLens 100k, 1M and latest, as GroupLens distributes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import CATEGORIES, ITEM_ID, RATING, TIMESTAMP, TITLE, USER_ID
from genrec.data.checks import text_lists
from genrec.data.readers.delimited import read_delimited
from genrec.data.readers.dialect import Dialect
from genrec.data.readers.source import FileSource

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.data.readers.rows import Rows

RATING_COLUMNS = (USER_ID, ITEM_ID, RATING, TIMESTAMP)
# In the order of u.genre; 100k has a column of 0 and 1 for each.
GENRES = (
    "unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
    "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
)  # fmt: skip
NO_GENRE = ("unknown", "(no genres listed)")
LATEST = {USER_ID: "userId", ITEM_ID: "movieId"}

DIALECTS = {
    "u.data": Dialect("\t", quoted=False, header=RATING_COLUMNS),
    "u.user": Dialect("|", quoted=False, header=(USER_ID, "age", "gender", "occupation", "zip_code")),
    "u.item": Dialect(
        "|", quoted=False, encoding="latin-1", header=(ITEM_ID, TITLE, "release_date", "video_date", "url", *GENRES)
    ),
    "ratings.dat": Dialect("::", quoted=False, header=RATING_COLUMNS),
    "users.dat": Dialect("::", quoted=False, header=(USER_ID, "gender", "age", "occupation", "zip_code")),
    "movies.dat": Dialect("::", quoted=False, encoding="latin-1", header=(ITEM_ID, TITLE, "genres")),
    "ratings.csv": Dialect(","),
    "movies.csv": Dialect(","),
}
RATINGS = {
    "u.data": ("u.item", "u.user"),
    "ratings.dat": ("movies.dat", "users.dat"),
    "ratings.csv": ("movies.csv", None),
}
ITEM_FILES = ("u.item", "movies.dat", "movies.csv")


def movielens_source(path: Path) -> FileSource:
    """How to read one MovieLens file, told by its name."""
    name = path.name.removesuffix(".gz")
    columns = LATEST if name == "ratings.csv" else {ITEM_ID: "movieId"} if name == "movies.csv" else {}
    return FileSource(path, read_items if name in ITEM_FILES else _read, columns)


def _read(path: Path, careful: bool) -> Rows:
    return read_delimited(path, careful, DIALECTS[path.name.removesuffix(".gz")])


def read_items(path: Path, careful: bool) -> Rows:
    """Read a movie file: genres become ``categories``; the year that ends a title also its own column ``year``."""
    rows = _read(path, careful)
    table = rows.table
    genres = _flagged(table) if "Action" in table.column_names else text_lists(table["genres"], "|").to_pylist()
    lists = pa.array([[genre for genre in row if genre not in NO_GENRE] for row in genres], pa.list_(pa.string()))
    title = table["title"]
    table = table.drop_columns([name for name in table.column_names if name in (*GENRES, "genres", "video_date")])
    table = table.append_column(CATEGORIES, pa.chunked_array([lists]))
    table = table.append_column("year", pa.chunked_array([year_of(title)]))
    return replace(rows, table=table, columns=tuple(table.column_names))


def year_of(titles: pa.ChunkedArray) -> pa.Array:
    """Year that stands in brackets at the end of a title, int64 (N,); null where there is none.

    Examples
    --------
    >>> year_of(pa.chunked_array([["Toy Story (1995)", "Blade Runner 2049"]])).to_pylist()
    [1995, None]
    """
    found = pc.extract_regex(titles, r"\((?P<year>[0-9]{4})\)\s*$")
    year = pc.struct_field(found, "year")
    return (year.combine_chunks() if isinstance(year, pa.ChunkedArray) else year).cast(pa.int64())


def _flagged(table: pa.Table) -> list[list[str]]:
    flags = zip(*(table[genre].to_pylist() for genre in GENRES), strict=True)
    return [[genre for genre, flag in zip(GENRES, row, strict=True) if flag == "1"] for row in flags]
