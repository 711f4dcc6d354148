"""Readable browser names for the user agents of sessions."""

import pytest

from console.page.user_agents import browser_name

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox 140 on Windows"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/150.0.0.0 Safari/537.36", "Chrome 150 on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/150.0 Safari/537.36 Edg/150.0", "Edge 150 on Windows"),
        (f"Mozilla/5.0 (Linux; Android 16) {WEBKIT} Chrome/150.0 Mobile Safari/537.36", "Chrome 150 on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile/15E148 Safari/604.1",
            "Safari 19 on iPhone",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/19.1 Safari/605.1.15", "Safari 19 on macOS"),
        ("curl/8.1", "curl/8.1"),
        ("<script>" * 20, ("<script>" * 20)[:80]),
        ("", "Unknown browser"),
    ],
)
def test_browser_has_a_readable_name(user_agent: str, name: str) -> None:
    assert browser_name(user_agent) == name
