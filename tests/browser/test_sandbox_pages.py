"""The sandbox's sign-on and consent pages in Chromium."""

from collections.abc import Callable, Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.browser.conftest import DESKTOP, PHONE
from tests.sandbox.oauth import console
from tests.sandbox_server import Sandbox, running_sandbox

PASSWORD = "Sandbox-2026!"
CALLBACK = "/assets/pages.css"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), "--users", "0") as started:
        yield started


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[Callable[..., Page]]:
    """A browser without cookies."""
    contexts: list[BrowserContext] = []

    def opened(**options: object) -> Page:
        context = browser.new_context(**options)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(10_000)
        return context.new_page()

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def connect_url(sandbox: Sandbox) -> str:
    """Where the application sends people; they come back to an address that the sandbox happens to answer at."""
    callback = f"{sandbox.url}{CALLBACK}"
    return console(sandbox, redirect_uris=[callback]).authorize_url(redirect_uri=callback)


def type_credentials(page: Page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign on").click()


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_person_signs_on_and_allows(connect_url: str, open_browser: Callable[..., Page], java_script: bool):
    page = open_browser(java_script_enabled=java_script)
    page.goto(connect_url)

    type_credentials(page, "ada.admin", PASSWORD)
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"**{CALLBACK}?code=*")

    assert "state=the+state" in page.url or "state=the%20state" in page.url


def test_the_keyboard_is_enough(connect_url: str, open_browser: Callable[..., Page]):
    page = open_browser()
    page.goto(connect_url)

    for key in ("ada.admin", "Tab", PASSWORD, "Enter"):
        page.keyboard.press(key) if key in {"Tab", "Enter"} else page.keyboard.type(key)
    page.get_by_role("heading", name="Allow access?").wait_for()
    for _ in range(2):  # past "Use another account"
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{CALLBACK}?code=*")


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(
    sandbox: Sandbox,
    open_browser: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
    color_scheme: Literal["light", "dark"],
    viewport: ViewportSize,
):
    page = open_browser(color_scheme=color_scheme, viewport=viewport)
    application = console(sandbox, name="A console with a-name-that-is-far-too-long-for-one-line-of-any-screen")

    def check(heading: str) -> None:
        page.get_by_role("heading", name=heading).wait_for()
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    page.goto(application.authorize_url())
    check("Sign on")
    type_credentials(page, "ada.admin", "wrong")
    page.get_by_role("alert").wait_for()
    check("Sign on")
    type_credentials(page, "ada.admin", PASSWORD)
    check("Allow access?")
    page.get_by_role("link", name="Use another account").click()
    type_credentials(page, "nils.norole", PASSWORD)
    check("For administrators only")
    page.goto(application.authorize_url(redirect_uri="https://elsewhere.test/"))
    check("Cannot continue")
    page.goto(f"{sandbox.issuer}/signoff")
    check("You are signed off")
