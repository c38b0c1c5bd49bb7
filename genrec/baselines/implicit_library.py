"""The library that ALS and BPR come from, which genrec does without otherwise."""

from __future__ import annotations

import sys
from importlib import util

from genrec.errors import UnsupportedError


def require_implicit(scorer: str) -> None:
    """Say what to install where the library is missing.

    Parameters
    ----------
    scorer
        Which scorer asks.

    Raises
    ------
    UnsupportedError
        `implicit` is not installed.

    Examples
    --------
    >>> require_implicit("als")
    """
    if util.find_spec("implicit") is None:
        raise UnsupportedError(f"{scorer} needs the library implicit", hint="pip install 'genrec[cf]'")


def show_progress() -> bool:
    """Whether a progress bar has a terminal to stand on."""
    return sys.stderr.isatty()
