"""An operator's account on record: password, factors, sessions, throttled tries, and the chain of the server."""

import io
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from console.audit.chain import verify
from console.models import AuditEntry, Operator
from console.operators.accounts import set_password_link
from tests.support.people import invite, make_operator

pytestmark = [pytest.mark.django_db, pytest.mark.database]

PASSWORD = "correct horse battery"
NEW = "another fine battery staple"
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet():
    cache.clear()


@pytest.fixture
def nobody(db: None) -> Operator:
    """Return an operator without an organization, who signs in because one invites them."""
    invite("former@acme.test")
    return make_operator("former@acme.test")


def sign_in(client: Client, email: str = "agent@acme.test", password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password}, REMOTE_ADDR="203.0.113.9")


def signed_in(email: str) -> Client:
    client = Client()
    sign_in(client, email)
    return client


def on_record(organization: Any) -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.filter(organization=organization).order_by("sequence")
    return [(row.action, row.outcome, row.operator_email) for row in rows if row.action != "operator.signed-in"]


def change_password(client: Client, operator: Operator) -> None:
    typed = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/accounts/password/change/", typed).status_code == 302


def ask_for_a_new_password(client: Client, operator: Operator) -> None:
    assert Client().post("/accounts/password/reset/", {"email": operator.email}).status_code == 302


def reset_password(client: Client, operator: Operator) -> None:
    operator.refresh_from_db()  # a sign-in makes earlier links worthless
    fresh = Client()
    form = fresh.get(set_password_link(operator).removeprefix("http://localhost"))["Location"]
    assert fresh.post(form, {"password1": NEW, "password2": NEW}).status_code == 302


def add_app(client: Client, operator: Operator) -> None:
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    value = format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))
    assert client.post("/accounts/2fa/totp/activate/", {"code": value}).status_code == 302


def remove_app(client: Client, operator: Operator) -> None:
    TOTP.activate(operator, SECRET)
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302


def new_recovery_codes(client: Client, operator: Operator) -> None:
    TOTP.activate(operator, SECRET)
    assert client.post("/accounts/2fa/recovery-codes/generate/").status_code == 302


def end_sessions(client: Client, operator: Operator) -> None:
    signed_in(operator.email)
    assert client.post("/accounts/sessions/").status_code == 302


CHANGES = [
    (change_password, ["operator.password-changed"]),
    (ask_for_a_new_password, ["operator.password-reset-requested"]),
    (reset_password, ["operator.password-reset"]),
    (add_app, ["operator.factor-added", "operator.recovery-codes-created"]),
    (remove_app, ["operator.factor-removed"]),
    (new_recovery_codes, ["operator.recovery-codes-created"]),
    (end_sessions, ["operator.sessions-ended"]),
]


@pytest.mark.parametrize("has_organization", [True, False])
@pytest.mark.parametrize(("change", "events"), CHANGES, ids=lambda one: getattr(one, "__name__", ""))
def test_change_of_an_account_is_on_record_without_secrets(
    acme, helpdesk, nobody, change, events, has_organization, django_capture_on_commit_callbacks, time_machine
):
    time_machine.move_to("2026-11-27T12:00:00Z", tick=False)  # a code of an app is good for half a minute
    operator = helpdesk if has_organization else nobody
    client = signed_in(operator.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    with django_capture_on_commit_callbacks(execute=True):
        change(client, operator)

    found = on_record(acme if has_organization else None)
    assert sorted(found) == sorted((event, "succeeded", operator.email) for event in events)
    stored = str(list(AuditEntry.objects.values()))
    assert not [secret for secret in (PASSWORD, NEW, SECRET) if secret in stored]


def test_throttled_tries_are_one_entry_and_then_a_number(acme, helpdesk, time_machine):
    time_machine.move_to("2026-11-27T12:00:10Z", tick=False)
    for _ in range(13):
        sign_in(Client(), password="wrong")
    time_machine.move_to("2026-11-27T12:01:00Z", tick=False)
    call_command("close_repetitions")

    rows = AuditEntry.objects.filter(action="operator.sign-in-throttled").order_by("sequence")
    failed = AuditEntry.objects.filter(action="operator.sign-in-failed").count()
    assert [(row.organization, row.operator, row.outcome, row.revision) for row in rows] == [
        (acme, helpdesk, "refused", 0),
        (acme, helpdesk, "refused", 1),
    ]
    assert rows[1].note == f"{13 - failed} times within this minute."


def test_request_for_a_password_by_unknown_people_keeps_no_address(acme, helpdesk):
    for _ in range(2):
        Client().post("/accounts/password/reset/", {"email": "hunter2@acme.test"})

    entry = AuditEntry.objects.get(action="operator.password-reset-requested")
    assert (entry.organization, entry.operator, entry.operator_email) == (None, None, "")
    assert "hunter" not in str(list(AuditEntry.objects.values()))


def test_throttled_second_factor_is_on_record(acme, helpdesk):
    TOTP.activate(helpdesk, SECRET)
    client = signed_in(helpdesk.email)

    for _ in range(13):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})

    assert AuditEntry.objects.filter(action="operator.sign-in-throttled", operator=helpdesk).count() == 1


def test_throttled_unknown_people_are_one_entry_of_the_server_without_their_address(acme, helpdesk, time_machine):
    time_machine.move_to("2026-11-27T12:00:10Z", tick=False)
    for email in ("hunter2@acme.test", "hunter3@acme.test"):
        for _ in range(13):
            sign_in(Client(), email)

    entry = AuditEntry.objects.get(action="operator.sign-in-throttled")
    assert (entry.organization, entry.operator, entry.operator_email) == (None, None, "")
    assert "hunter" not in str(list(AuditEntry.objects.values()))


def test_failed_sign_in_again_is_on_record(acme, helpdesk):
    signed_in(helpdesk.email).post("/accounts/reauthenticate/", {"password": "wrong"})

    assert on_record(acme) == [("operator.sign-in-failed", "failed", "agent@acme.test")]


def test_people_without_an_organization_have_a_chain_of_the_server(acme, nobody, audit_lines):
    client = Client()
    sign_in(client, nobody.email, "wrong")
    sign_in(client, nobody.email)
    client.post("/accounts/logout/")

    rows = AuditEntry.objects.filter(organization=None).order_by("sequence")
    assert [(row.sequence, row.action) for row in rows] == [
        (1, "operator.sign-in-failed"),
        (2, "operator.signed-in"),
        (3, "operator.signed-out"),
    ]
    assert verify(None) is None
    assert '"organization": "server"' in audit_lines()[0]
    assert not AuditEntry.objects.filter(organization=acme).exists()


def test_verify_audit_checks_the_chain_of_the_server(acme, nobody):
    sign_in(Client(), nobody.email)
    output, errors = io.StringIO(), io.StringIO()
    call_command("verify_audit", stdout=output)
    assert "server: chain intact, rows checked: 1" in output.getvalue()

    with connection.cursor() as cursor:
        cursor.execute("UPDATE console_auditentry SET operator_email = 'mallory@acme.test'")
    with pytest.raises(CommandError, match="server"):
        call_command("verify_audit", stderr=errors)
    assert "server: row 1 was edited" in errors.getvalue()
