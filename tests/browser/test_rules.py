"""Inactive users into a job and a plan, and a rule with its preview, in a browser without JavaScript, on a phone."""

from collections.abc import Iterator

import pytest
import respx
from playwright.sync_api import Page, expect

from console.jobs import runner
from console.models import Operator, Rule
from tests.support.answers import STAFF
from tests.support.browser import PHONE, Check, NewPage
from tests.support.crawling import CONTRACTORS, Populations, crawled, days_ago, just_renewed
from tests.support.people import API_URL, ENVIRONMENT
from tests.support.ruling import VPN, are_in, worked
from tests.support.synced import sync_populations


@pytest.fixture
def environment() -> Iterator[Populations]:
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = Populations()
        router.route().mock(side_effect=people)
        people.add_group(VPN, "VPN")
        people.someone(1, createdAt=days_ago(900), lastSignOn=None)
        people.someone(2, createdAt=days_ago(900), lastSignOn={"at": days_ago(200)})
        people.someone(3, population=CONTRACTORS, lastSignOn={"at": days_ago(1)})
        yield people


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    page.wait_for_load_state()


def test_inactive_users_get_a_job_and_who_comes_gets_a_group(
    new_page: NewPage, assert_accessible: Check, org_admin: Operator, environment: Populations
) -> None:
    organization = org_admin.memberships.get().organization
    just_renewed(organization)
    sync_populations(organization, {STAFF: "Staff", CONTRACTORS: "Contractors"})
    page = new_page(org_admin, java_script_enabled=False, viewport=PHONE)

    page.goto("/o/acme/users/inactive/")
    page.get_by_role("link", name="Switch crawls on under Policies").click()
    press(page, "Switch crawls on")
    crawled()
    page.reload()

    page.goto("/o/acme/users/inactive/")
    expect(page.get_by_role("heading", name="2 inactive users")).to_be_visible()
    expect(page.get_by_role("row", name="more than a year ago")).to_contain_text("1 never signed in")
    page.get_by_label("Tick user2").check()
    press(page, "Start a plan for the ticked users")
    page.get_by_label("What to do").select_option(label="Offboard")
    press(page, "Continue")
    page.get_by_label("Now, when the job runs").check()
    press(page, "Make the preview")
    runner.run_due()
    page.reload()
    expect(page.get_by_text("user2").first).to_be_visible()
    expect(page.get_by_text("user1")).to_have_count(0)

    page.goto("/o/acme/users/inactive/")
    page.get_by_role("link", name="Start a job for these").click()
    page.get_by_label("What to do").select_option("user.deactivate")
    press(page, "Continue")
    runner.run_due()
    page.reload()
    expect(page.get_by_text("user2").first).to_be_visible()

    page.goto("/o/acme/settings/rules/")
    page.get_by_role("link", name="New rule").click()
    page.get_by_label("Name", exact=True).fill("Contractors")
    page.get_by_label("Who comes into this population").select_option(label="Contractors")
    page.get_by_label("VPN").check()
    page.get_by_label("Take back what the rule gave").check()
    press(page, "Save")
    expect(page.get_by_text("1 user is in the population")).to_be_visible()
    page.get_by_label("Also everybody who is there now").check()
    press(page, "Switch on")

    worked(Rule.objects.get())
    page.reload()
    assert are_in(environment) == {"user3"}
    expect(page.get_by_role("heading", name="What it did")).to_be_visible()

    with_javascript = new_page(org_admin)
    for path in ("settings/crawls/", "users/inactive/", "settings/rules/", f"settings/rules/{Rule.objects.get().pk}/"):
        with_javascript.goto(f"/o/acme/{path}")
        assert_accessible(with_javascript)
