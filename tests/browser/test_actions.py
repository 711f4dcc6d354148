"""Actions as a helpdesk uses them: pressed once, double-submitted, confirmed, undone, with and without JavaScript."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest
import respx
from django.core.cache import cache
from playwright.sync_api import Page, expect

from console.models import AuditEntry, Operator
from tests.support.administrators import WithoutAdministrators
from tests.support.answers import ADA, BO, ENGINEERS, STAFF, ada, listing
from tests.support.browser import Check, NewPage
from tests.support.people import API_URL, ENVIRONMENT

USER = f"/o/acme/users/{ADA}/"
PANELS = ("memberOfGroups", "devices", "password", "sessions")


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


class Directory:
    """A fake PingOne with Ada, whose state changes with the calls."""

    def __init__(self, router: respx.MockRouter) -> None:
        self.router = router
        self.state: dict[str, Any] = {"enabled": True, "account": {"status": "LOCKED"}}
        self.groups = {ENGINEERS: "Field engineers"}
        router.get(f"/users/{ADA}").mock(side_effect=self._user)
        self.switch = router.put(f"/users/{ADA}/enabled", name="switch").mock(side_effect=self._switch)
        self.unlock = router.post(f"/users/{ADA}", name="unlock").mock(side_effect=self._unlock)
        self.password = router.put(f"/users/{ADA}/password").respond(json={})
        router.get(f"/users/{ADA}/memberOfGroups").mock(side_effect=self._memberships)
        router.get(f"/users/{ADA}/memberOfGroups/{ENGINEERS}").mock(side_effect=self._membership)
        router.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": "Field engineers"})
        router.delete(f"/users/{ADA}/memberOfGroups/{ENGINEERS}").mock(side_effect=self._leave)
        device = {"id": str(BO), "type": "SMS", "phone": "+46701234567", "lock": {"status": "LOCKED"}}
        router.get(f"/users/{ADA}/devices").respond(json=listing("devices", device))
        router.get(f"/users/{ADA}/devices/{BO}").respond(json=device)
        router.get(f"/users/{ADA}/bypassMFA").respond(json={})
        router.get(f"/users/{ADA}/password").respond(json={"status": "PASSWORD_LOCKED_OUT"})
        router.get(f"/users/{ADA}/sessions").respond(
            json=listing("sessions", {"id": str(BO), "browser": {"name": "Firefox"}})
        )
        router.get("/populations").respond(json=listing("populations", {"id": str(STAFF), "name": "Staff"}))

    def _user(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=ada(**self.state))

    def _switch(self, request: httpx.Request) -> httpx.Response:
        self.state["enabled"] = b"true" in request.content
        return httpx.Response(200, json={})

    def _unlock(self, request: httpx.Request) -> httpx.Response:
        self.state["account"] = {"status": "OK"}
        return httpx.Response(200, json={})

    def _memberships(self, request: httpx.Request) -> httpx.Response:
        found = [{"id": str(group), "name": name, "type": "DIRECT"} for group, name in self.groups.items()]
        return httpx.Response(200, json=listing("groupMemberships", *found))

    def _membership(self, request: httpx.Request) -> httpx.Response:
        group = UUID(request.url.path.rsplit("/", 1)[-1])
        if group not in self.groups:
            return httpx.Response(404, json={"code": "NOT_FOUND"})
        return httpx.Response(200, json={"id": str(group), "name": self.groups[group], "type": "DIRECT"})

    def _leave(self, request: httpx.Request) -> httpx.Response:
        self.groups.pop(ENGINEERS)
        return httpx.Response(204)


@pytest.fixture
def directory() -> Iterator[Directory]:
    environment = f"{API_URL}/v1/environments/{ENVIRONMENT}"
    with WithoutAdministrators(base_url=environment, assert_all_called=False) as router:
        yield Directory(router)


@pytest.fixture
def page(new_page: NewPage, helpdesk: Operator, directory: Directory) -> Page:
    return new_page(helpdesk)


def ready(page: Page) -> None:
    """Open Ada's page and wait for all panels."""
    page.goto(USER)
    for panel in ("groups", "devices", "password", "sessions"):
        expect(page.locator(f"#{panel} .user-panel")).to_be_visible()


def test_unlocking_takes_a_single_press_and_updates_the_page(page: Page, directory: Directory) -> None:
    ready(page)
    page.locator(".working-on").get_by_label("Ticket").fill("INC12345")

    page.locator("#account").get_by_role("button", name="Unlock account").click()

    expect(page.locator("#notices")).to_contain_text("Unlocked Ada Berg's account.")
    expect(page.get_by_role("region", name="Sign-in")).to_contain_text("No lock on the account.")
    expect(page.locator("#account").get_by_role("button", name="Unlock account")).to_have_count(0)
    assert page.url.endswith(USER)
    assert AuditEntry.objects.current().get().ticket == "INC12345"


def test_tab_and_connection_status_change_without_a_reload(page: Page, directory: Directory) -> None:
    ready(page)
    status, strip = page.locator("#connection-status"), page.locator("#connection-strip")
    errors: list[str] = []
    page.on("console", lambda message: errors.append(message.text) if "oobError" in message.text else None)

    directory.state["name"] = {"given": "Ida", "family": "Nova"}
    page.locator("#account").get_by_role("button", name="Unlock account").click()
    expect(page).to_have_title("Ida Nova · Acme · PingOne console")
    expect(status).to_contain_text("connected")

    directory.router.get(f"/users/{ADA}").respond(500)
    page.get_by_role("link", name="Deactivate").click()
    expect(status).to_contain_text("needs attention")
    expect(strip).to_contain_text("PingOne is not responding properly")

    directory.router.get(f"/users/{ADA}").mock(side_effect=None).respond(json=ada())
    page.get_by_role("link", name="Deactivate").click()
    expect(page.locator("#action")).to_contain_text("Deactivate Ada Berg?")
    expect(status).to_contain_text("connected")
    expect(strip).to_be_empty()
    assert not errors


