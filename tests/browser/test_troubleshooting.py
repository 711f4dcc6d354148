"""The troubleshooting page in a browser: live checks one by one, and everything without JavaScript too."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import respx
from django.utils import timezone
from playwright.sync_api import Page, expect

from console.models import Operator, Organization
from pingone_integration.calls.failed_calls import count_call
from pingone_integration.checks import CHECKS, network
from pingone_integration.errors import MissingPermission, NotFound, Trace
from pingone_integration.models import Connection
from tests.support.answers import error
from tests.support.browser import Check, NewPage
from tests.support.people import ENVIRONMENT
from tests.support.sign_on import MARA
from tests.support.troubleshooting import FORBIDDEN, MANAGED, PAGE, works

EVERY_CHECK = [check.key for check in CHECKS]


@pytest.fixture
def wire(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> Iterator[respx.MockRouter]:
    """Mock a PingOne where Mara, who connected, lacks some permissions, and which has refused some calls."""
    Connection.objects.filter(pk=acme.connection.pk).update(
        consented_by="Mara Lind", consented_by_id=str(MARA), consented_at=timezone.now() - timedelta(days=2)
    )
    for failed in (MissingPermission, MissingPermission, NotFound):
        trace = Trace(call=f"GET /users/{MARA}", status=403, code="ACCESS_FAILED", error_id=FORBIDDEN["id"])
        count_call(acme.connection.pk, failed(trace=trace))
    monkeypatch.setattr(network, "_addresses", lambda _: ["192.0.2.7"])
    monkeypatch.setattr(network, "_certificate_ends", lambda _: timezone.now() + timedelta(days=90))
    with respx.mock(assert_all_called=False) as router:
        works(router, "dir:create:user", "dir:update:user")
        router.get(f"{MANAGED}/groups").respond(403, json=FORBIDDEN)
        yield router


@pytest.fixture
def go_on(wire: respx.MockRouter) -> threading.Event:
    """Return an event. Until a test sets it, PingOne does not answer calls about the managed environment."""
    event = threading.Event()

    def hesitates(request: httpx.Request) -> httpx.Response:
        event.wait(10)
        return httpx.Response(200, json={"id": str(ENVIRONMENT), "name": "E"})

    wire.get(MANAGED).mock(side_effect=hesitates)
    return event


def states(page: Page) -> list[str]:
    return [str(line.get_attribute("data-state")) for line in page.locator("[data-check]").all()]


def test_page_is_accessible_and_fits(
    new_page: NewPage,
    assert_accessible: Check,
    org_admin: Operator,
    helpdesk: Operator,
    wire: respx.MockRouter,
) -> None:
    page = new_page(org_admin)
    page.goto(PAGE)
    page.get_by_role("link", name="Check the connection").click()
    expect(page.locator("#checks-progress")).to_contain_text("passed")
    page.locator("#capabilities").scroll_into_view_if_needed()
    expect(page.get_by_role("rowheader", name="Create user")).to_be_visible()
    page.get_by_label("Error text").fill('{"error": "invalid_grant"}')
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#explained")).to_contain_text("The connection to PingOne has ended")
    assert_accessible(page)
    page.keyboard.press("Control+End")
    expect(page.locator(".topbar")).to_be_in_viewport()

    agent = new_page(helpdesk)
    agent.goto(PAGE)
    expect(agent.get_by_text("Nothing, as far as the console can tell.")).to_be_visible()
    assert_accessible(agent)


def test_checks_appear_one_by_one_and_the_running_check_is_marked(
    new_page: NewPage, org_admin: Operator, wire: respx.MockRouter, go_on: threading.Event
) -> None:
    page = new_page(org_admin)
    page.goto(PAGE)
    assert set(states(page)) == {"not-run"}

    page.get_by_role("link", name="Check the connection").click()

    waiting = page.locator("#check-managed-environment")
    expect(waiting).to_contain_text("Checking…")
    expect(page.locator("#checks-progress")).to_have_text("Checking 12 of 22")
    place = EVERY_CHECK.index("managed-environment")
    assert set(states(page)[:place]) <= {"passed", "cannot-tell"}
    assert set(states(page)[place + 1 :]) == {"not-run"}

    go_on.set()

    expect(page.locator("#checks-progress")).to_contain_text("17 passed, 3 failed, 2 unknown.")
    expect(page.locator("#check-read-groups")).to_contain_text("dir:read:group is missing")
    expect(page.locator("#support pre")).to_contain_text("[failed] Groups can be read")


def test_checks_start_over_when_started_again_and_the_first_run_ends(
    new_page: NewPage, org_admin: Operator, wire: respx.MockRouter, go_on: threading.Event
) -> None:
    users = wire.get(f"{MANAGED}/users").respond(json={})
    page = new_page(org_admin)
    page.goto(PAGE)
    page.locator("#check-all").click()
    expect(page.locator("#checks-progress")).to_have_text("Checking 12 of 22")

    with page.expect_response(lambda response: response.url.endswith("/checks/")):
        page.locator("#check-all").click()
    expect(page.locator("#check-all")).to_be_focused()
    expect(page.locator("#check-managed-environment")).to_have_attribute("data-state", "not-run")
    expect(page.locator("#checks-progress")).to_have_text("Checking 12 of 22")
    go_on.set()

    expect(page.locator("#checks-progress")).to_contain_text("17 passed, 3 failed, 2 unknown.")
    assert users.call_count == 1
    assert "running" not in states(page)


def test_single_check_and_renewal_work_by_keyboard(
    new_page: NewPage, org_admin: Operator, wire: respx.MockRouter
) -> None:
    page = new_page(org_admin)
    page.goto(PAGE)

    alone = page.locator("#check-read-groups").get_by_role("link", name="Run this check")
    alone.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#check-read-groups")).to_have_attribute("data-state", "failed")
    expect(alone).to_be_focused()
    assert states(page).count("not-run") == 21

    page.locator("#check-refresh").get_by_role("button", name="Renew now").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#check-refresh")).to_have_attribute("data-kind", "token-refresh-failure")
    expect(page.get_by_role("button", name="Renew now")).to_be_focused()


def test_page_works_without_javascript(new_page: NewPage, org_admin: Operator, wire: respx.MockRouter) -> None:
    page = new_page(org_admin, java_script_enabled=False)
    page.goto(PAGE)
    page.get_by_role("link", name="Check the connection").click()
    expect(page.locator("#checks-progress")).to_contain_text("17 passed, 3 failed, 2 unknown.")

    page.locator("#check-read-groups").get_by_role("link", name="More about this").click()
    expect(page.locator("#kind-missing-permission")).to_be_in_viewport()

    page.get_by_role("link", name="Check permissions").click()
    expect(page.get_by_role("rowheader", name="Create user")).to_be_visible()

    page.get_by_label("Error text").fill(str(error("NOT_FOUND")).replace("'", '"'))
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#explained")).to_contain_text("PingOne cannot find this")

    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as text").click()
    assert saved.value.suggested_filename == "connection-acme.txt"
