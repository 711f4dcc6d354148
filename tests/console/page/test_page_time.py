"""The deadline for all calls to PingOne of one page."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from console import middleware
from pingone_integration.calls import deadline
from tests.support.answers import ADA, ENGINEERS, ada, answer_panels, listing

URL = f"/o/acme/users/{ADA}/"


@pytest.fixture
def answered(pingone):
    """Return a function that answers GETs of a path and lists the seconds left, or None without a deadline."""

    def with_notes(path: str, *bodies: dict[str, Any]) -> list[float | None]:
        left, answers = [], iter(bodies)

        def answer(request: httpx.Request) -> httpx.Response:
            left.append(deadline.left())
            return httpx.Response(200, json=next(answers))

        pingone.get(path).mock(side_effect=answer)
        return left

    return with_notes


def test_page_says_that_pingone_takes_too_long(browser_of, helpdesk, pingone, monkeypatch):
    monkeypatch.setattr(middleware, "PAGE_S", 0.0)

    response = browser_of(helpdesk).get(URL)

    assert response.status_code == 502
    assert "PingOne is taking too long" in response.text
    assert "Try again" in response.text


def test_each_page_has_its_own_ten_seconds(browser_of, helpdesk, answered):
    left = answered(f"/users/{ADA}", ada(), ada())
    browser = browser_of(helpdesk)

    browser.get(URL)
    browser.get(URL)

    assert all(9 < seconds <= 10 for seconds in left)
    assert deadline.left() is None


def test_parallel_reads_share_the_deadline_of_the_page(browser_of, helpdesk, pingone, answered):
    answer_panels(pingone)
    left = [answered(f"/users/{ADA}", ada()), answered(f"/users/{ADA}/devices", listing("devices"))]

    browser_of(helpdesk).get(f"{URL}?panels=all")

    ((whole,), (panel,)) = left
    assert 0 < panel < whole


def test_export_has_no_deadline_after_its_first_page(browser_of, auditor, answered):
    answered(f"/groups/{ENGINEERS}", {"id": str(ENGINEERS), "name": "Engineers"})
    left = answered("/users", listing("users", ada(), cursor="more"), listing("users", ada()))

    response = browser_of(auditor).get(f"/o/acme/groups/{ENGINEERS}/members.csv")

    assert len(b"".join(response.streaming_content).splitlines()) == 3
    assert left[0] is not None
    assert left[1] is None


def test_late_change_is_still_read_back(browser_of, helpdesk, pingone, answered, monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: 100.0)
    monkeypatch.setattr(deadline, "time", clock)
    left = answered(f"/users/{ADA}", ada(), ada(enabled=False))

    def late(request: httpx.Request) -> httpx.Response:
        assert deadline.left() is None
        clock.monotonic = lambda: 119.0
        return httpx.Response(200, json={"enabled": False})

    pingone.put(f"/users/{ADA}/enabled").mock(side_effect=late)

    response = browser_of(helpdesk).post(f"{URL}actions/user.deactivate/", {"submission": str(ADA)}, follow=False)

    assert response.status_code == 302
    assert left == [10, 2]


def test_page_says_when_calls_to_pingone_resume(browser_of, helpdesk, acme, pingone, monkeypatch):
    monkeypatch.setattr("pingone_integration.calls.api.time.sleep", lambda _: None)
    pingone.get(f"/users/{ADA}").respond(503)
    browser = browser_of(helpdesk)

    responses = [browser.get(URL) for _ in range(6)]

    assert [response.status_code for response in responses] == [502] * 5 + [503]
    assert 1 <= int(responses[-1]["Retry-After"]) <= 5
    assert "Calls to PingOne are paused for a moment" in responses[-1].text
    assert "Next try at" in responses[-1].text
    assert "needs attention" in browser.get("/o/acme/").text.lower()
