"""The frame of the console in a browser: with JavaScript, without it, and after failures."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from console.models import Operator
from tests.support.browser import PHONE

NewPage = Callable[..., Page]
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _nobody_has_failed_yet() -> None:
    cache.clear()


def expect_theme(page: Page, theme: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)


def ask(page: Page, path: str) -> None:
    """Load a part of the page, as any element of the page may."""
    page.evaluate("path => { htmx.ajax('GET', path, {target: '.page-heading'}).catch(() => {}) }", path)


def test_theme_follows_the_system_until_the_operator_chooses(new_page: NewPage, helpdesk: Operator) -> None:
    page = new_page(helpdesk, color_scheme="dark")
    page.goto("/o/acme/")
    expect_theme(page, "dark")
    page.emulate_media(color_scheme="light")
    expect_theme(page, "light")

    page.get_by_role("button", name=re.compile("Your account")).click()
    page.get_by_role("button", name="Dark").click()
    expect_theme(page, "dark")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")

    page.reload()
    expect_theme(page, "dark")


def test_theme_is_set_before_the_first_paint(new_page: NewPage) -> None:
    page = new_page(color_scheme="dark")
    page.add_init_script(
        "new MutationObserver(() => { if (document.body) window.atBody ??= document.documentElement.dataset.bsTheme })"
        ".observe(document, {childList: true, subtree: true})"
    )

    page.goto("/accounts/login/")

    assert page.evaluate("window.atBody") == "dark"


def test_sign_in_theme_and_sign_out_work_without_javascript(new_page: NewPage, helpdesk: Operator) -> None:
    page = new_page(java_script_enabled=False, viewport=PHONE)
    page.goto("/o/acme/")
    expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_hidden()
    page.get_by_label("Email").fill("agent@acme.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Acme", level=1)).to_be_visible()

    page.get_by_role("button", name="Navigation").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Home").click()
    page.get_by_role("button", name=re.compile("Your account")).click()
    page.get_by_role("button", name="Dark").click()
    expect_theme(page, "dark")
    expect(page).to_have_url(re.compile("/o/acme/$"))

    page.get_by_role("button", name=re.compile("Your account")).click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_time_zone_is_sent_by_the_browser(new_page: NewPage, helpdesk: Operator) -> None:
    page = new_page(helpdesk, timezone_id="Asia/Tokyo")

    page.goto("/o/acme/")

    assert {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}["timezone"] == "Asia/Tokyo"


def test_failed_part_is_reported_above_the_page_and_leaves_the_page_alone(
    new_page: NewPage, helpdesk: Operator
) -> None:
    page = new_page(helpdesk)
    page.goto("/o/acme/")

    ask(page, "/o/acme/nowhere/")

    expect(page.locator("#notices")).to_contain_text("Page not found")
    expect(page.get_by_role("heading", name="Acme", level=1)).to_be_visible()
    expect(page).to_have_url(re.compile("/o/acme/$"))


def test_failure_notice_disappears_with_the_next_action(new_page: NewPage, helpdesk: Operator) -> None:
    page = new_page(helpdesk)
    page.goto("/o/acme/")
    ask(page, "/o/acme/nowhere/")
    expect(page.locator("#notices")).to_contain_text("Page not found")
    page.evaluate(
        """() => {
            const heading = document.querySelector('.page-heading');
            heading.insertAdjacentHTML('beforeend', '<button hx-get="/o/acme/" hx-swap="none">Go on</button>');
            htmx.process(heading);
        }"""
    )

    page.get_by_role("button", name="Go on").click()

    expect(page.locator("#notices > *")).to_have_count(0)


def test_unreachable_console_is_reported(new_page: NewPage, helpdesk: Operator) -> None:
    page = new_page(helpdesk)
    page.goto("/o/acme/")
    page.context.set_offline(True)

    ask(page, "/o/acme/")

    expect(page.locator("#notices")).to_contain_text("Could not reach the console")


def test_expired_session_leads_to_the_sign_in_page_and_back(new_page: NewPage, helpdesk: Operator) -> None:
    page = new_page(helpdesk)
    page.goto("/o/acme/?from=here")
    page.context.clear_cookies(name="console_session")

    ask(page, "/o/acme/users/")

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.get_by_label("Email").fill("agent@acme.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(re.compile(r"/o/acme/\?from=here$"))


def test_keyboard_reaches_the_content_first(new_page: NewPage, helpdesk: Operator) -> None:
    page = new_page(helpdesk)
    page.goto("/accounts/2fa/")

    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Skip to the content")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")

    expect(page.locator("main")).to_be_focused()


def test_value_is_copied_by_its_button(new_page: NewPage, org_admin: Operator) -> None:
    page = new_page(org_admin, permissions=["clipboard-write"])
    page.goto("/o/acme/")

    page.get_by_role("button", name="Copy environment ID").click()

    expect(page.locator("[data-copied]")).to_be_visible()
    page.evaluate("document.querySelector('main').append(document.createElement('textarea'))")  # no page may read it
    page.locator("main > textarea").press("Control+V")
    expect(page.locator("main > textarea")).to_have_value("5b1f0c7e-9a34-4f0d-8c55-2f6e0d9a7711")


def test_browser_session_leaves_nothing_to_the_next_test(new_page: NewPage, window: Any) -> None:
    page = new_page()
    page.goto("/accounts/login/")
    page.evaluate("localStorage.kept = 'yes'; document.cookie = 'kept=yes'")

    window.empty()

    page = new_page()
    page.goto("/accounts/login/")
    assert page.evaluate("[localStorage.kept, document.cookie.includes('kept')]") == [None, False]
    assert len(page.context.pages) == 2  # the page that keeps the window open, and this one
