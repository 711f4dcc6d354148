"""Searching and viewing users as a helpdesk does: typing, keys, Back, phone, no JavaScript."""

import re
from collections.abc import Iterator
from threading import Event
from typing import Any

import httpx
import pytest
import respx
from django.core.cache import cache
from playwright.sync_api import Page, expect

from console.models import Operator
from tests.support.answers import ADA, BO, ENGINEERS, STAFF, ada, bo, error, listing
from tests.support.browser import Check, NewPage
from tests.support.people import API_URL, ENVIRONMENT

LIST = "/o/acme/users/"
USER = f"{LIST}{ADA}/"
HOSTILE = "<b>مريم</b> " + "W" * 240


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def directory() -> Iterator[respx.MockRouter]:
    """A fake PingOne with Ada and Bo. A search matches the beginning of the username."""

    def search(request: httpx.Request) -> httpx.Response:
        sought = re.search(r'username sw "([^"]*)"', request.url.params.get("filter", ""))
        found = [user for user in (ada(), bo()) if not sought or user["username"].startswith(sought[1])]
        return httpx.Response(200, json=listing("users", *found))

    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as pingone:
        pingone.get("/populations").respond(json=listing("populations", {"id": str(STAFF), "name": "Staff"}))
        pingone.get("/users", name="search").mock(side_effect=search)
        pingone.get(f"/users/{ADA}").respond(json=ada())
        panels = {
            "memberOfGroups": listing("groupMemberships", {"id": str(ENGINEERS), "name": "Field", "type": "DIRECT"}),
            "devices": listing("devices", {"id": str(BO), "type": "SMS", "lock": {"status": "LOCKED"}}),
            "bypassMFA": {},
            "password": {"status": "PASSWORD_LOCKED_OUT"},
            "sessions": listing("sessions", {"id": str(BO), "browser": {"name": "Firefox"}}),
        }
        for path, answer in panels.items():
            pingone.get(f"/users/{ADA}/{path}", name=path).respond(json=answer)
        yield pingone


@pytest.fixture
def page(new_page: NewPage, helpdesk: Operator, directory: respx.MockRouter) -> Page:
    """Return the page of a helpdesk agent."""
    return new_page(helpdesk)


def rows(page: Page) -> Any:
    return page.locator("#results tbody tr")


def search_box(page: Page) -> Any:
    return page.get_by_role("searchbox", name="Find a user")


def test_results_appear_while_typing_and_the_address_follows(page: Page) -> None:
    page.goto(LIST)
    expect(rows(page)).to_have_count(2)

    search_box(page).press_sequentially("bo")

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("bo.ek")
    expect(page).to_have_url(re.compile(r"/users/\?q=bo&show=list$"))


def test_search_is_never_overwritten_by_an_older_answer(page: Page, directory: respx.MockRouter) -> None:
    released = Event()

    def slowly(request: httpx.Request) -> httpx.Response:
        if '"slow"' in request.url.params.get("filter", ""):
            released.wait(20)
            return httpx.Response(200, json=listing("users", ada(name={"given": "Too late"})))
        return httpx.Response(200, json=listing("users", bo()))

    directory["search"].mock(side_effect=slowly)
    page.goto(LIST)
    with page.expect_request(lambda request: "q=slow" in request.url):
        search_box(page).fill("slow")
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")
    with page.expect_event("requestfailed", lambda request: "q=slow" in request.url):
        search_box(page).fill("bo")
    expect(page).to_have_url(re.compile(r"q=bo&show=list$"))
    released.set()
    page.evaluate("fetch('/healthz')")

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("bo.ek")
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    expect(search_box(page)).to_have_value("bo")


def test_search_is_never_overwritten_by_a_page_requested_earlier(page: Page, directory: respx.MockRouter) -> None:
    released = Event()

    def slowly(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            released.wait(20)
        return httpx.Response(200, json=listing("users", bo(), cursor="on"))

    directory["search"].mock(side_effect=slowly)
    page.goto(LIST)
    with page.expect_request(lambda request: "cursor=" in request.url):
        page.get_by_role("link", name="Next").click()
    with page.expect_event("requestfailed", lambda request: "cursor=" in request.url):
        search_box(page).fill("bo")

    expect(page).to_have_url(re.compile(r"/users/\?q=bo$"))
    released.set()


def test_back_from_a_user_returns_to_the_same_search(page: Page) -> None:
    page.goto(LIST)
    search_box(page).fill("ada")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="Ada Berg").click()
    expect(page.get_by_role("heading", name="Ada Berg")).to_be_visible()

    page.go_back()

    expect(page).to_have_url(re.compile(r"/users/\?q=ada&show=list$"))
    expect(search_box(page)).to_have_value("ada")
    expect(rows(page)).to_have_count(1)
    search_box(page).press("Enter")  # opens the only match
    expect(page.get_by_role("heading", name="Ada Berg")).to_be_visible()
    page.go_back()
    expect(rows(page)).to_have_count(1)
    page.go_back()
    expect(page).to_have_url(re.compile(r"/users/$"))
    expect(rows(page)).to_have_count(2)


