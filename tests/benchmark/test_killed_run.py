"""A run that is killed leaves nothing behind that computes."""

import os
import signal
import subprocess
import sys
import time

import psutil

SLOW = """
import time
from pathlib import Path
import numpy as np
from genrec.baselines.base import Scorer

class Slow(Scorer):
    name = "slow"
    serves_cold_users = serves_cold_items = False

    def fit(self, dataset):
        import os
        Path(os.environ["PID_FILE"]).write_text(str(os.getpid()))
        time.sleep(600)
    def score(self, histories):
        return np.zeros((len(histories), 24), dtype=np.float32)
"""


def test_the_worker_of_a_killed_run_ends(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    pid_file = tmp_path / "pid"
    command = [sys.executable, "-m", "genrec", "benchmark", "--data", "toy", "--models", "popularity"]
    command += ["--scorer", f"{tmp_path / 'slow.py'}:Slow", "--trials", "1", "--out", str(tmp_path / "out")]
    run = subprocess.Popen(command, env={**os.environ, "PID_FILE": str(pid_file)}, stderr=subprocess.DEVNULL)
    try:
        _until(pid_file.exists, 120)
        _until(lambda: pid_file.read_text() != "", 5)
        worker = psutil.Process(int(pid_file.read_text()))
        run.send_signal(signal.SIGKILL)
        run.wait()
        _until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 10)
    finally:
        run.kill()


def _until(happened, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)
