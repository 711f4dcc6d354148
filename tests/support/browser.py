"""The color scheme and viewport combinations for browser tests, and the types of the browser fixtures."""

from collections.abc import Callable
from typing import Literal

from playwright.sync_api import Page, ViewportSize

NO_CHROMIUM = "No Chromium: install Debian's package (apt install chromium), or run: playwright install chromium"

NewPage = Callable[..., Page]
Check = Callable[..., None]


DESKTOP = ViewportSize(width=1280, height=800)


PHONE = ViewportSize(width=390, height=844)


Look = tuple[Literal["light", "dark"], ViewportSize]

# Colors depend on the scheme, layout depends on the width: two looks cover both values of each.
LOOKS: tuple[Look, ...] = (("light", DESKTOP), ("dark", PHONE))
ALL_LOOKS: tuple[Look, ...] = (*LOOKS, ("light", PHONE), ("dark", DESKTOP))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
