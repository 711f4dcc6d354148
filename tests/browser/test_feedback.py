"""What one sees while PingOne is slow: a busy sign at once, nothing that moves, no row of an older search to open."""

import re
from collections.abc import Iterator
from threading import Event
from typing import Any

import httpx
import pytest
from django.core.cache import cache
from playwright.sync_api import Page, Route, ViewportSize, expect

from console.models import AuditEntry, Operator
from tests.support.answers import ADA, ENGINEERS, STAFF, ada, listing
from tests.support.browser import DESKTOP, PHONE, NewPage
from tests.support.everything import everything, unchanging

LIST = "/o/acme/users/"
USER = f"{LIST}{ADA}/"
LATER = "[data-js] .user-panel-awaited"


class Slow:
    """A PingOne that holds back the answers to some paths until it is released."""

    def __init__(self) -> None:
        self.path = ""
        self.go_on = Event()

    def __call__(self, request: httpx.Request) -> None:
        if self.path and re.search(self.path, str(request.url)):
            self.go_on.wait(20)


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def known() -> dict[str, Any]:
    return everything()


@pytest.fixture
def slow(known: dict[str, Any]) -> Iterator[Slow]:
    pingone = Slow()
    with unchanging(known, pingone):
        yield pingone
        pingone.go_on.set()


@pytest.fixture
def page(new_page: NewPage, org_admin: Operator, slow: Slow) -> Page:
    return new_page(org_admin)


TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
PRESS_EACH = """() => {
    const controls = [...document.querySelectorAll('main :is(button:not([type=button]), a.btn:not([download]))')];
    return controls.reverse().filter(control => control.checkVisibility()).flatMap(control => {
        if (control.closest('#results[aria-busy=true]')) return [];  // with rows that are out of date by then
        const first = control.form?.elements.submission && control.form.querySelector('button:not([type=button])');
        if (first && first !== control) return [];  // such a form is sent once
        if (control.form) control.form.noValidate = true;
        control.click();
        return [[control.textContent.trim(), control.getAttribute('aria-busy')]];
    });
}"""


BUTTONS = {  # by page, some of those that call PingOne
    USER: {"Edit profile", "Deactivate", "Remove", "Add to groups", "Save"},
    f"{LIST}?q=ada": {"Search", "New user", "Next"},
    f"{LIST}new/": {"Create user"},
    f"{USER}actions/user.deactivate/": {"Deactivate", "Cancel"},
    f"/o/acme/groups/{ENGINEERS}/": {"Find", "Next"},
    "/o/acme/call-api/": {"Send"},
    "/o/acme/settings/connection/": {"Connect again"},
    "/o/acme/troubleshooting/": set(),
}


def test_each_button_is_busy_in_the_moment_it_is_pressed(page: Page) -> None:
    for address, buttons in BUTTONS.items():
        page.goto(address)
        expect(page.locator(".user-panel-awaited, [hx-trigger=load]")).to_have_count(0)
        page.route("**/*", hold)

        pressed = page.evaluate(PRESS_EACH)

        page.unroute("**/*", hold)
        assert buttons <= {name for name, _ in pressed}, address
        assert [name for name, busy in pressed if busy != "true"] == [], address


def hold(route: Route) -> None:
    """Never answer."""


def test_pressed_button_keeps_the_focus_and_acts_once(page: Page, known: dict[str, Any], slow: Slow) -> None:
    known[f"/users/{ADA}"] = ada()
    page.goto(USER)
    expect(page.locator(".user-panel-awaited")).to_have_count(0)
    slow.path = f"/users/{ADA}/password"
    button = page.locator("#account").get_by_role("button", name="Force password change")
    for _press in range(3):
        button.press("Enter")
    page.evaluate(TWO_FRAMES)
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-busy", "true")

    slow.go_on.set()

    expect(page.locator("#account")).to_be_focused()
    assert AuditEntry.objects.current().count() == 1


