from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from genrec.cli.recipes import app
from genrec.errors import ConfigError
from genrec.shipped import FOLDERS, shipped_files, shipped_path, shipped_root

runner = CliRunner()


def invoke(*arguments):
    return runner.invoke(app, list(arguments), catch_exceptions=False)


def test_every_shipped_folder_is_listed_with_sizes():
    listed = {row["name"]: row["bytes"] for row in json.loads(invoke("ls", "--json").stdout)}
    assert {name.split("/")[0] for name in listed} == set(FOLDERS)
    assert all((shipped_root() / name).stat().st_size == size for name, size in listed.items())


def test_ls_of_a_folder_lists_that_folder_only():
    listed = [row["name"] for row in json.loads(invoke("ls", "eval", "--json").stdout)]
    assert "eval/README.md" in listed
    assert all(name.startswith("eval/") for name in listed)


def test_ls_says_what_a_file_is():
    assert "Evaluation recipes and results" in invoke("ls").stdout


def test_show_prints_the_file_as_it_is():
    for file in shipped_files("prompts"):
        assert invoke("show", file.as_posix()).stdout == (shipped_root() / file).read_text(encoding="utf-8")


def test_cp_of_a_file_and_of_a_folder(tmp_path):
    invoke("cp", "eval/README.md", str(tmp_path / "new"))
    assert (tmp_path / "new" / "README.md").read_bytes() == shipped_path("eval/README.md").read_bytes()
    invoke("cp", "prompts", str(tmp_path))
    copied = sorted(path.relative_to(tmp_path) for path in (tmp_path / "prompts").rglob("*") if path.is_file())
    assert copied == sorted(shipped_files("prompts"))


def test_cp_overwrites_nothing_unless_told_to(tmp_path):
    mine = tmp_path / "README.md"
    mine.write_text("mine")
    with pytest.raises(ConfigError, match=r"would overwrite .*README\.md"):
        invoke("cp", "eval/README.md", str(tmp_path))
    assert mine.read_text() == "mine"
    invoke("cp", "eval/README.md", str(tmp_path), "--force")
    assert mine.read_bytes() == shipped_path("eval/README.md").read_bytes()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "/etc/passwd", "prompts/../pyproject.toml", "genrec/errors.py", "eval/READ"]
)
def test_only_what_ships_is_found(name):
    with pytest.raises(ConfigError, match="nothing shipped"):
        shipped_path(name)


def test_a_near_miss_is_named():
    with pytest.raises(ConfigError) as caught:
        shipped_path("eval/README")
    assert caught.value.hint is not None
    assert "eval/README.md" in caught.value.hint


def test_a_folder_is_not_shown():
    with pytest.raises(ConfigError, match="is a folder"):
        invoke("show", "eval")


def test_documents_that_help_texts_name_are_shipped():
    assert "report.json" in invoke("show", "docs/benchmark.md").stdout
