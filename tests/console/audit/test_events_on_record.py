"""Audit entries for events other than actions on users: sign-ins and changes of the connection."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache

from console.models import AuditEntry, Membership, Operator
from tests.support.people import ENVIRONMENT

pytestmark = pytest.mark.database

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet():
    cache.clear()


def sign_in(client, email="agent@acme.test", password=PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR="203.0.113.9")


def on_record(organization) -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(organization=organization).order_by("sequence")
    return [(row.action, row.outcome, row.operator_email) for row in rows]


def test_signing_in_and_out_is_on_record(client, acme, helpdesk):
    sign_in(client)
    client.post("/accounts/logout/")

    assert on_record(acme) == [
        ("operator.signed-in", "succeeded", "agent@acme.test"),
        ("operator.signed-out", "succeeded", "agent@acme.test"),
    ]
    assert {row.source_address for row in AuditEntry.objects.all()} == {"203.0.113.9", "127.0.0.1"}


def test_sign_in_is_on_record_in_the_operators_organizations_only(client, acme, globex, helpdesk):
    sign_in(client)
    assert on_record(globex) == []

    Membership.objects.create(organization=globex, operator=helpdesk, role="auditor")
    client.post("/accounts/logout/")
    assert on_record(globex) == [("operator.signed-out", "succeeded", "agent@acme.test")]


def test_wrong_password_is_on_record_without_the_password(client, acme, helpdesk):
    sign_in(client, password="not the one I chose")

    assert on_record(acme) == [("operator.sign-in-failed", "failed", "agent@acme.test")]
    assert "not the one" not in str(list(AuditEntry.objects.values()))


def test_unknown_address_is_kept_nowhere(client, acme, helpdesk, audit_lines, caplog):
    sign_in(client, email="hunter2@acme.test")

    assert on_record(acme) == []
    assert "hunter2" not in caplog.text + "".join(audit_lines())
    assert "unknown address" in caplog.text


def test_wrong_second_factor_is_on_record(client, acme, helpdesk):
    TOTP.activate(helpdesk, "JBSWY3DPEHPK3PXP")
    sign_in(client)
    assert on_record(acme) == []  # the sign-in is not complete

    client.post("/accounts/2fa/authenticate/", {"code": "000000"})

    assert on_record(acme) == [("operator.sign-in-failed", "failed", "agent@acme.test")]
    assert AuditEntry.objects.get().reason == "Second factor"


def settings_typed(**changes: str) -> dict[str, str]:
    typed = {
        "client_id": "7c6b5a49-0000-4000-8000-000000000001",
        "client_secret": "",
        "auth_url": "https://auth.pingone.test",
        "environment_id": "9e8d7c6b-5a49-4838-a726-1504f3e2d1c0",
        "client_authentication": "client_secret_basic",
    }
    return typed | changes


def test_changed_settings_are_on_record_without_the_secret(browser_of, org_admin: Operator, acme):
    browser_of(org_admin).post(
        "/o/acme/settings/connection/",
        settings_typed(client_secret="a-brand-new-secret", client_authentication="client_secret_post"),
    )

    row = AuditEntry.objects.get(action="connection.settings-changed")
    assert row.before is not None
    assert row.after is not None
    assert row.before["client_authentication"] == "client_secret_basic"
    assert row.after["client_authentication"] == "client_secret_post"
    assert row.inputs == {"client_secret_replaced": True}
    assert "a-brand-new-secret" not in str(list(AuditEntry.objects.values()))


def test_unchanged_settings_are_not_on_record(browser_of, org_admin, acme):
    browser_of(org_admin).post("/o/acme/settings/connection/", settings_typed())

    assert not AuditEntry.objects.filter(action="connection.settings-changed").exists()


def test_log_shows_events_in_words(browser_of, org_admin, acme):
    client = browser_of(org_admin)
    client.post("/o/acme/settings/connection/", settings_typed(client_authentication="client_secret_post"))

    page = client.get("/o/acme/audit/").text

    assert "Connection settings changed" in page
    assert "client_secret_basic → client_secret_post" in page
    assert str(ENVIRONMENT) not in page
