"""`python -m tests.support.asvs`: render docs/asvs.toml as docs/asvs.md."""

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
RENDERED = DOCS / "asvs.md"
HEAD = """# ASVS

The console against the OWASP Application Security Verification Standard 5.0.0, levels 1 and 2, by its numbers.
`make asvs` renders this from [asvs.toml](asvs.toml). {counts}

| Number | State | Where | Test | Note |
|---|---|---|---|---|
"""


def requirements() -> dict[str, dict[str, Any]]:
    return tomllib.loads((DOCS / "asvs.toml").read_text())


def rendered() -> str:
    found = requirements()
    states = Counter(one["state"] for one in found.values())
    counts = ", ".join(f"{states[state]} {state}" for state in ("met", "not met", "not applicable"))
    lines = [
        f"| {number} | {one['state']} | {_code(one.get('where'))} | {_code(one.get('test'))} | {one['note']} |"
        for number, one in found.items()
    ]
    return HEAD.format(counts=f"{counts[0].upper()}{counts[1:]}.") + "\n".join(lines) + "\n"


def exists(where: str) -> bool:
    """Return whether a file, a directory or a test (`path::function`) of the project exists."""
    path, _separator, function = where.partition("::")
    file = DOCS.parent / path
    return file.exists() and (not function or f"\ndef {function}(" in file.read_text())


def _code(path: str | None) -> str:
    return f"`{path}`" if path else ""


if __name__ == "__main__":
    RENDERED.write_text(rendered())
