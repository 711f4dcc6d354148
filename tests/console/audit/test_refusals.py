"""Refusals for want of a permission on record: the first at once, further ones of the same minute as a number."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from console.audit.chain import verify
from console.models import AuditEntry, Repetition
from tests.support.answers import ADA

pytestmark = [pytest.mark.django_db, pytest.mark.database]

DELETE = f"/o/acme/users/{ADA}/actions/user.delete/"


@pytest.fixture(autouse=True)
def _at_noon(time_machine):
    time_machine.move_to("2026-11-27T12:00:10Z", tick=False)


def refusals():
    return AuditEntry.objects.filter(action="access.refused").order_by("sequence")


def test_first_refusal_of_a_door_is_recorded_at_once(acme, helpdesk, browser_of):
    client = browser_of(helpdesk)

    client.post(DELETE, {"submission": str(uuid4())}, REMOTE_ADDR="203.0.113.9")
    client.get("/o/acme/settings/members/")
    client.get("/o/acme/call-api/", headers={"HX-Request": "true"})
    with pytest.raises(CommandError, match="not allowed"):
        call_command("pingone", "acme", "user.delete", "--user", str(ADA), "--username", "x", "--as", helpdesk.email)

    assert [(row.inputs["page"], row.inputs["permission"], row.outcome) for row in refusals()] == [
        ("user-action user.delete", "users.delete", "refused"),
        ("members", "members.manage", "refused"),
        ("call-api", "api.call", "refused"),
        ("command user.delete", "users.delete", "refused"),
    ]
    assert {row.operator for row in refusals()} == {helpdesk}
    assert refusals()[0].source_address == "203.0.113.9"


def test_further_refusals_of_a_minute_are_one_more_row(acme, helpdesk, auditor, browser_of, time_machine):
    for _ in range(4):
        browser_of(helpdesk).get("/o/acme/settings/members/")
    browser_of(auditor).get("/o/acme/settings/members/")
    assert refusals().count() == 2

    call_command("close_repetitions")
    assert refusals().count() == 2  # the minute is not over
    time_machine.move_to(timezone.now() + timedelta(minutes=1), tick=False)
    call_command("close_repetitions")
    call_command("close_repetitions")

    last = refusals().last()
    assert refusals().count() == 3
    assert (last.operator, last.revision, last.outcome, last.note) == (
        helpdesk,
        1,
        "refused",
        "4 times within this minute.",
    )
    assert not Repetition.objects.exists()
    assert verify(acme) is None


def test_next_refusal_closes_the_minute_before(acme, helpdesk, browser_of, time_machine):
    client = browser_of(helpdesk)
    for _ in range(2):
        client.get("/o/acme/settings/members/")
    time_machine.move_to(timezone.now() + timedelta(minutes=1), tick=False)
    client.get("/o/acme/settings/connection/")

    assert [row.note for row in refusals()] == ["", "", "2 times within this minute."]


def test_strangers_and_missing_pages_are_not_refusals(acme, helpdesk, stranger, browser_of):
    browser_of(stranger).get("/o/acme/settings/members/")
    browser_of(helpdesk).get("/o/acme/nowhere/")

    assert not refusals().exists()
