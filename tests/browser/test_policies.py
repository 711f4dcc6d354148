"""Policies in a browser: a changed role at the next click, a lock down on an agent's page, and viewing as a member."""

from collections.abc import Callable

import pytest
import respx
from playwright.sync_api import Page, expect

from console.models import Operator, Organization
from tests.support.answers import ADA, ada

pytestmark = pytest.mark.browser

USER = f"/o/acme/users/{ADA}/"


@pytest.mark.parametrize("java_script", [True, False])
def test_org_admin_changes_a_role_locks_down_and_views_as_an_agent(
    new_page: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    pingone: respx.MockRouter,
    acme: Organization,
    org_admin: Operator,
    helpdesk: Operator,
    java_script: bool,
) -> None:
    if java_script:  # loads the panels
        pingone.get(url__regex=rf"/users/{ADA}/.+").respond(json={})
    pingone.get(f"/users/{ADA}").respond(json=ada())
    agent = new_page(helpdesk, java_script_enabled=java_script)
    agent.goto(USER)
    deactivate = agent.locator("#account").get_by_text("Deactivate", exact=True)
    expect(deactivate).to_be_visible()

    admin = new_page(org_admin, java_script_enabled=java_script)
    admin.goto("/o/acme/settings/policies/")
    admin.get_by_role("link", name="Helpdesk agent").click()
    admin.get_by_role("checkbox", name="Deactivate", exact=True).uncheck()
    admin.get_by_role("button", name="Show what changes").click()
    expect(admin.get_by_text("1 member loses: Deactivate")).to_be_visible()
    expect(admin.get_by_text(helpdesk.email)).to_be_visible()
    if java_script:
        assert_accessible(admin)
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.get_by_text("Saved the role Helpdesk agent.")).to_be_visible()

    deactivate.click()
    expect(agent.get_by_text("does not include: Deactivate.")).to_be_visible()

    Organization.objects.filter(pk=acme.pk).update(
        locked_down_at="2026-11-20T10:00:00Z", lock_down_reason="Callers lie"
    )
    agent.goto(USER)
    expect(agent.get_by_text("Callers lie")).to_be_visible()
    expect(deactivate).to_have_count(0)

    member = acme.memberships.get(operator=helpdesk)
    admin.goto(f"/o/acme/settings/members/{member.pk}/")
    admin.get_by_role("button", name="View as").click()
    expect(admin.get_by_text("You are viewing as")).to_be_visible()
    expect(admin.get_by_role("link", name="Call API")).to_have_count(0)
    if java_script:
        assert_accessible(admin)
    admin.get_by_role("button", name="Stop viewing as").click()
    expect(admin.get_by_role("link", name="Call API").first).to_be_visible()
