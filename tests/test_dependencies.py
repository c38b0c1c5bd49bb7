from __future__ import annotations

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import genrec

PACKAGE = Path(genrec.__file__).parent
PYPROJECT = PACKAGE.parent / "pyproject.toml"
# transformers imports it when it reads GGUF weights
ON_BEHALF_OF_ANOTHER = {"gguf"}
# contract tests are imported by the tests of a plug-in only, which pytest runs
FOR_TESTS = {"pytest"}


def imported() -> set[str]:
    """Distributions that genrec imports, at the top of a module or within a function."""
    nodes = [node for path in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    owners = packages_distributions()
    third_party = {name.split(".")[0] for name in names} - sys.stdlib_module_names - {"genrec"}
    return {owners.get(name, [name])[0].lower().replace("_", "-") for name in third_party}


def requirements() -> list[Requirement]:
    return [Requirement(line) for line in tomllib.loads(PYPROJECT.read_text())["project"]["dependencies"]]


def extras() -> set[str]:
    """Distributions behind an extra."""
    groups = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    return {Requirement(line).name for lines in groups.values() for line in lines}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    needed = {requirement.name for requirement in requirements()}
    assert imported() - FOR_TESTS - (extras() - needed) == needed - ON_BEHALF_OF_ANOTHER


@pytest.mark.parametrize("requirement", requirements(), ids=lambda requirement: requirement.name)
def test_the_pinned_release_is_one_that_is_allowed(requirement):
    lines = (PACKAGE.parent / "constraints.txt").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line.strip() and not line.lstrip().startswith(("#", "-"))]
    [pin] = [pin for pin in pins if pin.name.lower() == requirement.name]
    [version] = pin.specifier
    assert requirement.specifier.contains(version.version)