def test_page_on_its_way_is_announced_and_comes_with_the_users_data(page: Page, slow: Slow) -> None:
    page.goto(LIST)
    slow.path = f"/users/{ADA}"
    row = page.get_by_role("link", name="Ada Berg")
    assert row.evaluate("link => { link.click(); return document.documentElement.hasAttribute('data-busy'); }")

    slow.path = f"/users/{ADA}/"  # the one call for the user is answered, the panels wait
    slow.go_on.set()
    slow.go_on = Event()

    expect(page.get_by_role("heading", name="Ada Berg")).to_be_visible()
    expect(page.locator(LATER)).to_have_count(4)
    expect(page.locator("html[data-busy]")).to_have_count(0)


def test_rows_of_the_search_before_cannot_be_opened(page: Page, slow: Slow) -> None:
    page.goto(LIST)
    slow.path = "filter="
    row = page.get_by_role("link", name="Ada Berg")
    with page.expect_request(lambda request: "q=bo" in request.url):
        page.get_by_role("searchbox", name="Find a user").fill("bo")
    expect(page.locator("#results")).to_have_attribute("aria-busy", "true")

    row.click()
    row.press("Enter")
    assert page.evaluate("document.documentElement.hasAttribute('data-busy')") is False
    slow.go_on.set()
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    row.click()

    page.wait_for_url(f"**{USER}")


SHIFTS = """new PerformanceObserver(seen => {
    const moved = seen.getEntries().filter(shift => !shift.hadRecentInput).flatMap(shift => shift.sources);
    const inMain = moved.filter(({node}) => node?.parentElement?.closest('main'));
    (window.shifts ??= []).push(...inMain.map(({node, previousRect: from, currentRect: to}) =>
        `${node.id || node.className} ${[from.x, from.y, to.x, to.y].map(Math.round)}`));
}).observe({type: 'layout-shift', buffered: true})"""


@pytest.mark.parametrize(
    "viewport", [DESKTOP, PHONE, {"width": 1024, "height": 1400}], ids=["desktop", "phone", "tall"]
)
def test_nothing_moves_on_the_page_of_a_user_when_its_panels_arrive(
    page: Page, known: dict[str, Any], slow: Slow, viewport: ViewportSize
) -> None:
    groups = [{"id": str(STAFF), "name": f"Group {number}", "type": "DIRECT"} for number in range(30)]
    locked = {"id": str(STAFF), "type": "TOTP", "lock": {"status": "LOCKED"}}
    known[f"/users/{ADA}"] = ada(account={"status": "LOCKED"})
    known[f"/users/{ADA}/memberOfGroups"] = listing("groupMemberships", *groups)
    known[f"/users/{ADA}/devices"] = listing("devices", locked)
    known[f"/users/{ADA}/sessions"] = listing("sessions")
    slow.path = f"/users/{ADA}/"
    page.set_viewport_size(viewport)
    page.add_init_script(SHIFTS)
    page.goto(USER)
    expect(page.locator(LATER)).to_have_count(4)
    expect(page.locator("#sessions")).to_be_hidden()

    slow.go_on.set()

    expect(page.locator(LATER)).to_have_count(0)
    expect(page.locator("#sessions")).to_be_visible()
    expect(page.get_by_role("region", name="Sign-in")).not_to_contain_text("not read yet")
    page.evaluate(TWO_FRAMES)
    assert page.evaluate("window.shifts ?? []") == []


CONTRAST = """button => {
    const brush = document.createElement('canvas').getContext('2d');
    const luminance = color => {
        brush.fillStyle = color;
        brush.fillRect(0, 0, 1, 1);
        const linear = [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3)
            .map(part => part / 255).map(part => part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
        return .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2];
    };
    const {color, backgroundColor} = getComputedStyle(button);
    const [dark, light] = [luminance(color), luminance(backgroundColor)].sort((a, b) => a - b);
    return (light + .05) / (dark + .05);
}"""


def test_risky_button_is_readable_under_the_pointer(page: Page) -> None:
    page.goto(USER)
    button = page.locator("#profile .btn-outline-danger")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        button.hover()
        assert button.evaluate("button => button.matches(':hover')")
        assert button.evaluate(CONTRAST) >= 4.5


CUT = "all => all.filter(one => one.scrollWidth > one.clientWidth).map(one => one.textContent)"


def test_heads_of_the_list_do_not_collide(page: Page) -> None:
    page.goto(LIST)
    for width in (768, 900, 992, 1024, 1100, 1199, 1200, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        cut = page.locator("thead th").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth).length"
        )
        assert cut == 0, width