def test_suggested_action_runs_from_the_verdict_and_sends_only_its_own_inputs(page: Page, directory: Directory) -> None:
    ready(page)
    verdict = page.get_by_role("region", name="Sign-in")
    expect(verdict.get_by_role("button", name="Unlock MFA device: Text message")).to_be_visible()

    with page.expect_request(lambda request: request.method == "POST") as sent:
        verdict.get_by_role("button", name="Unlock account").click()

    expect(page.locator("#notices")).to_contain_text("Unlocked Ada Berg's account.")
    expect(verdict).to_contain_text("Password locked after too many wrong passwords.")
    expect(verdict.get_by_role("button", name="Unlock account")).to_have_count(0)
    assert parse_qs(sent.value.post_data or "").keys() == {"csrfmiddlewaretoken", "submission"}


def test_double_click_has_one_effect(page: Page, directory: Directory) -> None:
    ready(page)

    page.locator("#account").get_by_role("button", name="Unlock account").dblclick()

    expect(page.locator("#notices")).to_contain_text("Unlocked Ada Berg's account.")
    assert directory.unlock.call_count == 1


def test_risky_action_asks_first_and_can_be_undone(page: Page, directory: Directory) -> None:
    ready(page)

    page.get_by_role("link", name="Deactivate").click()
    expect(page.locator("#action")).to_contain_text("Deactivate Ada Berg?")
    assert directory.switch.call_count == 0
    page.locator("#action").get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("region", name="Sign-in")).to_contain_text("They cannot sign in")
    expect(page.get_by_role("button", name="Undo")).to_be_in_viewport()
    expect(page.locator("#action")).to_be_empty()

    page.get_by_role("button", name="Undo").click()

    expect(page.locator("#notices")).to_contain_text("Activated Ada Berg.")
    assert directory.state["enabled"]


def test_removed_membership_disappears_from_its_panel(page: Page, directory: Directory) -> None:
    ready(page)

    page.locator("#groups").get_by_role("button", name="Remove").click()

    expect(page.locator("#groups")).to_contain_text("Not in any groups.")
    expect(page.locator("#notices")).to_contain_text("Removed Ada Berg from Field engineers.")


def test_temporary_password_is_shown_once(page: Page, directory: Directory) -> None:
    ready(page)

    page.locator("#account").get_by_role("link", name="Set temporary password").click()
    page.locator("#action").get_by_role("button", name="Set temporary password").click()

    shown = page.locator(".action-secret code").inner_text()
    assert shown in directory.password.calls.last.request.content.decode()
    page.get_by_role("link", name="Done", exact=True).click()
    expect(page.locator(".action-secret")).to_have_count(0)
    page.go_back()
    assert shown not in page.content()


def test_mistake_is_shown_at_its_field_and_the_entries_are_kept(page: Page, directory: Directory) -> None:
    directory.state["account"] = {"status": "OK"}
    ready(page)

    page.get_by_role("link", name="Lock until…").click()
    page.locator("#id_until").fill("2020-01-01T10:00")
    page.get_by_label("Reason").fill("Left her badge in a taxi")
    page.locator("#action").get_by_role("button", name="Lock").click()

    expect(page.locator("#action")).to_contain_text("Choose a time in the future.")
    expect(page.get_by_label("Reason")).to_have_value("Left her badge in a taxi")


def test_actions_work_without_javascript(new_page: NewPage, helpdesk: Operator, directory: Directory) -> None:
    page = new_page(helpdesk, java_script_enabled=False)
    page.goto(f"{USER}?panels=all")

    page.locator("#account").get_by_role("button", name="Unlock account").click()
    expect(page.locator("#notices")).to_contain_text("Unlocked Ada Berg's account.")

    page.get_by_role("link", name="Deactivate").click()
    page.get_by_role("button", name="Deactivate").click()
    expect(page.locator("#notices")).to_contain_text("Deactivated Ada Berg.")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#notices")).to_contain_text("Activated Ada Berg.")

    page.goto(f"{USER}?panels=all")
    page.locator("#groups").get_by_role("button", name="Remove").click()
    expect(page.locator("#notices")).to_contain_text("Removed Ada Berg from Field engineers.")

    page.locator("#account").get_by_role("link", name="Set temporary password").click()
    page.get_by_role("button", name="Set temporary password").click()
    expect(page.locator(".action-secret code")).to_be_visible()
    page.reload()  # the browser sends the form once more
    expect(page.locator("#notices")).to_contain_text("shown only once")


def test_button_works_by_keyboard(page: Page, directory: Directory) -> None:
    ready(page)
    page.locator("#account").get_by_role("button", name="Unlock account").focus()

    page.keyboard.press("Enter")

    expect(page.locator("#notices")).to_contain_text("Unlocked Ada Berg's account.")


def test_actions_and_their_record_are_accessible(
    new_page: NewPage, org_admin: Operator, directory: Directory, assert_accessible: Check
) -> None:
    page = new_page(org_admin)

    for key in ("user.deactivate", "user.lock", "user.update", "user.delete", "user.move", "device.remove"):
        page.goto(f"{USER}actions/{key}/?device_id={BO}")
        assert_accessible(page)

    page.goto(f"{USER}actions/user.deactivate/")
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    assert_accessible(page)

    page.goto("/o/acme/audit/")
    assert_accessible(page)
    page.get_by_role("link", name="User deactivated").click()
    expect(page.get_by_role("heading", name="Before and after")).to_be_visible()
    assert_accessible(page)
