"""Finds a Chromium for the tests of the page. As a script: gets one where there is none, and says where it is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HOW = "`make browser` gets one, or put chromium or google-chrome on the PATH"
APT = ("apt-get", "-q", "-y", "--no-install-recommends", "install", "chromium")


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome that runs: one on the PATH, or playwright's own."""
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    found = [*filter(None, map(shutil.which, NAMES)), *([own] if Path(own).is_file() else [])]
    return next(filter(runs, found), None)


def runs(path: str) -> bool:
    """Whether a browser starts: some distributions have a script in its place that only says where to get it."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def get_chromium() -> str | None:
    """Find one, or install the distribution's, which takes root and apt, or else playwright's."""
    if found := find_chromium():
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-q", "update"], check=False, env=quiet)
        subprocess.run(APT, check=False, env=quiet)
        if found := find_chromium():
            return found
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    return find_chromium()


if __name__ == "__main__":
    path = get_chromium()
    sys.exit(f"no Chromium, and none could be got: {HOW}" if path is None else print(path))
