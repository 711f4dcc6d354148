"""Chromium with a real server: public pages, signed-in pages and the accessibility check."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright
from pytest_django.live_server_helper import LiveServer

from console.models import Operator
from tests.support.browser import DESKTOP, LOOKS, NO_CHROMIUM, Check, Look
from tests.support.sessions import signed_in_long_ago

HERE = Path(__file__).parent
AXE = Axe().axe_script
# Chromium heeds the last --disable-features only, so the features that Playwright switches off come first. Then those
# that cost a process for each page and that no test uses: the suggestions of the address bar, a renderer in reserve.
SWITCHED_OFF = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxPopup",
    "SpareRendererForSitePerProcess",
)
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
    unsandboxed = ["--no-sandbox"] if os.geteuid() == 0 else []
    return {"executable_path": chromium_path, "args": [f"--disable-features={','.join(SWITCHED_OFF)}", *unsandboxed]}


@dataclass
class Window:
    """A browser session that one test after the other uses: a session of its own costs as much as a test."""

    context: BrowserContext
    origin: str
    is_free: bool = True

    def empty(self) -> None:
        """Forget what a test left, and stay open: with its last page, the window would close."""
        blank, *pages = self.context.pages
        for page in pages:
            page.close()
        self.context.clear_cookies()
        self.context.set_offline(False)
        devtools = self.context.new_cdp_session(blank)
        devtools.send("Storage.clearDataForOrigin", {"origin": self.origin, "storageTypes": "all"})
        devtools.detach()
        self.is_free = True


@pytest.fixture(scope="session")
def window(browser: Browser, live_server: LiveServer) -> Iterator[Window]:
    context = browser.new_context(base_url=live_server.url, viewport=DESKTOP)
    context.new_page()
    yield Window(context, live_server.url)
    context.close()


@pytest.fixture
def new_page(browser: Browser, window: Window, live_server: LiveServer) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a browser session of its own.

    `new_page(operator, color_scheme="dark", viewport=PHONE, java_script_enabled=False)`; all arguments are optional.
    `is_fresh=False`: the operator signed in an hour ago.
    Afterwards, no page may have had a script error or a violation of the content security policy.
    """
    contexts = []
    complaints: list[str] = []

    def told(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            complaints.append(message.text)

    def session(**options: Any) -> BrowserContext:
        if window.is_free and not options:
            window.is_free = False
            return window.context
        contexts.append(browser.new_context(base_url=live_server.url, **({"viewport": DESKTOP} | options)))
        return contexts[-1]

    def opened(operator: Operator | None = None, *, is_fresh: bool = True, **options: Any) -> Page:
        context = session(**options)
        context.set_default_timeout(10_000)
        if operator:
            client = Client()
            client.force_login(operator)
            if not is_fresh:
                signed_in_long_ago(client)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", told)
        return page

    yield opened
    for context in contexts:
        context.close()
    window.empty()
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
