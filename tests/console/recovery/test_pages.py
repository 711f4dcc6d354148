"""The pages of recovery: from locked out to signed in again, and every way to be stuck in between."""

from collections.abc import Callable

import pytest

from console.models import AuditEntry, RecoveryAttempt
from tests.support.answers import ADA
from tests.support.outbox import sent_emails
from tests.support.recovering import NEW_PASSWORD, PersonAtPages, RecoveryEnvironment

pytestmark = pytest.mark.django_db(transaction=True)

Step = RecoveryAttempt.Step


def test_locked_out_person_sets_a_new_password(person, environment):
    assert "Username or email address" in person.see()
    assert person.start().status_code == 302
    assert "Enter the code" in person.see()

    [email] = sent_emails()
    assert email.to == ["ada.berg@acme.test"]
    assert email.body.startswith("Nobody from the helpdesk will ask for this code.")
    assert "Firefox 145 on Linux" in email.body
    assert "198.51.100.7" in email.body
    person.post("code", code=person.code().lower().replace("-", " "))
    assert "Your password is locked after too many wrong passwords." in person.see()
    person.post("choice", choice="password")
    page = person.see()
    assert "At least 8 characters" in page
    assert "At least 5 different characters" in page
    person.post("password", new_password=NEW_PASSWORD, again=NEW_PASSWORD)

    page = person.see()
    assert "Your new password is set." in page
    assert "Partly done" not in page
    assert environment.set_passwords == [{"value": NEW_PASSWORD, "forceChange": False, "bypassPolicy": False}]
    assert environment.operations[:2] == ["password.set+json", "password.unlock+json"]
    assert environment.operations[2].startswith(f"DELETE /users/{ADA}/sessions/")
    rows = AuditEntry.objects.order_by("sequence")
    assert [(row.action, row.outcome) for row in rows if row.outcome != "started"] == [
        ("recovery.code-sent", "succeeded"),
        ("recovery.proven", "succeeded"),
        ("password.set-own", "succeeded"),
        ("password.unlock", "succeeded"),
        ("sessions.end-all", "succeeded"),
    ]
    assert {(row.actor, row.operator, row.source_address) for row in rows} == {("user", None, "198.51.100.7")}
    assert NEW_PASSWORD not in str(list(rows.values()))


def chooses(person: PersonAtPages) -> None:
    person.prove()
    person.post("choice", choice="password")


def finishes(person: PersonAtPages) -> None:
    person.prove()
    person.choose_password()


STAYS_OPEN: dict[str, Callable[[PersonAtPages], None]] = {
    "the choice": PersonAtPages.prove,
    "the new password": chooses,
    "done": finishes,
}


@pytest.mark.parametrize("where", STAYS_OPEN)
def test_next_person_at_a_borrowed_device_starts_with_a_page_of_their_own(
    person: PersonAtPages, environment: RecoveryEnvironment, where: str
) -> None:
    STAYS_OPEN[where](person)
    assert 'action="/recover/acme/restart/"' in person.see()
    before = person.attempt.step
    person.post("restart")

    assert "Username or email address" in person.see()
    assert person.client.cookies["recovery"].value == ""
    assert person.attempt.step == ("done" if before == "done" else "ended")
    writes = len(environment.operations)
    person.choose_password()
    assert len(environment.operations) == writes
