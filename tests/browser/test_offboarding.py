"""Somebody is offboarded at once, and somebody else at a date when the starter has left, without JavaScript."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.models import Membership, Operator, PlanRun, PlanWork
from console.plans import engine
from tests.support.browser import PHONE, NewPage, press
from tests.support.people import make_operator
from tests.support.presses import Person, new_person, org_admin_at, signed_on
from tests.support.sandbox_server import Sandbox

IN_A_WEEK = datetime.now(ZoneInfo("Europe/Stockholm")) + timedelta(days=7)


@pytest.fixture
def operator(transactional_db: None, sandbox: Sandbox, settings: Any) -> Operator:
    settings.PINGONE_CUSTOM_HOSTS = {sandbox.url: sandbox.url}
    cache.clear()
    return org_admin_at(sandbox)


def previewed(page: Page, person: Person) -> None:
    page.goto(f"{person.page}plans/offboard/")
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    page.get_by_label("Reason").fill("Leaves")


def is_out(person: Person) -> bool:
    return person.ask()["enabled"] is False and not person.listed("sessions") and not person.listed("memberOfGroups")


def test_leavers_are_offboarded_now_and_at_a_date(
    sandbox: Sandbox, administrator: httpx.Client, operator: Operator, new_page: NewPage
) -> None:
    now_person, later_person = new_person(sandbox, administrator), new_person(sandbox, administrator)
    for person in (now_person, later_person):
        signed_on(person)
    starter = make_operator("starter@acme.test", operator.organizations.get(), Membership.Role.ORG_ADMIN)
    page = new_page(starter, java_script_enabled=False, viewport=PHONE)

    previewed(page, now_person)
    page.get_by_label("Now", exact=True).check()
    press(page, "Continue")
    press(page, "Offboard now")
    assert now_person.ask()["enabled"] is False  # before the answer, without the worker
    engine.run_due()
    page.reload()
    expect(page.get_by_text("Finished").first).to_be_visible()
    assert is_out(now_person)

    previewed(page, later_person)
    page.get_by_label("At a time", exact=True).check()
    page.get_by_label("Date and time").fill(f"{IN_A_WEEK:%Y-%m-%dT18:00}")
    page.get_by_label("Time zone").fill("Europe/Stockholm")
    press(page, "Continue")
    button = page.get_by_role("button", name="Offboard on")
    expect(button).to_contain_text("18:00 Stockholm")
    button.click()
    engine.run_due()
    assert later_person.ask()["enabled"] is True

    starter.memberships.all().delete()
    PlanRun.objects.filter(person_id=later_person.id).update(starts_at=timezone.now())
    PlanWork.objects.filter(run__person_id=later_person.id).update(due_at=timezone.now())
    engine.run_due()
    assert is_out(later_person)
    admins = new_page(operator, java_script_enabled=False)
    run = PlanRun.objects.get(person_id=later_person.id)
    admins.goto(f"/o/acme/plans/{run.pk}/")
    expect(admins.get_by_role("heading", name="Steps", exact=True)).to_be_visible()
    assert run.state == PlanRun.State.FINISHED, (run.stop, run.stop_detail)
