"""A bar where somebody looks, nothing where nobody does."""

import os
import pty
import subprocess
import sys

CODE = "from genrec.progress import in_batches; print([[*range(7)][some] for some in in_batches('think', 7, 3)])"


def test_a_terminal_shows_a_bar_and_nothing_else_does():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("[[0, 1, 2], [3, 4, 5], [6]]\n", "")
    ours, theirs = pty.openpty()
    done = subprocess.run([sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=theirs, text=True, check=True)
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.stdout == "[[0, 1, 2], [3, 4, 5], [6]]\n"
    assert "think" in shown
