"""The secrets that compose.yaml's first start makes."""

import stat
from pathlib import Path
from urllib.parse import urlsplit

from console.server.first_secrets import make_secrets
from console.server.secret_key import check_secret_key
from pingone_integration.sealing import check_keys


def made(directory: Path) -> dict[str, str]:
    make_secrets(directory, directory)
    return {file.name: file.read_text() for file in directory.iterdir()}


def test_first_start_makes_secrets_that_the_settings_accept(tmp_path: Path) -> None:
    files = made(tmp_path)

    check_secret_key(files["secret_key"])
    check_keys([files["credential_keys"]])
    assert urlsplit(files["database_url"]).password == files["password"]
    assert len(files["password"]) == 64
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o400}


def test_later_start_changes_no_secret(tmp_path: Path) -> None:
    first = made(tmp_path)
    assert made(tmp_path) == first

    (tmp_path / "secret_key").unlink()
    again = made(tmp_path)
    assert again["secret_key"] != first["secret_key"]
    assert again | {"secret_key": ""} == first | {"secret_key": ""}
