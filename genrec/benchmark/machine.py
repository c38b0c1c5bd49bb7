"""The machine that a benchmark runs on, and the versions of what computes."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

from genrec.version import __version__

LIBRARIES = ("numpy", "scipy", "torch", "transformers", "implicit", "scikit-learn")


def machine() -> dict[str, str | int]:
    """System, processor, cores that this process may use, and memory.

    Examples
    --------
    >>> sorted(machine())
    ['cores', 'memory_bytes', 'processor', 'system']
    """
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int(psutil.virtual_memory().total),
    }


def versions() -> dict[str, str]:
    """Of genrec, Python, and the libraries that compute, as far as they are installed.

    Examples
    --------
    >>> "torch" in versions()
    True
    """
    found = {"genrec": __version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except ImportError:  # an extra that is not installed
            continue
    return found


def machine_line(found: dict[str, str | int]) -> str:
    """A machine in words.

    Examples
    --------
    >>> machine_line({"system": "Linux", "processor": "Xeon", "cores": 2, "memory_bytes": 24 * 2**30})
    'Xeon, 2 cores used, 24 GiB'
    """
    return f"{found['processor']}, {found['cores']} cores used, {int(found['memory_bytes']) / 2**30:.0f} GiB"


def versions_line(found: dict[str, str]) -> str:
    """Versions in words.

    Examples
    --------
    >>> versions_line({"genrec": "0.1.0", "torch": "2.13.0"})
    'genrec 0.1.0, torch 2.13.0'
    """
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
