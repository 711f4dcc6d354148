"""One version, told alike everywhere."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pingone_integration.version import VERSION

ROOT = Path(__file__).resolve().parent.parent


def test_version_is_that_of_the_project_and_the_newest_in_the_changelog() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = next(line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))

    assert project["version"] == VERSION
    assert newest.split()[1] == VERSION


@pytest.mark.parametrize("asked", ["version", "--version"])
def test_command_tells_the_version_without_any_setting(asked: str) -> None:
    told = subprocess.run(
        [sys.executable, ROOT / "manage.py", asked], env={}, capture_output=True, text=True, check=True, timeout=60
    )

    assert told.stdout == f"PingOne console {VERSION}\n"
