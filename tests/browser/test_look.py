"""The look of the console's frame: readable in light and dark, on a desktop and on a phone."""

from collections.abc import Callable

import pytest
from django.template.loader import render_to_string
from django.test import Client
from playwright.sync_api import expect

from console.models import Membership, Operator, Organization
from pingone_integration.models import Connection
from tests.support.addresses import OURS
from tests.support.browser import LOOKS, Check, NewPage
from tests.support.everything import everything, unchanging
from tests.support.people import make_operator

ASK_THE_NETWORK = frozenset({"connection-checks", "capabilities"})  # test_troubleshooting.py has them


@pytest.fixture
def consultant(acme: Organization, globex: Organization) -> Operator:
    """Create an operator with a role in two organizations."""
    operator = make_operator("consultant@example.test", acme, Membership.Role.ORG_ADMIN)
    Membership.objects.create(organization=globex, operator=operator, role=Membership.Role.AUDITOR)
    return operator


def test_public_pages_are_accessible(new_page: NewPage, assert_accessible: Check) -> None:
    page = new_page()
    for address in ("/accounts/login/", "/accounts/password/reset/", "/accounts/password/reset/done/", "/nowhere/"):
        page.goto(address)
        assert_accessible(page)


def test_home_is_accessible_in_every_state_of_the_connection(
    new_page: NewPage, assert_accessible: Check, consultant: Operator, acme: Organization
) -> None:
    page = new_page(consultant)
    for state in Connection.State:
        Connection.objects.filter(pk=acme.connection.pk).update(state=state)

        page.goto("/o/acme/")

        told = "then reconnect" if state == Connection.State.ENDING else str(state.label)
        expect(page.locator(".connection-state")).to_contain_text(told)
        assert_accessible(page, within="" if state == Connection.State.CONNECTED else ".connection-state, main")


def test_menus_are_accessible_and_need_no_javascript(
    new_page: NewPage, assert_accessible: Check, consultant: Operator
) -> None:
    page = new_page(consultant)
    page.goto("/o/acme/")
    for menu in ("operator", "organizations"):
        page.locator(f"[popovertarget={menu}]").click()
        expect(page.locator(f"#{menu}")).to_be_visible()
        assert_accessible(page, within=f"#{menu}")
        page.keyboard.press("Escape")
        expect(page.locator(f"#{menu}")).to_be_hidden()

    plain = new_page(consultant, java_script_enabled=False)
    plain.goto("/o/acme/")
    plain.locator("[popovertarget=organizations]").click()
    plain.get_by_role("link", name="Globex").click()
    expect(plain.get_by_role("heading", name="Globex", level=1)).to_be_visible()


def test_account_pages_of_the_operator_are_accessible(
    new_page: NewPage, assert_accessible: Check, consultant: Operator
) -> None:
    page = new_page(consultant)
    for address in ("/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/sessions/", "/accounts/logout/"):
        page.goto(address)
        assert_accessible(page)


def pages_of_acme(client: Client) -> list[str]:
    """Return the address of each whole page of the organization that opens by its address."""
    found = []
    for address in OURS:
        if address.path.startswith("/o/acme/") and address.name not in ASK_THE_NETWORK:
            response = client.get(address.path)
            if response.status_code == 200 and not response.streaming and b"<html" in response.content:
                found.append(address.path)
    return found


def test_every_page_of_an_organization_is_accessible(
    new_page: NewPage, assert_accessible: Check, browser_of: Callable[[Operator], Client], org_admin: Operator
) -> None:
    """Without the frame, and in one look each, to save time: every other page in the other."""
    page = new_page(org_admin)
    with unchanging(everything()):
        found = pages_of_acme(browser_of(org_admin))
        assert len(found) > 30
        for number, address in enumerate(found):
            page.goto(address)
            assert_accessible(page, within="main", looks=(LOOKS[number % len(LOOKS)],))


def test_failures_are_accessible(
    new_page: NewPage, assert_accessible: Check, helpdesk: Operator, acme: Organization
) -> None:
    acme.connection.state = Connection.State.NOT_CONNECTED
    acme.connection.save()
    page = new_page(helpdesk)
    page.route("**/broken/", lambda route: route.fulfill(body=render_to_string("500.html"), content_type="text/html"))
    for address, heading in (
        ("/o/acme/settings/connection/", "Not allowed"),
        ("/theme/", "This page cannot be opened directly"),
        ("/o/acme/users/c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21/", "This organization is not connected to PingOne"),
        ("/broken/", "Something went wrong in the console"),
    ):
        page.goto(address)
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        assert_accessible(page)

    page.goto("/o/acme/")
    page.evaluate("htmx.ajax('GET', '/o/acme/users/c0a8f3d2-41b7-4e9a-9d0e-7b6a5c4d3e21/', '.page-heading')")
    expect(page.locator("#notices")).to_contain_text("This organization is not connected to PingOne")
    assert_accessible(page)
