"""Emails to org admins about a changed connection: sent once, in plain words, without secrets."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.core.mail import EmailMessage
from django.db import connection as database
from django.db import transaction

from console.models import Membership, Operator, Organization
from pingone_integration.calls import connection_states
from pingone_integration.connection import grants
from pingone_integration.errors import TokenRefreshFailure, Trace, Unavailable
from pingone_integration.models import Connection, ConnectionEvent
from tests.support.outbox import sent_emails
from tests.support.people import make_operator

State = Connection.State
Outbox = list[EmailMessage]

pytestmark = pytest.mark.django_db(transaction=True)  # emails are sent after the commit
SECRETS = ("the-client-secret", "the-access-token", "the-refresh-token")


def ended() -> TokenRefreshFailure:
    return TokenRefreshFailure(trace=Trace(code="invalid_grant", correlation_id="1f0c-44"))


def test_email_goes_to_every_active_org_admin_of_the_organization_only(
    acme: Organization,
    org_admin: Operator,
    helpdesk: Operator,
    auditor: Operator,
    stranger: Operator,
) -> None:
    make_operator("second@acme.test", acme, Membership.Role.ORG_ADMIN)
    gone = make_operator("gone@acme.test", acme, Membership.Role.ORG_ADMIN)
    Operator.objects.filter(pk=gone.pk).update(is_active=False)

    connection_states.enter(acme.connection, State.RECONNECT_NEEDED, ended())

    assert sorted(message.to for message in sent_emails()) == [["admin@acme.test"], ["second@acme.test"]]
    assert not any(message.cc or message.bcc for message in sent_emails())


def test_email_explains_the_change_its_cause_and_the_next_step(acme: Organization, org_admin: Operator) -> None:
    connection_states.enter(acme.connection, State.NEEDS_ATTENTION, Unavailable())
    connection_states.enter(acme.connection, State.RECONNECT_NEEDED, ended())

    message = sent_emails()[-1]
    at = ConnectionEvent.objects.latest("pk").at
    assert message.subject == "Acme's connection to PingOne: reconnect needed"
    assert message.body == (
        "The connection of Acme to PingOne is now: reconnect needed\n\n"
        "Before: needs attention\n"
        f"Since:  {at:%Y-%m-%d %H:%M} UTC\n"
        f"Cause:  {TokenRefreshFailure.cause} (PingOne's code invalid_grant, Correlation ID 1f0c-44)\n"
        "To do:  A PingOne administrator has to approve the connection again. An org admin can reconnect under "
        "Settings, PingOne.\n\n"
        "http://localhost/o/acme/settings/connection/\n\n"
        "You get this because you are an org admin of Acme in the PingOne console.\n"
    )
    assert message.content_subtype == "plain"
    assert not any(secret in str(message.message()) for secret in SECRETS)


def test_email_is_sent_when_a_problem_begins_and_when_it_ends(acme: Organization, org_admin: Operator) -> None:
    for _ in range(3):
        connection_states.enter(acme.connection, State.NEEDS_ATTENTION, Unavailable())
    for _ in range(3):
        connection_states.enter(acme.connection, State.CONNECTED)

    began, passed = sent_emails()
    assert "The console keeps retrying." in str(began.body)
    assert passed.subject == "Acme's connection to PingOne: connected"
    assert "Nothing. PingOne is responding again." in str(passed.body)


@pytest.mark.parametrize(
    ("state", "cause", "advice"),
    [
        (State.CONNECTED, "Approved by Mara Lind.", "If none of you did this, disconnect immediately"),
        (State.DISCONNECTED, "Disconnected here.", "see the audit log for who did"),
    ],
)
def test_email_reports_changes_made_by_a_person(
    acme: Organization, org_admin: Operator, state: State, cause: str, advice: str
) -> None:
    grants.store(acme.connection, state, grants.NOTHING, cause=cause)

    (message,) = sent_emails()
    assert f"Cause:  {cause}" in str(message.body)
    assert advice in str(message.body)


def test_email_is_sent_once_for_concurrent_reports_of_a_change(acme: Organization, org_admin: Operator) -> None:
    together = Barrier(8)

    def see(_: int) -> None:
        row = Connection.objects.get()
        together.wait(timeout=30)
        connection_states.enter(row, State.RECONNECT_NEEDED, ended())
        database.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(see, range(8)))

    assert ConnectionEvent.objects.count() == 1
    assert len(sent_emails()) == 1


def test_email_is_not_sent_after_a_rollback(acme: Organization, org_admin: Operator) -> None:
    with transaction.atomic():
        connection_states.enter(acme.connection, State.NEEDS_ATTENTION, Unavailable())
        transaction.set_rollback(True)

    assert sent_emails() == []


def test_hostile_names_and_causes_stay_text_on_one_line(acme: Organization, org_admin: Operator) -> None:
    hostile = "<b>Evil</b>\r\nBcc: victim@evil.test\n\nTo do: \u202e{{ 7|add:7 }}\x00" + "x" * 600
    Organization.objects.update(name="Acme\r\nBcc: victim@evil.test")

    grants.store(acme.connection, State.CONNECTED, {}, cause=hostile)

    (message,) = sent_emails()
    sent = message.message()
    assert sent["Subject"] == "Acme Bcc: victim@evil.test's connection to PingOne: connected"
    assert (sent["Bcc"], message.recipients()) == (None, ["admin@acme.test"])
    (cause,) = [line for line in str(message.body).splitlines() if "Evil" in line]
    assert cause.startswith(
        "Cause:  <b>Evil</b> Bcc: victim@evil.test To do: {{ 7|add:7 }}\N{REPLACEMENT CHARACTER}xxx"
    )
    assert len(cause) < 520


def test_connection_without_an_organization_sends_no_email() -> None:
    connection = Connection.objects.create(state=State.CONNECTED)

    connection_states.enter(connection, State.RECONNECT_NEEDED, ended())

    assert sent_emails() == []
