"""Bring back: from the run's own record, with no more rights than then, and without devices and sessions."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from console.access import enter_org
from console.models import AuditEntry, Operator, Organization, PlanRun, PlanRunStep, ProtectedMark
from console.plans import runs
from console.plans.settled import of_templates
from console.plans.shipped_plans import shipped
from tests.support.answers import ENGINEERS, STAFF
from tests.support.plan_people import (
    LEAVERS,
    MAIL,
    PERSON,
    VPN,
    PlanPeople,
    again,
    circumstances,
    start,
    states,
    worked,
)
from tests.support.small_environment import browser
from tests.support.templates import make_template

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

OUTER = UUID(int=(4 << 76) + (8 << 60) + 0xF4)


def page(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status
    return str(answer.content.decode())


def address(run: PlanRun) -> str:
    return f"/o/acme/plans/{run.pk}/bring-back/"


def offboarded(operator: Operator) -> PlanRun:
    return worked(start(operator, choices={"5": {"population_id": str(LEAVERS)}}))


def brought_back(client: Client, run: PlanRun, **more: str) -> PlanRun:
    typed = {"submission": str(uuid4()), "reason": "A mistake", "when": "now", "zone": "UTC"} | more
    confirm = page(client.post(address(run), typed)).partition('name="confirm" value="')[2].partition('"')[0]
    client.post(address(run), typed | {"confirm": confirm})
    return worked(PlanRun.objects.get(brings_back=run))


def test_all_that_can_return_returns(org_admin: Operator, environment: PlanPeople) -> None:
    client = browser(org_admin)
    run = offboarded(org_admin)
    assert (environment.kim["enabled"], environment.members[PERSON]) == (False, set())

    assert address(run) in page(client.get(f"/o/acme/plans/{run.pk}/"))
    assert address(run) in page(client.get(f"/o/acme/users/{PERSON}/plans/"))
    environment.requests.clear()
    text = page(client.get(address(run)))
    for shown in ("VPN", "Mail", "Activate", "Staff", "Removed MFA devices, ended sessions"):
        assert shown in text
    assert environment.writes == []

    back = brought_back(client, run)

    assert (back.state, states(back)) == ("finished", ["left out", "done", "done", "done"])
    assert environment.kim["enabled"] is True
    assert environment.kim["population"] == {"id": str(STAFF)}
    assert environment.members[PERSON] == {VPN, MAIL}
    assert (environment.devices, environment.sessions) == ([], [])
    assert set(AuditEntry.objects.filter(action="group.add").values_list("channel", flat=True)) == {"plan"}
    assert address(run) not in page(client.get(f"/o/acme/users/{PERSON}/plans/"))
    assert "bring-back" not in page(client.get(f"/o/acme/plans/{back.pk}/"))


@pytest.mark.parametrize("how", ["role", "nested", "marked", "gone"])
def test_group_that_gives_more_than_then_is_left_out_and_named(
    acme: Organization, org_admin: Operator, environment: PlanPeople, how: str
) -> None:
    run = offboarded(org_admin)
    environment.add_group(OUTER, "Outer")
    if how == "role":
        environment.roles.add(VPN)
    elif how == "nested":
        environment.nested[VPN] = {OUTER}
        environment.roles.add(OUTER)
    elif how == "gone":
        del environment.groups[VPN]
    else:
        ProtectedMark.objects.create(
            organization=acme, kind="group", target_id=VPN, name="VPN", reason="Root", marked_by=org_admin
        )
    client = browser(org_admin)

    assert "Left out: VPN." in page(client.get(address(run)))
    back = brought_back(client, run)

    assert back.state == "finished"
    assert environment.members[PERSON] == {MAIL}
    left_out = [one["name"] for one in back.steps.get(number=4).targets or () if one["state"] == "left out"]
    assert left_out == ["VPN"]
    assert "VPN" in page(client.get(f"/o/acme/plans/{back.pk}/"))


def test_group_that_begins_to_give_rights_after_the_preview_is_left_out_too(
    org_admin: Operator, environment: PlanPeople
) -> None:
    run = offboarded(org_admin)
    client = browser(org_admin)
    year = timezone.now().year + 1
    typed = {"submission": str(uuid4()), "reason": "x", "when": "later", "at": f"{year}-01-01T10:00", "zone": "UTC"}
    confirm = page(client.post(address(run), typed)).partition('name="confirm" value="')[2].partition('"')[0]
    client.post(address(run), typed | {"confirm": confirm})
    back = PlanRun.objects.get(brings_back=run)
    environment.roles.add(VPN)

    runs.reschedule(enter_org(org_admin, "acme"), back, None)

    assert worked(back).state == "finished"
    assert environment.members[PERSON] == {MAIL}


def test_only_what_the_run_did_is_brought_back(org_admin: Operator, environment: PlanPeople) -> None:
    """They had been deactivated before, or were by somebody else afterwards."""
    run = worked(start(org_admin, "lost-phone"))
    environment.kim["enabled"] = False
    assert browser(org_admin).get(address(run)).status_code == 404

    run = worked(start(org_admin, "compromised"))

    assert address(run) not in page(browser(org_admin).get(f"/o/acme/plans/{run.pk}/"))
    assert browser(org_admin).get(address(run)).status_code == 404

    run = offboarded(org_admin)
    back = brought_back(browser(org_admin), run)

    assert states(back) == ["left out", "done", "left out", "done"]
    assert environment.kim["enabled"] is False


def test_move_is_undone_with_the_groups_that_it_added(
    acme: Organization, org_admin: Operator, environment: PlanPeople
) -> None:
    environment.groups[MAIL]["_embedded"] = {"group": {"population": {"id": str(STAFF)}}}
    before = environment.members[PERSON].copy()
    old = make_template(acme, "Old", (VPN, "VPN"))
    new = make_template(acme, "New", (ENGINEERS, "Engineers"), population_id=LEAVERS, population_name="Leavers")
    run = worked(start(org_admin, "move", choices=of_templates(old, new).choices(shipped()["move"])))
    assert environment.members[PERSON] == {MAIL, ENGINEERS}
    environment.members[PERSON].discard(MAIL)  # as PingOne does: it belongs to the former population

    back = brought_back(browser(org_admin), run)

    assert states(back) == ["done", "done", "left out", "done"]
    assert environment.members[PERSON] == before


def test_what_an_earlier_attempt_took_away_is_not_forgotten(org_admin: Operator, environment: PlanPeople) -> None:
    """The removal from one group fails the first time; the step is then done anew."""
    fails = {f"DELETE /users/{PERSON}/memberOfGroups/{MAIL}": 403}
    environment.status = fails
    run = offboarded(org_admin)
    assert run.stop == PlanRun.Stop.NOT_FINISHED
    environment.status = {}
    runs.resume(enter_org(org_admin, "acme"), run, circumstances())
    run = worked(run)
    assert run.state == "finished"

    brought_back(browser(org_admin), run)

    assert environment.members[PERSON] == {VPN, MAIL}


def test_stopped_run_is_replaced_by_bringing_back(org_admin: Operator, environment: PlanPeople) -> None:
    environment.status = {f"DELETE /users/{PERSON}/memberOfGroups/{MAIL}": 403}
    run = offboarded(org_admin)
    environment.status = {}
    client = browser(org_admin)

    assert "runs for them already" in page(client.get(address(run)))
    back = brought_back(client, run, replaces="on")

    assert (again(run).state, back.state) == ("canceled", "finished")
    assert environment.members[PERSON] == {VPN, MAIL}


def test_it_works_until_the_run_is_deleted_and_a_started_one_even_then(
    org_admin: Operator, environment: PlanPeople
) -> None:
    run = offboarded(org_admin)
    assert run.finished_at
    assert run.delete_after == run.finished_at + timedelta(days=30)
    client = browser(org_admin)
    year = timezone.now().year + 1
    typed = {"submission": str(uuid4()), "reason": "x", "when": "later", "at": f"{year}-01-01T10:00", "zone": "UTC"}
    confirm = page(client.post(address(run), typed)).partition('name="confirm" value="')[2].partition('"')[0]
    client.post(address(run), typed | {"confirm": confirm})
    back = PlanRun.objects.get(brings_back=run)

    PlanRun.objects.filter(pk=run.pk).update(delete_after=timezone.now() - timedelta(seconds=1))
    call_command("clear_finished_work")

    assert list(PlanRun.objects.all()) == [back]
    assert not PlanRunStep.objects.exclude(run=back).exists()
    assert client.get(address(run)).status_code == 404
    runs.reschedule(enter_org(org_admin, "acme"), again(back), None)
    assert worked(back).state == "finished"
    assert environment.members[PERSON] == {VPN, MAIL}


def test_later_plan_is_said(org_admin: Operator, environment: PlanPeople) -> None:
    run = offboarded(org_admin)
    worked(start(org_admin, "compromised"))

    text = page(browser(org_admin).get(address(run)))

    assert "“Compromised account” has run for them since then." in text


def test_bring_back_does_not_begin_without_a_run(org_admin: Operator, environment: PlanPeople) -> None:
    client = browser(org_admin)

    assert client.get(f"/o/acme/users/{PERSON}/plans/bring-back/").status_code == 404
    assert "bring-back" not in page(client.get(f"/o/acme/users/{PERSON}/plans/"))
