"""The version of genrec: written here once, read by the build and by the command line."""

from __future__ import annotations

__version__ = "0.1.0"
