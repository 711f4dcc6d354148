"""Recovery codes: only hashes are kept, and the codes themselves are seen once."""

import re
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.db import connection
from django.test import Client

from console.models import Operator
from console.operators.recovery_codes import HashedRecoveryCodes

pytestmark = [pytest.mark.database, pytest.mark.django_db]
SECRET = "JBSWY3DPEHPK3PXP"
GENERATE, VIEW = "/accounts/2fa/recovery-codes/generate/", "/accounts/2fa/recovery-codes/"
THE_SEED = "a" * 80


def listed(page: str) -> list[str]:
    return re.findall(r"<li>(\d{8})</li>", page)


def with_password(client: Client, operator: Operator) -> Client:
    """Sign in again, which allauth asks for."""
    client.post("/accounts/reauthenticate/", {"password": "correct horse battery"})
    return client


def with_code(operator: Operator, code: str) -> bool:
    browser = Client()
    browser.post("/accounts/login/", {"login": operator.email, "password": "correct horse battery"})
    browser.post("/accounts/2fa/authenticate/", {"code": code})
    return browser.get("/o/acme/").status_code == 200


def test_codes_are_shown_once_and_each_signs_in_once(
    browser_of: Callable[[Operator], Client], org_admin: Operator
) -> None:
    TOTP.activate(org_admin, SECRET)
    browser = with_password(browser_of(org_admin), org_admin)

    browser.post(GENERATE)
    waiting = str(dict(browser.session))
    codes = listed(browser.get(VIEW).text)

    assert (len(codes), len(set(codes))) == (10, 10)
    stored = str(Authenticator.objects.get(type="recovery_codes").data)
    for code in codes:
        assert code not in stored
        assert code not in waiting
    again = browser.get(VIEW).text
    assert listed(again) == []
    assert "shown once, when they are made" in again
    assert "10 of 10 are unused" in browser.get("/accounts/2fa/").text
    assert browser.get("/accounts/2fa/recovery-codes/download/").status_code == 403
    assert with_code(org_admin, f" {codes[3][:4]} {codes[3][4:]} ")
    assert not with_code(org_admin, codes[3])
    assert not with_code(org_admin, "")
    assert "9 of 10 are unused" in browser.get("/accounts/2fa/").text
    assert "9 unused codes stop working" in browser.get(GENERATE).text


def test_codes_wait_in_the_browser_where_they_were_made_alone(
    browser_of: Callable[[Operator], Client], org_admin: Operator
) -> None:
    TOTP.activate(org_admin, SECRET)
    browser, another = (with_password(browser_of(org_admin), org_admin) for _ in range(2))

    browser.post(GENERATE)

    assert listed(another.get(VIEW).text) == []
    assert len(listed(browser.get(VIEW).text)) == 10


def with_seed(operator: Operator, *, used_mask: int = 0) -> tuple[Authenticator, list[str]]:
    """Return recovery codes as the version before kept them."""
    kept = Authenticator.objects.create(
        user=operator,
        type="recovery_codes",
        data={"seed": get_adapter().encrypt(THE_SEED), "used_mask": used_mask},
    )
    return kept, OLD(kept).generate_codes()


OLD = HashedRecoveryCodes.__mro__[1]


def migrate() -> None:
    migration = import_module("console.migrations.0041_hashed_recovery_codes")
    migration.hash_codes(apps, SimpleNamespace(connection=connection))


def test_migration_keeps_the_codes_that_are_left(org_admin: Operator, helpdesk: Operator) -> None:
    kept, codes = with_seed(org_admin, used_mask=0b101)

    migrate()
    kept.refresh_from_db()
    migrate()  # and once more

    assert "seed" not in kept.data
    assert OLD(kept).get_unused_codes() == []  # the version before finds none, and does not fail
    assert OLD(kept).validate_code(codes[1]) is False
    theirs = kept.wrap()
    assert isinstance(theirs, RecoveryCodes)
    assert len(theirs.get_unused_codes()) == 8
    assert not theirs.validate_code(codes[0])
    assert theirs.validate_code(codes[1])
    assert not theirs.validate_code(codes[1])
    assert not theirs.validate_code(codes[2])


def test_codes_that_the_version_before_made_meanwhile_are_good(org_admin: Operator) -> None:
    kept, codes = with_seed(org_admin, used_mask=0b1)

    assert not kept.wrap().validate_code(codes[0])
    assert kept.wrap().validate_code(codes[1])
    assert "seed" not in Authenticator.objects.get().data
    assert not kept.wrap().validate_code(codes[1])


def test_seed_of_a_key_that_is_gone_leaves_no_code(org_admin: Operator, settings: object) -> None:
    kept, codes = with_seed(org_admin)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]  # type: ignore[attr-defined]

    migrate()
    kept.refresh_from_db()

    assert kept.data["hashes"] == []
    assert not kept.wrap().validate_code(codes[0])
