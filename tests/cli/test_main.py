from __future__ import annotations

import json
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrec
from genrec.cli import console, main
from genrec.errors import ConfigError, DataError

GENREC = [sys.executable, "-m", "genrec"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*GENREC, *arguments], capture_output=True, text=True, check=False)


def run_with(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line with one more command, ``boom``, whose body is given."""
    imports = "import logging, warnings\nfrom genrec.errors import *\nfrom genrec.cli import main"
    code = f"{imports}\n{command}\nmain.main()"
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def test_version_is_the_one_the_build_reads():
    done = run("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"genrec {genrec.version.__version__}\n", "")


def test_help_names_every_command():
    done = run("--help")
    assert done.returncode == 0
    for command in main.app.registered_commands:
        assert re.search(rf"\b{command.name or command.callback.__name__}\b", done.stdout)
    for group in main.app.registered_groups:
        assert group.name in done.stdout


HEAVY = {"torch", "transformers", "pyarrow", "numpy", "scipy", "datasets", "peft", "sklearn", "pandas"}


def test_starting_up_imports_nothing_heavy():
    code = f"import sys; import genrec.cli.main; print(sorted({HEAVY} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["finetune", "--help"], ["recommend", "--help"]])
def test_version_and_help_answer_without_anything_heavy(arguments):
    """What takes time at the start is imports; how long is a matter of the machine, and of what else it does."""
    code = f"import sys; sys.modules.update(dict.fromkeys({HEAVY})); import genrec.__main__ as m; m.main()"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["no-such-command"], ["--no-such-option"], ["-v", "-q", "doctor"], []])
def test_usage_errors_exit_2_and_keep_stdout_for_results(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    if arguments:
        assert done.stdout == ""
        assert done.stderr


@pytest.mark.parametrize(("error", "status"), [(DataError, 1), (ConfigError, 2)])
def test_errors_become_a_message_a_hint_and_their_exit_status(error, status):
    command = f"@main.app.command()\ndef boom(): raise {error.__name__}('no column [usr]\\x1b', hint='columns: a, b')"
    done = run_with(command, "boom")
    assert done.returncode == status
    assert done.stdout == ""
    assert done.stderr == "error: no column [usr]\ufffd\n  hint: columns: a, b\n"


def test_a_bug_keeps_its_traceback():
    done = run_with("@main.app.command()\ndef boom(): raise ZeroDivisionError('a bug')", "boom")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ZeroDivisionError: a bug" in done.stderr


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "log.csv").write_text("user_id,item_id\nann,tea\n")
    done = run("data", "import", str(tmp_path / "log.csv"), "--out", str(tmp_path / "file" / "shop"))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"error: {tmp_path / 'file'}: " in done.stderr
    assert "hint: " in done.stderr


def test_an_interrupt_exits_130_and_says_how_to_go_on(tmp_path):
    (tmp_path / "finetune.json").touch()
    body = "@main.app.command()\ndef finetune(data: str, out: str = ''): print('ready', flush=True); time.sleep(60)"
    # registered first, so that the real finetune, once there, is out of the way
    # a background job of a script is started with SIGINT ignored, and hands that on
    heed = "signal.signal(signal.SIGINT, signal.default_int_handler)"
    first = f"import signal, time\n{heed}\nfrom genrec.cli import main\nmain.app.registered_commands = []"
    code = f"{first}\n{body}\nmain.main()"
    arguments = [sys.executable, "-c", code, "finetune", "my data", "--out", str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors == f"\ninterrupted; go on with: genrec finetune 'my data' --out {tmp_path} --resume\n"


def test_what_has_not_begun_is_not_resumed(tmp_path):
    command = ["finetune", "--data", "d", f"--out={tmp_path}"]
    assert main.continuation(command) == f"genrec finetune --data d --out={tmp_path}"
    (tmp_path / "finetune.json").touch()
    assert main.continuation(command) == f"genrec finetune --data d --out={tmp_path} --resume"


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ([], ["notable", "warning: slow, use x", "error: bad"]),
        (["--quiet"], ["error: bad"]),
        (["--verbose"], ["detail", "notable", "warning: slow, use x", "error: bad"]),
    ],
)
def test_the_log_goes_to_stderr_at_the_level_asked_for(options, shown):
    command = (
        "log = logging.getLogger('genrec.x')\n"
        "@main.app.command()\n"
        "def boom(): log.debug('detail'); log.info('notable'); warnings.warn('slow, use x'); log.error('bad')"
    )
    done = run_with(command, *options, "boom")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == shown


def test_json_has_no_nan_and_takes_what_commands_hand_over(capsys):
    console.print_json({"ndcg": float("nan"), "k": np.int64(3), "items": np.array([1.5, np.inf]), "t": "Amélie\ud800"})
    assert json.loads(capsys.readouterr().out) == {"ndcg": None, "k": 3, "items": [1.5, None], "t": "Amélie\ud800"}
    with pytest.raises(TypeError, match="object"):
        console.print_json({"x": object()})


def test_tables_show_markup_as_text_and_are_not_cut_in_a_pipe(capsys):
    console.print_table(["title", "score"], [["[bold]Heat[/] " + "x" * 300, 0.5], ["Alien", None]])
    out = capsys.readouterr().out
    assert "[bold]Heat[/] " + "x" * 300 in out
    assert "0.5000" in out
    assert "\x1b" not in out


def test_titles_and_footers_are_not_broken_at_the_width_of_the_table(capsys):
    console.print_table(["#"], [[1]], title="a title of many words", footer="a footer of many words")
    assert {"a title of many words", "a footer of many words"} <= set(capsys.readouterr().out.splitlines())
    console.print_table(["#"], [], footer="nothing")
    assert capsys.readouterr().out == "nothing\n"


@given(st.text())
def test_printable_keeps_the_length_and_nothing_that_drives_a_terminal(text):
    shown = console.printable(text)
    assert len(shown) == len(text)
    assert all(char >= " " and not "\x7f" <= char <= "\x9f" for char in shown)
    assert console.printable(shown) == shown
