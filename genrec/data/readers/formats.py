"""Which reader a file needs: said by the caller, or told by the file's name and first line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, get_args

from genrec.data.options import Format
from genrec.data.readers.amazon import first_keys, product_source, review_source
from genrec.data.readers.delimited import read_delimited
from genrec.data.readers.dialect import Dialect
from genrec.data.readers.json_array import read_json
from genrec.data.readers.movielens import DIALECTS, RATINGS, movielens_source
from genrec.data.readers.parquet import read_parquet
from genrec.data.readers.recbole import read_atomic
from genrec.data.readers.rows import open_binary
from genrec.data.readers.source import FileSource
from genrec.errors import ConfigError, DataError

if TYPE_CHECKING:
    from pathlib import Path

    from genrec.data.readers.rows import Reader

FORMATS: tuple[Format, ...] = get_args(Format)

SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".inter": "recbole",
    ".item": "recbole",
    ".user": "recbole",
}
READERS: dict[Format, Reader] = {
    "csv": partial(read_delimited, dialect=Dialect(",", told=True)),
    "tsv": partial(read_delimited, dialect=Dialect("\t")),
    "jsonl": read_json,
    "parquet": read_parquet,
    "recbole": read_atomic,
}


@dataclass(frozen=True)
class FoundFiles:
    """The files of one data set, and the format of its interactions."""

    format: Format
    interactions: Path
    items: Path | None = None
    users: Path | None = None


def find_files(path: Path, format: Format) -> FoundFiles:
    """Find the format and the files of interactions, items and users.

    Parameters
    ----------
    path
        A file of interactions, which stands for itself alone; or the folder of a MovieLens or RecBole set, which stands
        for all the files in it.
    format
        The format, or ``"auto"``.
    """
    if path.is_dir():
        return _in_folder(path, format)
    if not path.exists():
        raise DataError(f"no such file: {path}")
    found = detect_format(path) if format == "auto" else format
    if found == "movielens" and path.name.removesuffix(".gz") not in RATINGS:
        hint = f"MovieLens ratings are in {', '.join(RATINGS)}; or give the folder"
        raise DataError(f"{path.name} is not the name of a MovieLens file of ratings", hint=hint)
    return FoundFiles(found, path)


def interaction_source(path: Path, format: Format) -> FileSource:
    """How to read a file of interactions in a known format."""
    if format == "movielens":
        return movielens_source(path)
    return review_source(path) if format == "amazon" else FileSource(path, READERS[format])


def attribute_source(path: Path, format: Format) -> FileSource:
    """How to read a file of items or users, which need not be in the format of the interactions.

    Parameters
    ----------
    path
        The file.
    format
        Format of the interactions, taken where this file's name does not tell its own.
    """
    if format == "movielens" and path.name.removesuffix(".gz") in DIALECTS:
        return movielens_source(path)
    own = SUFFIXES.get(_suffix(path), format)
    if own in ("jsonl", "amazon") and format == "amazon" and first_keys(path) & {"asin", "parent_asin"}:
        return product_source(path)
    if own not in READERS:
        raise DataError(f"cannot tell the format of {path.name}", hint=f"known endings are {', '.join(SUFFIXES)}")
    return FileSource(path, READERS[own], list_separator=" " if own == "recbole" else "|")


def in_encoding(source: FileSource, encoding: str) -> FileSource:
    """Read a file that is delimited text in an encoding; another has one of its own, or none, and stays as it is.

    Parameters
    ----------
    source
        The file.
    encoding
        As Python names it, such as ``cp1252``.

    Raises
    ------
    ConfigError
        There is no such encoding.
    """
    try:
        "".encode(encoding)  # a codec that makes no text of bytes has a name, too
    except LookupError as error:
        raise ConfigError(f"there is no encoding {encoding!r}", hint="such as utf-8, cp1252, utf-16") from error
    read = source.read
    if not isinstance(read, partial) or not isinstance(dialect := read.keywords.get("dialect"), Dialect):
        return source
    return replace(source, read=partial(read.func, dialect=replace(dialect, encoding=encoding)))


def detect_format(path: Path) -> Format:
    """Tell the format of a file of interactions.

    Raises
    ------
    DataError
        Name and first line do not tell it.
    """
    name = path.name.removesuffix(".gz")
    if name in ("u.data", "ratings.dat"):
        return "movielens"
    format = SUFFIXES.get(_suffix(path))
    if format is None:
        spreadsheet = "save the sheet as CSV; or " if _suffix(path) in (".xlsx", ".xls", ".ods") else ""
        hint = f"{spreadsheet}say --format, one of {', '.join(FORMATS[1:])}"
        raise DataError(f"cannot tell the format of {path.name}", hint=hint)
    if name == "ratings.csv":
        with open_binary(path) as file:
            return "movielens" if file.readline().strip() == b"userId,movieId,rating,timestamp" else "csv"
    if format == "jsonl":
        keys = first_keys(path)
        return "amazon" if keys >= {"reviewerID", "asin"} or keys >= {"user_id", "parent_asin"} else "jsonl"
    return format


def _in_folder(folder: Path, format: Format) -> FoundFiles:
    def there(name: str | None) -> Path | None:
        return folder / name if name and (folder / name).is_file() else None

    if format in ("auto", "movielens"):
        for ratings, (items, users) in RATINGS.items():
            if (folder / ratings).is_file():
                return FoundFiles("movielens", folder / ratings, there(items), there(users))
    inters = sorted(folder.glob("*.inter"))
    if format in ("auto", "recbole") and len(inters) == 1:
        stem = inters[0].stem
        return FoundFiles("recbole", inters[0], there(f"{stem}.item"), there(f"{stem}.user"))
    hint = "name the file of interactions itself; only MovieLens and RecBole sets are read as a folder"
    raise DataError(f"{folder} holds no MovieLens set and not exactly one RecBole .inter file", hint=hint)


def _suffix(path: Path) -> str:
    name = path.name.removesuffix(".gz").lower()
    return name[name.rfind(".") :] if "." in name else ""
