"""People looked at: counted by page, panel and command, an alarm past the limit, and protected people on record."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
import respx
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.access import enter_org
from console.limits import reading
from console.models import AuditEntry, LimitPolicy, PersonSeen, ProtectedMark
from tests.support.answers import ADA, ada, answer_panels, listing
from tests.support.outbox import sent_emails

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture(autouse=True)
def _forgets(monkeypatch):
    monkeypatch.setattr(reading, "_noted", {})


def whoever_is_asked_for(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=ada(id=request.url.path.rpartition("/")[2]))


@pytest.fixture
def anybody():
    """Answer for every user."""
    with respx.mock(base_url="https://api.pingone.test", assert_all_called=False) as pingone:
        pingone.get(path__regex=r"/users$").respond(json=listing("users", ada()))
        pingone.get(path__regex=r"/populations$").respond(json=listing("populations"))
        pingone.get(path__regex=r"/groups$").respond(json=listing("groups"))
        pingone.get(path__regex=r"/users/[^/]+$").mock(side_effect=whoever_is_asked_for)
        pingone.get(path__regex=r"/users/[^/]+/sessions").respond(json=listing("sessions"))
        pingone.get(path__regex=r"/users/[^/]+/(password|bypassMFA)").respond(json={"status": "OK"})
        pingone.get(path__regex=r"/users/[^/]+/devices").respond(json=listing("devices"))
        yield pingone


def alarms() -> int:
    return AuditEntry.objects.filter(action="limit.alarm").count()


@pytest.mark.parametrize("address", ["", "panels/sessions/", "actions/user.deactivate/"])
def test_alarm_tells_org_admins_once_an_hour_and_blocks_nothing(
    acme, helpdesk, org_admin, browser_of, anybody, address
):
    LimitPolicy.objects.create(organization=acme, limit="people", most=3)
    client = browser_of(helpdesk)
    for number in range(6):
        for _ in range(2):  # the same person twice is one person
            assert client.get(f"/o/acme/users/{uuid4() if number else ADA}/{address}").status_code == 200
            number or client.get(f"/o/acme/users/{ADA}/{address}")
        assert alarms() == (PersonSeen.objects.count() > 3)

    [email] = sent_emails()
    assert email.to == ["admin@acme.test"]
    assert "agent@acme.test" in email.body
    entry = AuditEntry.objects.get(action="limit.alarm")
    assert (entry.operator, entry.inputs) == (helpdesk, {"limit": "people", "most": 3})


def test_command_counts_as_well(acme, helpdesk, anybody, capsys):
    call_command("pingone", "acme", "show", "--user", str(ADA), "--as", helpdesk.email)

    assert PersonSeen.objects.get().user_id == ADA


def test_lists_refusals_and_strangers_count_nobody(helpdesk, stranger, browser_of, anybody):
    browser_of(helpdesk).get("/o/acme/users/?show=list")
    browser_of(helpdesk).get(f"/o/acme/users/{ADA}/actions/user.delete/")
    browser_of(stranger).get(f"/o/acme/users/{ADA}/")

    assert not PersonSeen.objects.exists()


def test_only_people_of_the_last_hour_count(acme, helpdesk, time_machine):
    LimitPolicy.objects.create(organization=acme, limit="people", most=2)
    access, begun = enter_org(helpdesk, "acme"), timezone.now()
    for minutes, expected in [(0, 0), (30, 0), (61, 0), (62, 1)]:
        time_machine.move_to(begun + timedelta(minutes=minutes), tick=False)
        reading.looked_at(access, uuid4())
        assert alarms() == expected, minutes


def test_page_costs_one_statement_for_a_new_person_and_none_for_the_same(acme, helpdesk):
    access = enter_org(helpdesk, "acme")

    for expected in (1, 0):
        with CaptureQueriesContext(connection) as asked:
            reading.looked_at(access, ADA)
        assert len(asked) == expected


def test_page_of_a_protected_user_is_on_record_once_an_hour(acme, helpdesk, browser_of, pingone, time_machine):
    ProtectedMark.objects.create(organization=acme, kind="user", target_id=ADA, reason="Director", marked_by=helpdesk)
    other = UUID(int=5)
    pingone.get(f"/users/{ADA}").respond(json=ada())
    pingone.get(f"/users/{other}").respond(json=ada(id=str(other)))
    answer_panels(pingone)
    client, begun = browser_of(helpdesk), timezone.now() - timedelta(minutes=61)

    for minutes in (0, 5, 61):
        time_machine.move_to(begun + timedelta(minutes=minutes))
        client.get(f"/o/acme/users/{ADA}/")
        client.get(f"/o/acme/users/{ADA}/?panels=all")
        client.get(f"/o/acme/users/{other}/")

    read = AuditEntry.objects.filter(action="user.protected-page-read")
    assert [(row.subject_id, row.operator) for row in read] == [(str(ADA), helpdesk)] * 2
    assert read[0].reason == "Ada Berg is marked as protected."
