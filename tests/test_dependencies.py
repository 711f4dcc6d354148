"""Dependencies: each has version bounds, each is used, and the locks fit the bounds."""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
RUNTIME = [Requirement(line) for line in PROJECT["dependencies"]]
DEVELOPMENT = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]
SENTRY = [Requirement(line) for line in PROJECT["optional-dependencies"]["sentry"]]

# Dependencies that are used without an import: a file, and the text in it that proves the use.
USED_AS = {
    "gunicorn": ("console/server/serve.py", '"gunicorn"'),
    "tzdata": ("console/middleware.py", "zoneinfo"),
    "djlint": ("Makefile", "bin/djlint"),
    "django-stubs": ("pyproject.toml", "mypy_django_plugin"),
    "import-linter": ("Makefile", "bin/lint-imports"),
    "mypy": ("Makefile", "-m mypy"),
    "pytest-playwright": ("tests/browser/conftest.py", "browser_type_launch_args"),
    "pytest-django": ("pyproject.toml", "DJANGO_SETTINGS_MODULE"),
    "pytest-xdist": ("Makefile", "-m pytest -n"),
    "ruff": ("Makefile", "-m ruff"),
    "uv": ("Makefile", "bin/uv"),
}


def locked(path: str) -> dict[str, Version]:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", (ROOT / path).read_text(), re.MULTILINE)
    return {canonicalize_name(name): Version(version) for name, version in pins}


@cache
def distributions_of() -> Mapping[str, list[str]]:
    """Return the names of the distributions that provide each top-level package."""
    return packages_distributions()


@cache
def packages_named() -> set[str]:
    """Return the top-level packages that our code imports or names in a string, as settings name apps."""
    named: set[str] = set()
    for folder in ("console", "pingone_integration", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            named.update(re.findall(r"^ *(?:from|import) (\w+)", text, re.MULTILINE))
            named.update(re.findall(r"""["']([a-z_]+)(?:\.\w+)*["']""", text))
    return named


@pytest.mark.parametrize("requirement", RUNTIME + SENTRY + DEVELOPMENT, ids=lambda requirement: requirement.name)
def test_dependency_has_both_bounds(requirement: Requirement) -> None:
    operators = {specifier.operator for specifier in requirement.specifier}

    assert operators == {">=", "<"}


@pytest.mark.parametrize("requirement", RUNTIME + SENTRY + DEVELOPMENT, ids=lambda requirement: requirement.name)
def test_dependency_is_used(requirement: Requirement) -> None:
    if requirement.name in USED_AS:
        path, how = USED_AS[requirement.name]
        assert how in (ROOT / path).read_text()
    else:
        name = canonicalize_name(requirement.name)
        provides = {
            package
            for package, distributions in distributions_of().items()
            if name in map(canonicalize_name, distributions)
        }
        assert provides & packages_named()


@pytest.mark.parametrize(
    ("path", "requirements"),
    [
        ("requirements.txt", RUNTIME),
        ("requirements-sentry.txt", RUNTIME + SENTRY),
        ("requirements-dev.txt", RUNTIME + SENTRY + DEVELOPMENT),
    ],
)
def test_lock_satisfies_the_bounds(path: str, requirements: list[Requirement]) -> None:
    pins = locked(path)

    for requirement in requirements:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement


def test_development_lock_contains_the_runtime_lock() -> None:
    assert locked("requirements.txt").items() <= locked("requirements-sentry.txt").items()
    assert locked("requirements-sentry.txt").items() <= locked("requirements-dev.txt").items()


@pytest.mark.parametrize("path", ["requirements.txt", "requirements-sentry.txt", "requirements-dev.txt"])
def test_lock_has_a_hash_for_each_pin_and_names_no_host(path: str) -> None:
    text = (ROOT / path).read_text()

    for pin in re.split(r"\n(?=\S)", text):
        assert "--hash=sha256:" in pin, pin
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)
