"""Where the files a user may read or edit are found: docs/, prompts/, finetune/ and eval/.

In a checkout they lie beside the package; a wheel carries them inside it, under ``genrec/_shipped/``.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from genrec.errors import ConfigError

FOLDERS = ("docs", "examples", "prompts", "finetune", "eval")

_PACKAGE = Path(__file__).parent


def shipped_root() -> Path:
    """Folder that holds the shipped folders: the checkout, or ``genrec/_shipped`` of an installed wheel."""
    inside = _PACKAGE / "_shipped"
    return inside if inside.is_dir() else _PACKAGE.parent


def shipped_files(folder: str = "") -> list[Path]:
    """Files that ship with genrec, sorted, relative to :func:`shipped_root`.

    Parameters
    ----------
    folder
        List the files below this folder only, for example ``"finetune/configs"``. Default: all.

    Examples
    --------
    >>> Path("eval/README.md") in shipped_files("eval")
    True
    """
    root = shipped_root()
    files = (path.relative_to(root) for name in FOLDERS for path in sorted((root / name).rglob("*")) if path.is_file())
    shown = (file for file in files if not any(part == "__pycache__" or part.startswith(".") for part in file.parts))
    return [file for file in shown if file.is_relative_to(folder)]


def shipped_path(name: str) -> Path:
    """Absolute path of a shipped file or folder.

    Parameters
    ----------
    name
        Its path as ``genrec recipes ls`` prints it, for example ``"prompts"`` or ``"eval/README.md"``.

    Raises
    ------
    ConfigError
        When nothing of that name ships.

    Examples
    --------
    >>> shipped_path("eval/README.md").name
    'README.md'
    """
    wanted = Path(name)
    files = shipped_files()
    if wanted.parts and any(file.is_relative_to(wanted) for file in files):
        return shipped_root() / wanted
    near = difflib.get_close_matches(name, [file.as_posix() for file in files], n=3, cutoff=0.4)
    hint = f"did you mean {', '.join(near)}?" if near else "`genrec recipes ls` lists them"
    msg = f"nothing shipped under the name {name!r}"
    raise ConfigError(msg, hint=hint)


def given_or_shipped(path: Path) -> Path:
    """A file the user names: as it is if it exists, else the shipped file of that name.

    Parameters
    ----------
    path
        For example ``finetune/configs/gpt-semantic.yaml``, which works wherever genrec is installed.

    Raises
    ------
    ConfigError
        When there is no such file, but shipped ones have nearly its name.
    """
    if path.exists():
        return path
    files = shipped_files()
    if path in files:
        return shipped_path(path.as_posix())
    near = [file.as_posix() for file in files if path.stem and path.stem == file.stem]
    if near:
        raise ConfigError(f"no such file: {path}", hint=f"did you mean {', '.join(near)}?")
    return path