def test_back_from_a_page_returns_to_the_previous_page(page: Page, directory: respx.MockRouter) -> None:
    def paged(request: httpx.Request) -> httpx.Response:
        second = request.url.params.get("cursor") == "two"
        return httpx.Response(200, json=listing("users", bo() if second else ada(), cursor="" if second else "two"))

    directory["search"].mock(side_effect=paged)
    page.goto(LIST)
    page.get_by_role("link", name="Next").click()
    expect(rows(page)).to_contain_text("bo.ek")
    expect(page).to_have_url(re.compile("cursor="))

    page.go_back()

    expect(rows(page)).to_contain_text("Ada Berg")
    expect(page).to_have_url(re.compile(r"/users/$"))
    page.go_forward()
    expect(rows(page)).to_contain_text("bo.ek")
    expect(page.locator("html")).to_have_count(1)


def test_personal_data_is_not_stored_in_the_browser(page: Page) -> None:
    page.goto(LIST)
    search_box(page).fill("ada")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("link", name="Ada Berg").click()
    page.wait_for_url(f"**{USER}")

    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert "Ada" not in stored
    assert "q=ada" not in stored


def test_list_and_user_work_by_keyboard(page: Page) -> None:
    page.goto(f"{LIST}?q=ada&show=list")
    page.keyboard.press("/")
    expect(search_box(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name="Ada Berg")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(search_box(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ada Berg")).to_be_visible()

    page.keyboard.press("/")

    page.wait_for_url(f"**{LIST}")
    expect(search_box(page)).to_be_focused()


def test_slash_can_be_typed_in_a_field(page: Page) -> None:
    page.goto(LIST)
    search_box(page).press_sequentially("a/b")
    expect(search_box(page)).to_have_value("a/b")


def test_pasted_id_opens_the_user(page: Page) -> None:
    page.goto(LIST)
    search_box(page).fill(str(ADA))

    page.wait_for_url(f"**{USER}?sought={ADA}")


def test_group_filter_is_chosen_by_typing_and_can_be_removed(page: Page, directory: respx.MockRouter) -> None:
    group = {"id": str(ENGINEERS), "name": "Field engineers"}
    directory.get("/groups").respond(json=listing("groups", group))
    page.goto(LIST)
    page.get_by_role("searchbox", name="Group").press_sequentially("fie")
    page.get_by_role("link", name="Field engineers").click()
    expect(page).to_have_url(re.compile(f"group={ENGINEERS}$"))

    page.get_by_role("link", name="Any group instead of Field engineers").click()

    expect(page).to_have_url(re.compile(r"/users/$"))


def test_refused_filter_is_explained_at_its_field_until_it_is_cleared(
    page: Page, directory: respx.MockRouter, assert_accessible: Check
) -> None:
    def choosy(request: httpx.Request) -> httpx.Response:
        if "filter" in request.url.params:
            return httpx.Response(400, json=error("INVALID_DATA", "INVALID_FILTER", "filter"))
        return httpx.Response(200, json=listing("users", ada(), bo()))

    directory["search"].mock(side_effect=choosy)
    page.goto(LIST)
    page.get_by_text("Advanced").click()
    field = page.get_by_role("textbox", name="SCIM filter")
    field.fill("mfaEnabled eq true")
    field.press("Enter")

    expect(field).to_have_accessible_description(re.compile("PingOne does not accept this filter"))
    expect(field).to_have_attribute("aria-invalid", "true")
    assert_accessible(page)
    field.fill("")
    field.press("Enter")
    expect(rows(page)).to_have_count(2)
    expect(field).to_have_attribute("aria-invalid", "false")


def test_failed_search_can_be_retried(page: Page, directory: respx.MockRouter) -> None:
    page.goto(LIST)
    working = directory["search"].side_effect
    directory["search"].mock(side_effect=None, return_value=httpx.Response(403, json=error("ACCESS_FAILED")))
    search_box(page).fill("ada")
    expect(page.locator("#results")).to_contain_text("PingOne does not allow this")
    expect(search_box(page)).to_have_value("ada")
    directory["search"].mock(side_effect=working)

    page.get_by_role("link", name="Try again").click()

    expect(rows(page)).to_have_count(1)


def test_stale_cursor_restarts_the_list_with_a_notice(page: Page, directory: respx.MockRouter) -> None:
    def once(request: httpx.Request) -> httpx.Response:
        if "cursor" in request.url.params:
            return httpx.Response(400, json=error("INVALID_REQUEST"))
        return httpx.Response(200, json=listing("users", ada(), cursor="gone"))

    directory["search"].mock(side_effect=once)
    page.goto(LIST)
    page.get_by_role("link", name="Next").click()

    expect(page.locator("#notices")).to_contain_text("The list is back on its first page")
    expect(page).to_have_url(re.compile(r"/users/$"))
    search_box(page).fill("ada")
    expect(page.locator("#notices")).to_be_empty()


def test_panels_load_and_fail_separately(page: Page, directory: respx.MockRouter) -> None:
    directory["devices"].respond(403, json=error("ACCESS_FAILED"))
    page.goto(USER)

    expect(page.get_by_role("region", name="Groups")).to_contain_text("Direct")
    expect(page.get_by_role("region", name="Password")).to_contain_text("Locked after too many wrong passwords.")
    expect(page.get_by_role("region", name="Sessions")).to_contain_text("Firefox")
    devices = page.get_by_role("region", name="MFA devices")
    expect(devices).to_contain_text("PingOne does not allow this")
    verdict = page.get_by_role("region", name="Sign-in")
    expect(verdict).to_contain_text("MFA could not be read.")
    directory["devices"].respond(json=listing("devices"))
    devices.get_by_role("link", name="Try again").click()
    expect(devices).to_contain_text("No MFA devices.")
    expect(verdict).not_to_contain_text("MFA could not be read.")


@pytest.mark.parametrize("late", ["password", "devices"])
def test_verdict_follows_the_panels_in_either_order(page: Page, directory: respx.MockRouter, late: str) -> None:
    released = Event()
    answers = {"password": {"status": "OK"}, "devices": listing("devices")}

    def slowly(request: httpx.Request) -> httpx.Response:
        released.wait(20)
        return httpx.Response(200, json=answers[late])

    for path, answer in answers.items():
        directory[path].respond(json=answer)
    directory[late].mock(side_effect=slowly)
    page.goto(USER)
    verdict = page.get_by_role("region", name="Sign-in")
    early = {"password": "Password not read yet.", "devices": "MFA not read yet."}
    missing = {"password": "MFA not read yet.", "devices": "Password not read yet."}
    expect(verdict).to_contain_text(early[late])
    expect(verdict).not_to_contain_text(missing[late])
    expect(verdict).not_to_contain_text("Password and MFA")
    released.set()

    expect(verdict).to_contain_text("MFA is on, but they have no device for it.")
    expect(verdict).to_contain_text("The password works.")


@pytest.fixture
def plain_page(new_page: NewPage, helpdesk: Operator, directory: respx.MockRouter) -> Page:
    """Return the page of a helpdesk agent without JavaScript."""
    return new_page(helpdesk, java_script_enabled=False)


def test_user_is_searched_for_and_shown_without_javascript(plain_page: Page) -> None:
    page = plain_page
    page.goto(LIST)
    search_box(page).fill("ada")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", name="Ada Berg")).to_be_visible()  # the only match

    page.get_by_role("link", name="Show Groups").click()
    expect(page.get_by_role("region", name="Groups")).to_contain_text("Field")
    page.get_by_role("link", name="Everything about Ada Berg").click()
    page.get_by_role("link", name="Show everything on one page").click()
    expect(page.get_by_role("region", name="Sessions")).to_contain_text("Firefox")


def test_group_filter_works_without_javascript(plain_page: Page, directory: respx.MockRouter) -> None:
    page = plain_page
    group = {"id": str(ENGINEERS), "name": "Field engineers"}
    directory.get("/groups").respond(json=listing("groups", group))
    page.goto(LIST)
    page.get_by_role("searchbox", name="Group").fill("fie")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Field engineers").click()

    expect(page).to_have_url(re.compile(f"group={ENGINEERS}"))


def test_list_and_user_are_accessible_and_fit_with_any_names(
    new_page: NewPage,
    helpdesk: Operator,
    directory: respx.MockRouter,
    assert_accessible: Check,
) -> None:
    locked = {"status": "LOCKED", "unlockAt": "2026-12-01T00:00:00Z"}
    hostile = ada(
        name={"given": HOSTILE}, username=HOSTILE, email=HOSTILE, title=HOSTILE, account=locked, **{HOSTILE: HOSTILE}
    )
    answer = listing("users", hostile, ada(enabled=False), bo(), cursor="on")
    directory["search"].mock(side_effect=None, return_value=httpx.Response(200, json=answer))
    directory.get(f"/users/{ADA}").respond(json=hostile)
    directory["sessions"].respond(403, json=error("ACCESS_FAILED"))
    page = new_page(helpdesk)

    page.goto(LIST)
    expect(rows(page)).to_have_count(3)
    assert_accessible(page)
    page.goto(USER)
    expect(page.locator(".user-panel-awaited")).to_have_count(0)
    assert_accessible(page)


def test_list_is_accessible_in_its_other_states(
    new_page: NewPage,
    helpdesk: Operator,
    directory: respx.MockRouter,
    assert_accessible: Check,
) -> None:
    directory.get(f"/groups/{ENGINEERS}").respond(json={"id": str(ENGINEERS), "name": HOSTILE})
    page = new_page(helpdesk)
    for query in ("q=nobody", "filter=(", "q=ada&cursor=0.x", f"group={ENGINEERS}&enabled=false"):
        page.goto(f"{LIST}?{query}")
        expect(page.locator("#results")).to_be_visible()
        assert_accessible(page)
