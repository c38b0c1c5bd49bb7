"""What a report says of how it was made."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from genrec.checkout import commit
from genrec.cli.doctor import machine

__all__ = ["provenance", "typed"]


def provenance(script: str, packages: Sequence[str]) -> dict[str, Any]:
    """When, on what, from what and with what a measurement was made.

    Parameters
    ----------
    script
        What was run, as somebody types it: ``eval/decoding_speed.py``.
    packages
        Distributions whose versions matter beside genrec's.

    Returns
    -------
    dict
        ``command``, ``date`` (UTC), ``commit``, ``machine``, ``versions``; None for what is not known or not there.

    Examples
    --------
    >>> sorted(provenance("eval/x.py", ["numpy", "no-such-package"])["versions"].items())[1:2]
    [('no-such-package', None)]
    """
    return {
        "command": typed(["python", script, *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "machine": machine(),
        "versions": {name: _version(name) for name in ("genrec", *packages)},
    }


def typed(words: Sequence[str]) -> str:
    """A command as it was typed; folders of this machine by their last part only.

    Examples
    --------
    >>> typed(["python", "eval/x.py", "--out", "/home/ann/r.json"])
    'python eval/x.py --out .../r.json'
    """
    return shlex.join(f".../{Path(word).name}" if Path(word).is_absolute() else word for word in words)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
