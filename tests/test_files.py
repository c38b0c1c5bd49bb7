"""Folders that are written aside, and what processes leave that were killed."""

import subprocess
import sys

from genrec.files import folder_aside

WAITS = """
import sys
from pathlib import Path
from genrec.files import folder_aside
with folder_aside(Path(sys.argv[1])) as aside:
    (aside / "half").write_text("half")
    print(aside, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_with_the_next_one_and_what_is_in_use_stays(tmp_path):
    commands = [[sys.executable, "-c", WAITS, str(tmp_path / "models" / name)] for name in ("first", "second")]
    killed, alive = (subprocess.Popen(one, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for one in commands)
    left, used = (process.stdout.readline().decode().strip() for process in (killed, alive))
    killed.kill()
    killed.communicate()
    folders = lambda: {str(path) for path in (tmp_path / "models").iterdir()}  # noqa: E731
    assert folders() == {left, used}
    with folder_aside(tmp_path / "models" / "third") as own:
        assert folders() == {used, str(own)}
    assert folders() == {used}
    alive.communicate()
    assert alive.returncode == 0
    assert folders() == set()


def test_one_that_was_renamed_stays(tmp_path):
    with folder_aside(tmp_path / "model") as aside:
        (aside / "model").mkdir()
        (aside / "model").rename(tmp_path / "model")
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
