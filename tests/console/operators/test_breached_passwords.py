"""Passwords from data breaches are refused by a file of the server, and nobody is asked about them."""

from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from console.models import Operator, Organization
from console.operators.breached_passwords import check_breached_passwords, is_listed
from tests.support.people import invite

BREACHED = "purple elephants dance"


def listed(*passwords: str) -> str:
    hashes = sorted(sha1(one.encode(), usedforsecurity=False).hexdigest().upper() for one in passwords)
    return "".join(f"{one}:{number * 7}\r\n" for number, one in enumerate(hashes, 1))


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    path = tmp_path / "breached.txt"
    path.write_text(listed(BREACHED, *map(str, range(500))))
    settings.BREACHED_PASSWORDS = str(path)
    return path


@pytest.mark.django_db
@pytest.mark.parametrize(("password", "is_taken"), [(BREACHED, False), (f"{BREACHED}!", True)])
def test_breached_password_opens_no_account(
    file: Path, acme: Organization, org_admin: Operator, password: str, is_taken: bool
) -> None:
    link = invite("new@acme.test", to=acme)

    page = Client().post(link, {"password1": password, "password2": password})

    assert ("was in a data breach" in page.text) is not is_taken
    assert Operator.objects.filter(email="new@acme.test").exists() is is_taken


@pytest.mark.django_db
def test_breached_password_is_not_changed_to(file: Path, org_admin: Operator) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": org_admin.email, "password": "correct horse battery"})
    chosen = {"oldpassword": "correct horse battery", "password1": BREACHED, "password2": BREACHED}

    page = browser.post("/accounts/password/change/", chosen)

    assert "was in a data breach" in page.text
    assert Operator.objects.get(pk=org_admin.pk).check_password("correct horse battery")


@given(of=st.sets(st.integers(0, 40)), ends=st.booleans())
def test_exactly_what_is_in_the_file_is_found(
    tmp_path_factory: pytest.TempPathFactory, of: set[int], ends: bool
) -> None:
    path = tmp_path_factory.mktemp("breached") / "list.txt"
    path.write_bytes(listed(*map(str, of)).encode()[: None if ends else -2])  # the last line may lack its end

    assert {number for number in range(50) if is_listed(path, str(number))} == of


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "cannot be read"),
        ("", "ordered by hash"),
        ("password\n", "ordered by hash"),
        (f"{'B' * 40}:1\n{'A' * 40}:1\n", "ordered by hash"),
        (f"{'A' * 32}:1\n", "ordered by hash"),
    ],
    ids=["missing", "empty", "plain", "by count", "another hash"],
)
def test_other_file_stops_the_start(tmp_path: Path, content: str | None, told: str) -> None:
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_text(content)

    with pytest.raises(ImproperlyConfigured, match=told):
        check_breached_passwords(str(path))
    with pytest.raises(ImproperlyConfigured, match="absolute"):
        check_breached_passwords("list.txt")


def test_file_of_the_downloader_is_taken(file: Path) -> None:
    assert check_breached_passwords(str(file)) == str(file)
    assert check_breached_passwords("") == ""
