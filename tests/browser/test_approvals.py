"""Approvals in a browser: approved and done, declined, expired, changed underneath; also without JavaScript."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from console.models import Operator, Organization
from tests.support.answers import ADA
from tests.support.approving import demand, make_long_standing, time_passes
from tests.support.browser import Check
from tests.support.environment_fixtures import environment
from tests.support.small_environment import SmallEnvironment

pytestmark = pytest.mark.browser

__all__ = ["environment"]

USER = f"/o/acme/users/{ADA}/"
WRITE = f"PUT /users/{ADA}/enabled"


def asks(page: Page) -> str:
    """Press the button, find out that it takes a second person, and ask. Return the request's page."""
    page.goto(USER)
    page.locator("#account").get_by_text("Deactivate", exact=True).click()
    page.get_by_label("Reason").fill("They have left")
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_text("Asked for approval. Nothing was changed yet.")).to_be_visible()
    return page.url


def does_it(page: Page, request: str) -> None:
    page.goto(request)
    page.get_by_role("button", name="Do it now").click()


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_second_person_decides(
    new_page: Callable[..., Page],
    assert_accessible: Check,
    environment: SmallEnvironment,
    acme: Organization,
    org_admin: Operator,
    helpdesk: Operator,
    java_script: bool,
) -> None:
    make_long_standing(org_admin, helpdesk)
    demand(acme, "user.deactivate")
    agent = new_page(helpdesk, java_script_enabled=java_script)
    admin = new_page(org_admin, java_script_enabled=java_script)

    declined = asks(agent)
    admin.goto("/o/acme/")
    admin.get_by_role("link", name="1 request waits for your approval.").click()
    admin.get_by_role("link", name="Deactivate").click()
    expect(admin.get_by_text("They have left")).to_be_visible()
    if java_script:
        assert_accessible(admin)
    admin.get_by_label("Reason").fill("Not before Friday")
    admin.get_by_role("button", name="Decline").click()
    agent.goto(declined)
    expect(agent.get_by_text("Not before Friday")).to_be_visible()
    expect(agent.get_by_role("button", name="Do it now")).to_have_count(0)

    expired = asks(agent)
    admin.goto(expired)
    admin.get_by_role("button", name="Approve").click()
    time_passes(timedelta(minutes=15))
    agent.goto(expired)
    expect(agent.get_by_text("Approved, but not used in time")).to_be_visible()
    expect(agent.get_by_role("button", name="Do it now")).to_have_count(0)

    changed = asks(agent)
    admin.goto(changed)
    admin.get_by_role("button", name="Approve").click()
    expect(admin.get_by_text("has 15 minutes to do it")).to_be_visible()
    environment.users[ADA]["email"] = "somebody.else@acme.test"
    does_it(agent, changed)
    expect(agent.get_by_text("needs the approval of a second person").first).to_be_visible()
    expect(agent.get_by_label("Reason")).to_have_value("They have left")
    assert environment.writes == []

    approved = asks(agent)
    if java_script:
        assert_accessible(agent)
    admin.goto(approved)
    admin.get_by_role("button", name="Approve").click()
    does_it(agent, approved)
    expect(agent.get_by_text("Deactivated").first).to_be_visible()
    assert environment.writes == [WRITE]
    agent.goto(approved)
    expect(agent.get_by_text("Done").first).to_be_visible()


def test_rules_page_is_accessible(
    new_page: Callable[..., Page], assert_accessible: Check, acme: Organization, org_admin: Operator
) -> None:
    admin = new_page(org_admin)
    admin.goto("/o/acme/settings/policies/approvals/")

    assert_accessible(admin)
