"""Where genrec keeps what it can make again."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder of converted base models, encoded texts and solved EASE; it may be deleted at any time.

    Returns
    -------
    Path
        The environment variable ``GENREC_CACHE``, or ``~/.cache/genrec``.
    """
    return Path(os.environ.get("GENREC_CACHE") or Path.home() / ".cache" / "genrec")
