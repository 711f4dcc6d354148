"""Operators see how far an attempt came by its reference number; org admins see where people gave up."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone

from console.models import AuditEntry, Membership, Operator, Organization, OutgoingEmail, RecoveryAttempt
from console.recovery.report import reference_in
from tests.support.answers import ADA
from tests.support.recovering import PersonAtPages, RecoveryEnvironment

pytestmark = pytest.mark.django_db(transaction=True)

BrowserOf = Callable[[Operator], Client]
PAGE = "/o/acme/recoveries/"


def shown(client: Client, reference: str = "") -> str:
    return " ".join(client.get(PAGE, {"reference": reference}).content.decode().split())


@pytest.mark.parametrize(
    ("typed", "reference"),
    [
        ("K7MP-42QX", "K7MP-42QX"),
        (" k7mp 42qx ", "K7MP-42QX"),
        ("k7mp42qx", "K7MP-42QX"),
        ("K7MP-42Q", ""),
        ("K7MP-42Q1", ""),
        ("ada.berg", ""),
        ("", ""),
    ],
)
def test_reference_number_is_understood_as_people_spell_it(typed: str, reference: str) -> None:
    assert reference_in(typed) == reference


def test_agent_sees_where_an_attempt_stopped(
    person: PersonAtPages, environment: RecoveryEnvironment, browser_of: BrowserOf, helpdesk: Operator
) -> None:
    person.start()
    client, reference = browser_of(helpdesk), person.attempt.reference
    assert "A code was sent. They have not entered it yet." in shown(client, reference)
    assert f"/o/acme/users/{ADA}/" in shown(client, reference)
    assert "198.51.100.7" in shown(client, reference)

    person.post("code", code=person.code())
    assert "The code was right. They have not finished." in shown(client, reference.lower())
    person.choose_password()
    assert "They finished." in shown(client, reference.replace("-", " "))

    person.start("nobody")
    assert "No user has this username" in shown(client, person.attempt.reference)
    assert "The last 7 days" not in shown(client)


def test_attempt_outside_their_populations_or_organization_does_not_exist_for_an_agent(
    person: PersonAtPages,
    environment: RecoveryEnvironment,
    browser_of: BrowserOf,
    helpdesk: Operator,
    stranger: Operator,
) -> None:
    person.start()
    reference = person.attempt.reference
    Membership.objects.filter(operator=helpdesk).update(populations=[str(ADA)])

    assert "No recovery has this number." in shown(browser_of(helpdesk), reference)
    assert browser_of(helpdesk).post(f"{PAGE}{reference}/release/").status_code == 404
    person.start("nobody")
    assert "No recovery has this number." in shown(browser_of(helpdesk), person.attempt.reference)
    theirs = browser_of(stranger).get("/o/globex/recoveries/", {"reference": reference}).content.decode()
    assert "No recovery has this number." in theirs
    assert not AuditEntry.objects.filter(action="recovery.released").exists()


def test_agent_lifts_the_limits_of_a_person_on_record(
    person: PersonAtPages,
    environment: RecoveryEnvironment,
    browser_of: BrowserOf,
    helpdesk: Operator,
    auditor: Operator,
) -> None:
    for _each in range(4):
        person.start()
        earlier = timedelta(minutes=2)  # equal names within a minute are one
        RecoveryAttempt.objects.update(started_at=F("started_at") - earlier, looked_at=F("looked_at") - earlier)
    assert "They were sent too many emails." in shown(browser_of(helpdesk), person.attempt.reference)
    release = f"{PAGE}{person.attempt.reference}/release/"
    assert "Lift their limits" not in shown(browser_of(auditor), person.attempt.reference)
    assert browser_of(auditor).post(release).status_code == 403

    browser_of(helpdesk).post(release)
    person.start()

    assert "A code was sent." in shown(browser_of(helpdesk), person.attempt.reference)
    entry = AuditEntry.objects.get(action="recovery.released")
    assert (entry.operator, entry.subject_id, entry.subject_name) == (helpdesk, str(ADA), "ada.berg")


def test_org_admin_sees_where_people_gave_up(
    person: PersonAtPages,
    environment: RecoveryEnvironment,
    browser_of: BrowserOf,
    org_admin: Operator,
    acme: Organization,
) -> None:
    person.prove()
    person.choose_password()
    for who in ("nobody", "nobody else"):
        person.start(who)
    person.start()
    hour_ago = timezone.now() - timedelta(hours=2)
    RecoveryAttempt.objects.filter(pk=person.attempt.pk).update(started_at=hour_ago)
    OutgoingEmail.objects.filter(about=f"recovery {RecoveryAttempt.objects.get(step='done').pk}").update(state="failed")

    page = shown(browser_of(org_admin))

    for name, number in (("Began", 4), ("Got a code", 2), ("Entered it", 1), ("Done", 1)):
        assert f"<dt>{name}</dt> <dd>{number}</dd>" in page
    assert "2 · No user has this username or email address." in page
    assert "1 · They did not enter the code." in page
    assert "The mail server did not take 1 of the latest codes." in page
