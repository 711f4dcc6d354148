"""What whoever runs a server sets: documented completely, and refused at start when it cannot work."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
READERS = ["console/settings.py", "gunicorn.conf.py"]

WORKING = {
    "SECRET_KEY": "only-for-tests-" + "x" * 50,
    "CREDENTIAL_KEYS": "3pCY8fC1q6HqBvQyqgJkZlWQYbT1VQm0n1kGqj1p8lQ=",
    "PUBLIC_URL": "https://console.acme.test",
}


def variables_read() -> set[str]:
    """The first argument of every `env.<type>("NAME", ...)`."""
    return {
        node.args[0].value
        for path in READERS
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and "env" in {getattr(node.func.value, "id", None), getattr(node.func.value, "attr", None)}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def test_env_example_names_every_setting_and_no_other() -> None:
    named = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)

    assert len(named) == len(set(named))
    assert set(named) == variables_read()


def test_the_readme_table_names_every_setting_and_no_other() -> None:
    named = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)

    assert len(named) == len(set(named))
    assert set(named) == variables_read()


def start(**environment: str | None) -> subprocess.CompletedProcess[str]:
    """Load configuration and application as gunicorn does, without serving; whatever .env lies here is not read."""
    ignore_dotenv = "import environ; environ.Env.read_env = lambda *args, **options: None"
    serve = "from gunicorn.app.wsgiapp import run; run()"
    kept = {name: value for name in ("PATH", "HOME") if (value := os.environ.get(name)) is not None}
    given = {name: value for name, value in {**WORKING, **environment}.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-c", f"{ignore_dotenv}; {serve}", "--check-config", "console.wsgi"],
        cwd=ROOT,
        env=kept | given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_three_settings_are_enough_to_start() -> None:
    started = start()

    assert started.returncode == 0, started.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", None),
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "changeme"),
        ("CREDENTIAL_KEYS", None),
        ("CREDENTIAL_KEYS", ""),
        ("CREDENTIAL_KEYS", "changeme"),
        ("CREDENTIAL_KEYS", WORKING["CREDENTIAL_KEYS"] + ",changeme"),
        ("PUBLIC_URL", None),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "console.acme.test"),
        ("PUBLIC_URL", "https://console.acme.test/app"),
        ("PINGONE_CUSTOM_HOSTS", "login.acme.test"),
        ("TRUSTED_PROXIES", "proxy"),
    ],
)
def test_a_setting_that_cannot_work_stops_the_start_and_names_itself(name: str, value: str | None) -> None:
    refused = start(**{name: value})

    assert refused.returncode != 0
    assert name in refused.stderr.splitlines()[-1]
    assert "changeme" not in refused.stderr
