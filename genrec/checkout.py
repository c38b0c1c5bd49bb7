"""The checkout that the running code lies in, if it lies in one."""

from __future__ import annotations

import subprocess
from pathlib import Path


def commit() -> str | None:
    """Commit that the code stands at, with ``-dirty`` if files were changed since; None outside of a checkout.

    Examples
    --------
    >>> commit() is None or len(commit().removesuffix("-dirty")) == 40
    True
    """
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():  # such as site-packages within somebody else's repository
        return None
    git = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        found = subprocess.run(git, capture_output=True, text=True, check=False)
    except OSError:  # no git
        return None
    return found.stdout.strip() or None
