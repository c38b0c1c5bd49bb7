"""What the standard library leaves out when files are written to last."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ASIDE = ".aside"
"""What the names of folders end with that :func:`folder_aside` makes."""


def fsync(path: Path) -> None:
    """Wait until a file, or the entries of a folder, are on the disk.

    Parameters
    ----------
    path
        The file or folder.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Digest of a file's content, in hexadecimal.

    Parameters
    ----------
    path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "empty"
    ...     _ = file.write_bytes(b"")
    ...     sha256(file)[:8]
    'e3b0c442'
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def folder_aside(target: Path) -> Iterator[Path]:
    """A new folder beside ``target``, from where things can be renamed; removed at the end of the block.

    A process that is killed leaves its folder. The next one that asks for a folder at the same place removes it: a
    folder that is in use is locked, and the lock ends with its process.

    Parameters
    ----------
    target
        What is going to be written; its parent is made if it is not there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with folder_aside(Path(place) / "model") as aside:
    ...         made = aside.parent == Path(place) and aside.is_dir()
    ...     print(made, aside.exists())
    True False
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".*{ASIDE}"):
        with _opened(left) as descriptor:
            if _lock(descriptor):
                shutil.rmtree(left, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    with _opened(new) as descriptor:
        _lock(descriptor)
        aside = new.rename(new.with_name(new.name + ASIDE))  # locked before anybody looks for it
        try:
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def _opened(folder: Path) -> Iterator[int | None]:
    """Descriptor of a folder; None if it is not there, or no longer."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(descriptor: int | None) -> bool:
    """Whether a folder is ours until its descriptor is closed; not where its file system has no such locks."""
    if descriptor is None:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
