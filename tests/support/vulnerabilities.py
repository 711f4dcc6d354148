"""`python -m tests.support.vulnerabilities`: known vulnerabilities of the locked packages, by pip-audit.

pip-audit is fetched for each run and asks the package index. Where that does not answer, one line says so.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_S = 180
PIP_AUDIT = ["tool", "run", "--quiet", "pip-audit", "--progress-spinner=off", "--require-hashes", "--disable-pip"]
NOT_CHECKED = "Known vulnerabilities were not checked: no database of them answers from here."


def main() -> int:
    """Return 1 if a package has a known vulnerability, else 0, also where nothing could be asked."""
    uv = Path(sys.executable).with_name("uv")
    try:
        asked = subprocess.run(
            [uv, *PIP_AUDIT, "--format=json", "--requirement", "requirements-dev.txt"],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=LIMIT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        asked = None
    text, is_safe = verdict(asked.stdout if asked else "")
    print(text)
    return 0 if is_safe else 1


def verdict(answer: str) -> tuple[str, bool]:
    """Return pip-audit's JSON in words, and False if a package is vulnerable."""
    try:
        packages = json.loads(answer)["dependencies"]
    except ValueError:
        return NOT_CHECKED, True
    checked = [package for package in packages if "vulns" in package]
    if not checked:
        return NOT_CHECKED, True
    lines = [line for package in checked for line in _vulnerable(package)]
    if skipped := [package["name"] for package in packages if "vulns" not in package]:
        lines.append(f"Not checked, because the index does not know them: {', '.join(skipped)}")
    is_safe = not any(package["vulns"] for package in checked)
    if is_safe:
        lines.append(f"No known vulnerability in {len(checked)} locked packages.")
    return "\n".join(lines), is_safe


def _vulnerable(package: dict[str, Any]) -> Iterator[str]:
    for found in package["vulns"]:
        mended = ", ".join(found["fix_versions"]) or "no version yet"
        yield f"{package['name']} {package['version']}: {found['id']}, mended in {mended}"


if __name__ == "__main__":
    sys.exit(main())
