"""Sealed values that cannot be opened: the messages on pages and in commands, and the recovery.

The causes: somebody with write access to the database swaps values or changes a bit, or the server loses a key.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import respx
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.test import Client

from console.models import AuditEntry, Operator, Organization
from pingone_integration.models import Connection
from tests.support.answers import ADA, ada

pytestmark = pytest.mark.database

ALTERED = "Their key is not among this server&#x27;s CREDENTIAL_KEYS, or the database was altered."
MOVED = "They were encrypted for another organization or another purpose: the database was altered."
UNLOCK = f"/o/acme/users/{ADA}/actions/user.unlock/"

Spoil = Callable[[Organization, Organization, Any], None]


def write(organization: Organization, **columns: str) -> None:
    Connection.objects.filter(pk=organization.connection.pk).update(**columns)


def swap_organizations(acme: Organization, globex: Organization, settings: Any) -> None:
    ours, theirs = acme.connection.sealed_access_token, globex.connection.sealed_access_token
    write(acme, sealed_access_token=theirs)
    write(globex, sealed_access_token=ours)


def swap_columns(acme: Organization, globex: Organization, settings: Any) -> None:
    kept = acme.connection
    write(acme, sealed_access_token=kept.sealed_client_secret, sealed_client_secret=kept.sealed_access_token)


def flip_a_bit(acme: Organization, globex: Organization, settings: Any) -> None:
    sealed = bytearray(urlsafe_b64decode(acme.connection.sealed_access_token))
    sealed[40] ^= 1
    write(acme, sealed_access_token=urlsafe_b64encode(sealed).decode())


def cut_off(acme: Organization, globex: Organization, settings: Any) -> None:
    write(acme, sealed_access_token=acme.connection.sealed_access_token[:50])


def lose_the_key(acme: Organization, globex: Organization, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]


EVERY_WAY = pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (swap_organizations, MOVED),
        (swap_columns, MOVED),
        (flip_a_bit, ALTERED),
        (cut_off, ALTERED),
        (lose_the_key, ALTERED),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)


@EVERY_WAY
def test_page_reports_unreadable_credentials_without_a_call(
    browser_of: Callable[[Operator], Client],
    org_admin: Operator,
    acme: Organization,
    globex: Organization,
    pingone: respx.MockRouter,
    settings: Any,
    spoil: Spoil,
    cause: str,
) -> None:
    spoil(acme, globex, settings)

    response = browser_of(org_admin).get("/o/acme/users/")

    assert response.status_code == 503
    page = response.content.decode()
    assert "The stored credentials cannot be decrypted" in page
    assert cause in page
    assert "an org admin to enter the Client secret and connect again" in page
    assert str(acme.connection.pk) not in page


@EVERY_WAY
def test_action_with_unreadable_credentials_fails(
    browser_of: Callable[[Operator], Client],
    helpdesk: Operator,
    acme: Organization,
    globex: Organization,
    pingone: respx.MockRouter,
    settings: Any,
    spoil: Spoil,
    cause: str,
) -> None:
    spoil(acme, globex, settings)

    response = browser_of(helpdesk).post(UNLOCK, {"submission": str(uuid4())})

    assert response.status_code == 503
    assert cause in response.content.decode()
    assert not AuditEntry.objects.current().filter(outcome__in=["started", "succeeded", "unknown"]).exists()


@EVERY_WAY
def test_commands_report_unreadable_credentials(
    helpdesk: Operator,
    acme: Organization,
    globex: Organization,
    pingone: respx.MockRouter,
    settings: Any,
    capsys: pytest.CaptureFixture[str],
    spoil: Spoil,
    cause: str,
) -> None:
    spoil(acme, globex, settings)
    plain = cause.replace("&#x27;", "'")

    with pytest.raises(CommandError) as unlocking:
        call_command("pingone", "acme", "user.unlock", "--user", str(ADA), "--as", helpdesk.email)
    with pytest.raises(CommandError) as rotating:
        call_command("rotate_credentials")
    with pytest.raises(SystemExit):
        call_command("check_connection", "acme")

    assert f"The stored credentials cannot be decrypted. {plain}" in str(unlocking.value)
    assert f"  Connection {acme.connection.pk}: sealed_access_token: {plain}" in str(rotating.value).splitlines()
    assert str(rotating.value).splitlines()[-1].startswith("Put the key they were sealed with back")
    assert plain in capsys.readouterr().out


def test_other_organizations_keep_working(
    browser_of: Callable[[Operator], Client],
    stranger: Operator,
    acme: Organization,
    pingone: respx.MockRouter,
    settings: Any,
) -> None:
    flip_a_bit(acme, acme, settings)
    pingone.get(f"/users/{ADA}").respond(json=ada())

    assert browser_of(stranger).get(f"/o/globex/users/{ADA}/").status_code == 200


def test_restored_key_makes_everything_work_again(
    browser_of: Callable[[Operator], Client],
    helpdesk: Operator,
    acme: Organization,
    pingone: respx.MockRouter,
    settings: Any,
) -> None:
    the_key = settings.CREDENTIAL_KEYS
    lose_the_key(acme, acme, settings)
    agent = browser_of(helpdesk)
    assert agent.get(f"/o/acme/users/{ADA}/").status_code == 503
    pingone.get(f"/users/{ADA}").respond(json=ada())

    settings.CREDENTIAL_KEYS = [*settings.CREDENTIAL_KEYS, *the_key]

    assert agent.get(f"/o/acme/users/{ADA}/").status_code == 200
    acme.connection.refresh_from_db()
    assert acme.connection.state == Connection.State.CONNECTED


def test_lost_key_lets_an_org_admin_enter_the_secret_again(
    browser_of: Callable[[Operator], Client], org_admin: Operator, acme: Organization, settings: Any
) -> None:
    lose_the_key(acme, acme, settings)
    admin = browser_of(org_admin)
    page = "/o/acme/settings/connection/"
    connection = acme.connection
    typed = {
        "client_id": connection.client_id,
        "client_secret": "typed-anew",
        "auth_url": connection.auth_url,
        "environment_id": str(connection.environment_id),
        "client_authentication": connection.client_authentication,
    }

    assert admin.get(page).status_code == 200
    assert admin.post(page, typed).status_code == 302

    connection.refresh_from_db()
    assert connection.unseal("client_secret") == "typed-anew"
