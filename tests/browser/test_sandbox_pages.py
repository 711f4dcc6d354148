"""The sandbox's sign-in and consent pages in Chromium."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect

from tests.support.oauth import console
from tests.support.sandbox_server import Sandbox

PASSWORD = "Sandbox-2026!"
CALLBACK = "/assets/pages.css"


@pytest.fixture
def breakable(sandbox: Sandbox) -> Iterator[Sandbox]:
    yield sandbox
    sandbox.mend()


@pytest.fixture
def open_browser(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page without cookies."""
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
    """Return the authorization URL of an application. The callback is an address that the sandbox happens to serve."""
    callback = f"{sandbox.url}{CALLBACK}"
    return console(sandbox, redirect_uris=[callback]).authorize_url(redirect_uri=callback)


def type_credentials(page: Page, username: str, password: str) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign on").click()


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_sign_in_and_consent_work(connect_url: str, open_browser: Callable[..., Page], java_script: bool):
    page = open_browser(java_script_enabled=java_script)
    page.goto(connect_url)

    type_credentials(page, "ada.admin", PASSWORD)
    page.get_by_role("button", name="Allow").click()
    page.wait_for_url(f"**{CALLBACK}?code=*")

    assert "state=the+state" in page.url or "state=the%20state" in page.url


def test_sign_in_and_consent_work_by_keyboard(connect_url: str, open_browser: Callable[..., Page]):
    page = open_browser()
    page.goto(connect_url)
    expect(page.get_by_label("Username")).to_be_focused()

    for key in ("ada.admin", "Tab", PASSWORD, "Enter"):
        page.keyboard.press(key) if key in {"Tab", "Enter"} else page.keyboard.type(key)
    page.get_by_role("heading", name="Allow access?").wait_for()
    for _ in range(2):  # past "Use another account"
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    page.wait_for_url(f"**{CALLBACK}?code=*")


def test_pages_are_accessible_and_fit(
    sandbox: Sandbox,
    open_browser: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
):
    page = open_browser()
    application = console(sandbox, name="A console with a-name-that-is-far-too-long-for-one-line-of-any-screen")

    def check(heading: str) -> None:
        page.get_by_role("heading", name=heading).wait_for()
        assert_accessible(page)

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


@pytest.mark.parametrize("java_script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_connection_is_broken_and_mended_by_a_newcomer(
    breakable: Sandbox, open_browser: Callable[..., Page], java_script: bool
):
    page = open_browser(java_script_enabled=java_script)
    page.goto(breakable.url)
    page.get_by_role("link", name="break the connection on purpose").click()
    now = page.get_by_role("region", name="Broken now")
    expect(now).to_contain_text("Nothing is broken.")

    requests = page.get_by_role("region", name="Break requests")
    requests.get_by_label("What happens").select_option("hang")
    requests.get_by_label("Only if the path contains").fill("/users")
    requests.get_by_label("Times").fill("2")
    requests.get_by_role("button").click()
    page.get_by_role("region", name="Remove roles").get_by_role("button").click()

    expect(now.get_by_role("listitem")).to_have_text(
        [
            "Hang, then close the connection: The API: /v1/..., paths with /users, 5 s, 2 more times",
            "ada.admin has no role in the managed environment.",
        ]
    )
    now.get_by_role("button", name="Fix everything").click()
    expect(now).to_contain_text("Nothing is broken.")


def test_control_page_stays_available_when_everything_else_is_stopped(
    breakable: Sandbox, open_browser: Callable[..., Page], connect_url: str
):
    page, elsewhere = open_browser(), open_browser()
    page.goto(f"{breakable.url}/sandbox/faults/")

    page.get_by_role("button", name="Stop everything").click()
    page.get_by_role("button", name="Fix everything").wait_for()

    with pytest.raises(Error, match="ERR_CONNECTION_RESET"):
        elsewhere.goto(connect_url)
    page.reload()
    page.get_by_role("button", name="Fix everything").click()
    expect(page.get_by_role("button", name="Fix everything")).to_be_hidden()
    page.goto(connect_url)
    page.get_by_role("heading", name="Sign on").wait_for()


def test_control_page_is_accessible_and_fits(
    breakable: Sandbox,
    open_browser: Callable[..., Page],
    assert_accessible: Callable[[Page], None],
):
    breakable.fault(
        "429", path="<b>a-path-that-is-far-too-long-for-one-line-of-any-screen</b>", retry_after="3", times=9
    )
    breakable.change("rotate-secret")
    page = open_browser()

    page.goto(f"{breakable.url}/sandbox/faults/")
    assert_accessible(page)

    page.get_by_label("What happens").select_option("invalid_grant")
    page.get_by_role("button", name="Break requests").click()
    page.get_by_role("alert").wait_for()
    expect(page.get_by_label("Where")).to_have_accessible_description("This only happens at the token endpoint.")
    assert_accessible(page)
