"""Where the focus is: in a form that opens, on its button after it closes, on what an action changed. Never nowhere."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from playwright.sync_api import Locator, Page, expect

from console.actions.catalogue import ACTIONS, BY_KEY, Action
from console.models import Operator
from tests.support.answers import ADA, ada, listing
from tests.support.asking import DEVICE
from tests.support.browser import ALL_LOOKS, Check, NewPage
from tests.support.everything import everything, unchanging

USER = f"/o/acme/users/{ADA}/"
NAME = "Ada Berg"
DEVICES = f"/users/{ADA}/devices"
PASSWORD = f"/users/{ADA}/password"
ADA_NOW = f"/users/{ADA}"
LOCKED_DEVICE = {"id": str(DEVICE), "type": "TOTP", "nickname": "Work", "lock": {"status": "LOCKED"}}
ACTIVE = {ADA_NOW: ada(emailVerified=False)}
SHUT_OUT = {
    ADA_NOW: ada(enabled=False, mfaEnabled=False, account={"canAuthenticate": False, "status": "LOCKED"}),
    DEVICES: listing("devices", LOCKED_DEVICE),
    f"{DEVICES}/{DEVICE}": LOCKED_DEVICE,
    PASSWORD: {"status": "PASSWORD_LOCKED_OUT"},
}
NOWHERE = "() => document.activeElement === null || document.activeElement === document.body"
FIELD = "input:not([type=hidden]), select, textarea"
WATCH = f"""() => {{
    window.lost = [];
    const look = event => {{ if (({NOWHERE})()) window.lost.push(event.type + ' ' + event.detail.target?.id) }};
    for (const moment of ['htmx:beforeSend', 'htmx:afterSettle']) document.addEventListener(moment, look);
}}"""


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def known() -> dict[str, Any]:
    return everything() | ACTIVE


@pytest.fixture
def page(new_page: NewPage, org_admin: Operator, known: dict[str, Any]) -> Iterator[Page]:
    with unchanging(known):
        yield new_page(org_admin)


def ready(page: Page) -> None:
    page.goto(USER)
    expect(page.locator(".user-panel-awaited")).to_have_count(0)
    page.wait_for_load_state("networkidle")  # the verdict, which follows the panels
    page.locator("#main").focus()
    page.evaluate(WATCH)


def assert_never_lost(page: Page) -> None:
    expect(page.locator(".htmx-request")).to_have_count(0)
    assert not page.evaluate(NOWHERE)
    assert page.evaluate("window.lost") == []


def offered(page: Page) -> list[Action]:
    """Return the actions with a control at their own place, apart from the ones suggested by the verdict."""
    addresses = page.locator(".actions :is(form, a)").evaluate_all(
        "all => all.map(one => one.getAttribute('action') ?? one.getAttribute('href'))"
    )
    keys = [re.search(r"/actions/([\w.-]+)/$", urlsplit(address).path) for address in addresses]
    actions = {found[1]: BY_KEY[found[1]] for found in keys if found}
    return [action for action in actions.values() if control(page, action).count()]


def control(page: Page, action: Action) -> Locator:
    place = f"#{action.place.part} .actions"
    link, button = f"a[href*='/{action.key}/']", f"form[action$='/{action.key}/'] button"
    return page.locator(f"{place} {button if action.is_immediate else link}").first


def settled(page: Page) -> None:
    """Wait for htmx: until it has seen what it inserted, a form there is sent by the browser itself."""
    expect(page.locator(".htmx-request, .htmx-swapping, .htmx-added, .htmx-settling")).to_have_count(0)


def open_form(page: Page, action: Action) -> Locator:
    settled(page)
    control(page, action).click()
    form = page.locator("#action .action-card")
    expect(form.get_by_role("heading", name=f"{action.name}: {NAME}", exact=True)).to_be_visible()
    settled(page)
    expect(page.locator("#action :focus")).to_have_count(1)
    return form


def test_focus_goes_into_each_form_and_back_and_to_what_each_button_changed(page: Page, known: dict[str, Any]) -> None:
    pressed = set()
    for state in (ACTIVE, SHUT_OUT):
        known |= state
        ready(page)
        actions = offered(page)
        for action in actions:
            if not action.is_immediate:
                see_form_open_and_close(page, action)
        for action in actions:
            if not action.form.visible_inputs():
                see_what_changed(page, action)
        assert_never_lost(page)
        pressed |= {action.key for action in actions}

    elsewhere = {"group.add"}  # a page of its own, for several groups
    assert pressed == {action.key for action in ACTIONS if action.needs_user} - elsewhere


def see_form_open_and_close(page: Page, action: Action) -> None:
    form = open_form(page, action)
    expect(form.locator("h2" if action.is_risky else FIELD).first).to_be_focused()
    page.keyboard.press("Escape")
    expect(control(page, action)).to_be_focused()
    expect(page.locator("#action")).to_be_empty()


def see_what_changed(page: Page, action: Action) -> None:
    """Run an action that asks for nothing, by keyboard."""
    if action.is_immediate:
        settled(page)
        control(page, action).press("Enter")
    else:
        open_form(page, action).locator("button.btn-danger").press("Enter")
    if action.secret_result:
        expect(page.get_by_role("heading", name=f"{action.done}: {NAME}")).to_be_focused()
        page.keyboard.press("Escape")  # the secret stays
        page.get_by_role("link", name="Done").click()
        expect(control(page, action)).to_be_focused()
    else:
        expect(page.locator(f"#{action.place.part}")).to_be_focused()
    expect(page.locator("#action")).to_be_empty()


def test_typed_text_is_not_lost(page: Page) -> None:
    ready(page)
    form = open_form(page, BY_KEY["user.lock"])
    reason = form.get_by_label("Reason")
    reason.fill("Left her badge in a taxi")

    page.keyboard.press("Escape")
    expect(form).to_contain_text("You have not saved this form.")
    page.locator("#account").get_by_role("button", name="Force password change").click()
    expect(form).to_be_focused()
    expect(reason).to_have_value("Left her badge in a taxi")

    form.get_by_label("Until").fill("2020-01-01T10:00")
    form.get_by_role("button", name="Lock").click()
    expect(form.get_by_label("Until")).to_be_focused()
    expect(form).to_contain_text("Choose a time in the future.")
    page.keyboard.press("Escape")
    expect(reason).to_have_value("Left her badge in a taxi")
    form.get_by_role("link", name="Cancel").click()
    expect(control(page, BY_KEY["user.lock"])).to_be_focused()

    page.locator("#groups").get_by_role("link", name="Add to groups").click()
    expect(page.get_by_role("heading", name=f"Add to groups: {NAME}")).to_be_visible()
    expect(page.get_by_label("Group name starts with")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#groups").get_by_role("link", name="Add to groups")).to_be_focused()
    assert_never_lost(page)


def test_form_on_a_page_of_its_own_closes_with_escape(page: Page) -> None:
    page.goto(f"{USER}actions/user.delete/")
    form = page.locator(".action-card")
    expect(form.get_by_role("heading", name=f"Delete user: {NAME}")).to_be_focused()
    expect(form.locator("label[for=id_username] bdi")).to_have_text("ada.berg")

    page.keyboard.press("Escape")

    page.wait_for_url(f"**{USER}")


WIDTHS = (390, 700, 1024, 1280, 1920)
GAPS = """() => [...document.querySelectorAll('#action .form-check')].map(one => {
    const box = one.querySelector('input').getBoundingClientRect();
    const words = one.querySelector('.form-check-label').getBoundingClientRect();
    return [words.left - box.right, Math.abs(words.top - box.top)];
})"""


def test_conflict_is_announced_and_each_choice_stands_beside_its_label(page: Page, known: dict[str, Any]) -> None:
    ready(page)
    form = open_form(page, BY_KEY["user.update"])
    form.get_by_label("Title").fill("Chief")
    known[ADA_NOW] = ada(title="Deputy", updatedAt="2026-11-27T10:00:00.000Z")

    form.get_by_role("button", name="Save").click()

    expect(page.locator("#action h2")).to_be_focused()
    expect(page.locator("#action h2")).to_contain_text(NAME)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        gaps = page.evaluate(GAPS)
        assert len(gaps) == 2
        assert all(0 <= beside <= 16 and below <= 4 for beside, below in gaps), (width, gaps)
    page.keyboard.press("Escape")
    expect(page.locator("#action h2")).to_be_visible()
    page.get_by_role("link", name="Discard my changes").click()
    expect(control(page, BY_KEY["user.update"])).to_be_focused()
    assert_never_lost(page)


def test_links_of_an_error_summary_lead_to_their_fields_and_are_underlined(
    page: Page, assert_accessible: Check
) -> None:
    ready(page)
    form = open_form(page, BY_KEY["user.update"])
    form.get_by_label("Username").evaluate("field => field.required = false")
    form.get_by_label("Username").fill("")
    form.get_by_role("button", name="Save").click()

    summary = form.get_by_role("alert")
    expect(summary).to_be_focused()
    assert_accessible(page, within="#action", looks=ALL_LOOKS)
    link = summary.get_by_role("link", name="Username")
    assert "underline" in link.evaluate("link => getComputedStyle(link).textDecorationLine")
    link.click()
    expect(form.get_by_label("Username")).to_be_focused()


def test_focus_stays_near_what_is_replaced_in_lists_and_panels(page: Page, known: dict[str, Any]) -> None:
    page.goto("/o/acme/users/")
    page.evaluate(WATCH)
    page.get_by_role("link", name="Next").press("Enter")
    expect(page.locator("#results:focus, #results :focus")).to_have_count(1)
    assert_never_lost(page)

    devices = known.pop(DEVICES)
    page.goto(USER)
    expect(page.locator(".user-panel-awaited")).to_have_count(0)
    again = page.locator("#devices").get_by_role("link", name="Try again")
    again.focus()
    page.evaluate(WATCH)
    with page.expect_response("**/panels/devices/"):
        again.press("Enter")
    expect(page.locator(".htmx-request")).to_have_count(0)
    expect(again).to_be_focused()  # it failed once more
    known[DEVICES] = devices
    again.press("Enter")
    expect(page.locator("#devices")).to_be_focused()
    assert_never_lost(page)


def test_page_with_a_notice_begins_at_the_notice(page: Page, known: dict[str, Any]) -> None:
    page.goto(f"{USER}actions/user.deactivate/")
    known[ADA_NOW] = ada(enabled=False)
    page.get_by_role("button", name="Deactivate").click()
    expect(page.locator("#notices")).to_be_focused()


def test_answer_of_call_api_comes_into_view_and_gets_the_focus(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto("/o/acme/call-api/")
    page.get_by_label("Path").fill(f"/users/{ADA}")
    page.get_by_role("button", name="Send").click()

    answer = page.get_by_role("heading", name="Response: 200")
    expect(answer).to_be_focused()
    expect(answer).to_be_in_viewport()

    page.get_by_label("Path").fill("/nothing/here")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("heading", name="Response: 404")).to_be_focused()

    page.get_by_label("Method").select_option("PUT")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_be_focused()
