"""The data set folder: Parquet tables and a ``dataset.json`` that vouches for them."""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from genrec.columns import USER_ID
from genrec.data.catalog import Catalog
from genrec.data.dataset import Dataset
from genrec.data.identifiers import IdMap
from genrec.data.interactions import Interactions
from genrec.errors import DataError
from genrec.files import fsync, sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT_VERSION = 1
MANIFEST = "dataset.json"
INTERACTIONS = "interactions.parquet"
ITEMS = "items.parquet"
USERS = "users.parquet"
WRITTEN = "written"
"""In the manifest, when the folder was written, in seconds UTC: a copy of it says the same."""


def save_folder(dataset: Dataset, folder: str | Path, extra_files: Mapping[str, bytes] | None = None) -> None:
    """Write `dataset` to `folder`: aside first, then renamed.

    Parameters
    ----------
    dataset
        What to write.
    folder
        Where to. A data set folder that is there already is replaced.
    extra_files
        Further files by name, such as quarantined rows.

    Raises
    ------
    DataError
        `folder` exists and is not a data set folder.
    """
    with written_aside(Path(folder)) as aside:
        users = dataset.user_attributes
        pq.write_table(dataset.interactions.table, aside / INTERACTIONS)
        pq.write_table(dataset.catalog.table, aside / ITEMS)
        # Written also without attributes: it keeps the index of users who have no interaction left.
        pq.write_table(users if users is not None else pa.table({USER_ID: dataset.users.array}), aside / USERS)
        counts = {"users": dataset.num_users, "items": dataset.num_items, "interactions": len(dataset.interactions)}
        manifest = {
            "name": dataset.name,
            "counts": counts,
            "time": dataset.time,
            "sorted_by_user": False,
            "source": dataset.source,
            "licence": dataset.licence,
        }
        write_manifest(aside, manifest)
        for name, content in (extra_files or {}).items():
            (aside / name).write_bytes(content)


@contextmanager
def written_aside(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, which takes the place of `folder` when all went well, and is removed otherwise.

    Raises
    ------
    DataError
        `folder` exists and is not a data set folder.
    """
    folder = folder.absolute()
    check_writable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        yield aside
        for path in [*aside.iterdir(), aside]:
            fsync(path)
        _swap(aside, folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def check_writable(folder: Path) -> None:
    """Refuse a folder that holds something other than a data set."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file", hint="name a folder")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise DataError(f"{folder} exists and is not a data set folder", hint="name a new folder, or empty this one")


def load_folder(folder: str | Path) -> Dataset:
    """Read a data set folder back, checking format version and hashes.

    Raises
    ------
    DataError
        There is no data set there, its format is newer, or a file differs from the one saved.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    for name, digest in manifest["sha256"].items():
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is missing", hint="import the data set again")
        if sha256(folder / name) != digest:
            hint = (
                f"import the data set again, or correct its sha256 and {WRITTEN} in {MANIFEST} if the change is meant"
            )
            raise DataError(f"{folder / name} is not the file that was saved (sha256 differs)", hint=hint)
    interactions = Interactions(pq.read_table(folder / INTERACTIONS))
    users = pq.read_table(folder / USERS) if USERS in manifest["sha256"] else None
    return Dataset(
        name=manifest["name"],
        interactions=interactions,
        catalog=Catalog(pq.read_table(folder / ITEMS)),
        users=IdMap(users[USER_ID] if users is not None else interactions.table[USER_ID].unique(), "user"),
        source=manifest["source"],
        licence=manifest["licence"],
        user_attributes=users if users is not None and users.num_columns > 1 else None,
        time=manifest["time"],
        written=manifest.get(WRITTEN, (folder / MANIFEST).stat().st_mtime),
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read ``dataset.json`` of a folder; tables are not touched.

    Raises
    ------
    DataError
        There is none, it is not readable, or its format version is not this one's.
    """
    path = folder / MANIFEST
    if not path.is_file():
        hint = "`genrec data list` shows the named sets, `genrec data import` makes a folder"
        raise DataError(f"no data set at {str(folder)!r}", hint=hint)
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["format_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path} is not a data set description: {error}") from error
    if version != FORMAT_VERSION:
        hint = "update genrec, or import the data set again"
        raise DataError(f"{path} has format version {version!r}; this genrec reads {FORMAT_VERSION}", hint=hint)
    return manifest


def write_manifest(folder: Path, fields: Mapping[str, Any]) -> None:
    """Write ``dataset.json``: format version, time, the fields, and the hash of every Parquet file in the folder."""
    hashes = {path.name: sha256(path) for path in sorted(folder.glob("*.parquet"))}
    manifest = {"format_version": FORMAT_VERSION, WRITTEN: int(time.time()), **fields, "sha256": hashes}
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _swap(aside: Path, folder: Path) -> None:
    old = aside.with_suffix(".old")
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    fsync(folder.parent)
    shutil.rmtree(old, ignore_errors=True)
