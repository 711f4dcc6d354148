"""The table of groups that give administrator roles: how it is read, kept, and how old it may be."""

import io
from contextlib import nullcontext
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from console.models import GroupReading, KnownGroup, ScheduledWork
from console.protection import groups
from console.work import schedule
from pingone_integration.calls import rate_limit
from tests.support.answers import ADA, ENGINEERS
from tests.support.small_environment import ADMINS, TEAM, browser, press, read_groups


@pytest.fixture(autouse=True)
def _no_share_of_the_rate(monkeypatch):
    """Count no calls in the database: the test's transaction would block the threads that read in parallel."""
    monkeypatch.setattr(rate_limit, "in_background", nullcontext)


def giving() -> set[str]:
    return set(KnownGroup.objects.filter(gives_roles=True).values_list("name", flat=True))


def test_table_has_carriers_and_what_is_nested_above_and_below_them(acme, environment):
    environment.add_group(ADMINS, "Admins")
    environment.add_group(TEAM, "Team")
    environment.roles.add(ADMINS)
    read_groups(acme)
    assert giving() == {"Admins"}

    environment.nested[TEAM].add(ADMINS)
    environment.nested[ENGINEERS].add(TEAM)
    read_groups(acme)
    assert giving() == {"Admins", "Team", "Engineers"}

    environment.nested.clear()
    environment.nested[ADMINS] = {TEAM, ENGINEERS}
    read_groups(acme)
    assert giving() == {"Admins", "Team", "Engineers"}

    environment.roles = {TEAM}  # Admins are linked to Team, Engineers only to Admins: a sibling
    read_groups(acme)
    assert giving() == {"Admins", "Team"}


def test_reading_that_fails_leaves_the_last_one(acme, environment):
    environment.roles.add(ENGINEERS)
    read_groups(acme)
    environment.status["/roleAssignments"] = 500

    with pytest.raises(CommandError, match="Not read: acme"):
        call_command("sync_role_groups", "acme", stdout=io.StringIO(), stderr=io.StringIO())

    assert giving() == {"Engineers"}


def test_table_counts_for_26_hours(acme, helpdesk, environment, time_machine):
    environment.members[ADA].add(ENGINEERS)
    read_groups(acme)
    time_machine.move_to(timezone.now() + groups.BELIEVED_FOR - timedelta(minutes=1), tick=False)
    assert groups.table_of(acme).is_fresh

    time_machine.move_to(timezone.now() + timedelta(minutes=2), tick=False)
    acme.connection.access_token_expires_at = timezone.now() + timedelta(hours=1)
    acme.connection.save()
    assert not groups.table_of(acme).is_fresh
    environment.roles.add(ENGINEERS)  # since then
    press(browser(helpdesk), "user.deactivate")
    assert not environment.writes


def test_table_of_another_environment_counts_as_none(acme, environment):
    read_groups(acme)
    GroupReading.objects.update(environment_id=ADMINS)

    assert groups.table_of(acme).read_at is None


def test_worker_reads_daily_and_at_once_after_connect(acme, environment):
    schedule.enter_schedule()
    ScheduledWork.objects.filter(name="sync_role_groups").update(due_at=timezone.now() + timedelta(hours=9))

    schedule.hasten("sync_role_groups")

    assert ScheduledWork.objects.due().filter(name="sync_role_groups").exists()


def test_command_skips_a_table_of_today_but_not_one_from_before_connect(acme, environment):
    read_groups(acme)
    said = io.StringIO()
    call_command("sync_role_groups", stdout=said)
    assert "acme: read lately, skipped" in said.getvalue()

    acme.connection.consented_at = timezone.now()
    acme.connection.save()
    call_command("sync_role_groups", stdout=said)
    assert "acme: groups that give administrator roles: 0" in said.getvalue()


def test_troubleshooting_shows_the_age_and_names_the_missing_permission(acme, org_admin, environment):
    acme.group_reading.delete()
    page = browser(org_admin).get("/o/acme/troubleshooting/").content.decode()
    assert "never" in page.split('id="protection"')[1]
    assert "sync_role_groups" in page

    environment.status["/roleAssignments"] = 403
    read_groups(acme)
    page = browser(org_admin).get("/o/acme/troubleshooting/").content.decode()
    assert "permissions:read:userRoleAssignments" in page
    assert "<time" in page.split('id="protection"')[1].split("</section>")[0]


HARMLESS = [
    ("user.unlock", {}, True),
    ("password.send-recovery-code", {}, True),
    ("sessions.end-all", {}, True),
    ("user.update", {"nickname": "Addi"}, True),
    ("user.update", {"title": "Boss"}, False),  # a dynamic group reads it
    ("user.update", {"email": "other@acme.test"}, False),
    ("user.update", {"mobile_phone": "+1 555 0100"}, False),
    ("user.activate", {}, False),
    ("user.deactivate", {}, False),
    ("password.force-change", {}, False),
    ("password.set-temporary", {}, False),
    ("password.replace", {}, False),
    ("mfa.disable", {}, False),
    ("group.add", {"group_id": str(ENGINEERS)}, False),
    ("user.delete", {"username": "ada.berg"}, False),
]


@pytest.mark.parametrize("has_table", [True, False])
def test_agents_do_only_what_is_harmless_if_the_connection_may_not_read_roles(acme, helpdesk, environment, has_table):
    environment.add_group(TEAM, "Team", condition='title eq "Boss"')
    environment.status["/roleAssignments"] = 403
    read_groups(acme)
    if not has_table:
        acme.group_reading.delete()
    done = []
    for key, typed, _expected in HARMLESS:
        environment.requests.clear()
        environment.users[ADA]["enabled"] = key != "user.activate"
        environment.users[ADA]["account"] = {"status": "LOCKED" if key == "user.unlock" else "OK"}
        press(browser(helpdesk), key, htmx=True, **typed)
        done.append((key, typed, bool(environment.writes)))

    assert done == HARMLESS
