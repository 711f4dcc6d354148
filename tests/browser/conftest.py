"""Chromium with a real server: public pages, signed-in pages and the accessibility check."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright
from pytest_django.live_server_helper import LiveServer

from console.models import Operator
from tests.support.browser import DESKTOP, LOOKS, NO_CHROMIUM, Check, Look

HERE = Path(__file__).parent
AXE = Axe().axe_script
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium_path(playwright: Playwright) -> Path:
    """Return the path of the system's Chromium or of Playwright's own.

    Without a Chromium, skip the test, or fail it if CI=true.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's event loop stays in this thread to the end
    found = shutil.which("chromium") or shutil.which("chromium-browser") or playwright.chromium.executable_path
    if Path(found).exists():
        return Path(found)
    if os.environ.get("CI") == "true":
        pytest.fail(NO_CHROMIUM)
    pytest.skip(NO_CHROMIUM)


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium_path: Path) -> dict[str, Any]:
    """Return options for pytest-playwright. Chromium's sandbox refuses to run as root."""
    return {"executable_path": chromium_path, "args": ["--no-sandbox"] if os.geteuid() == 0 else []}


@pytest.fixture
def new_page(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a browser session of its own.

    `new_page(operator, color_scheme="dark", viewport=PHONE, java_script_enabled=False)`; all arguments are optional.
    Afterwards, no page may have had a script error or a violation of the content security policy.
    """
    contexts = []
    complaints: list[str] = []

    def told(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            complaints.append(message.text)

    def opened(operator: Operator | None = None, **options: Any) -> Page:
        context = browser.new_context(base_url=live_server.url, **({"viewport": DESKTOP} | options))
        contexts.append(context)
        context.set_default_timeout(10_000)
        if operator:
            client = Client()
            client.force_login(operator)
            session = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", told)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture(scope="session")
def assert_accessible() -> Check:
    """Return a function that checks the page in each look: axe-core reports nothing, and nothing scrolls sideways.

    `within` is a CSS selector that limits axe-core, for a page that was already checked as a whole.
    """

    def check(page: Page, *, within: str = "", looks: tuple[Look, ...] = LOOKS) -> None:
        before = page.viewport_size or DESKTOP
        for color_scheme, viewport in looks:
            page.emulate_media(color_scheme=color_scheme, reduced_motion="reduce")  # colors change at once
            page.set_viewport_size(viewport)
            found = problems(page, within)
            assert not found, f"{page.url}, {color_scheme}\n" + "\n\n".join(found)
            assert fits(page), f"{page.url}, {viewport}"
        page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size(before)

    return check


def problems(page: Page, within: str) -> list[str]:
    if not page.evaluate("'axe' in window"):  # half a megabyte: once for each document
        page.evaluate(AXE)
    options = {"runOnly": STANDARDS, "resultTypes": ["violations"]}
    violations = page.evaluate(
        "([place, options]) => axe.run(place || document, options).then(found => found.violations)", [within, options]
    )
    return [
        f"{violation['id']}: {node['html']}\n{node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


def fits(page: Page) -> bool:
    """Return whether the document does not scroll sideways. Boxes inside it may."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))
