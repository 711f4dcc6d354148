"""Sentry gets errors without values: no secret, no name, no input."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
import respx
import sentry_sdk
from django.test import Client
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from console.failures import error_tracker
from console.models import AuditEntry, Operator
from pingone_integration.calls import transaction_id
from tests.support.answers import ADA, ada

DSN = "https://key@sentry.acme.test/1"
CANARY = "CanaryValue"
MEMBERS = {*error_tracker.KEPT, "exception", "logentry", "tags"}


class Recorder(Transport):
    """A transport without a network."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Envelope] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope)

    def all_text(self) -> str:
        return "".join(envelope.serialize().decode() for envelope in self.sent)

    def events(self) -> list[Any]:
        """Return the events; nothing else may have been sent."""
        return [json.loads(item.payload.get_bytes()) for envelope in self.sent for item in envelope.items]


@pytest.fixture
def tracker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    recorder = Recorder()
    error_tracker.start(DSN, transport=recorder)
    yield recorder
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


def test_error_of_a_view_is_reported_without_any_value(
    tracker: Recorder, org_admin: Operator, browser_of: Callable[[Operator], Client], pingone: respx.MockRouter
) -> None:
    def fail(request: Any) -> None:
        local = f"{CANARY} of a local variable"
        raise RuntimeError(local)

    pingone.post("/users").mock(side_effect=fail)
    browser = browser_of(org_admin)
    browser.raise_request_exception = False
    browser.cookies["kept"] = f"{CANARY}Cookie"
    sent = {"method": "POST", "path": "/users", "body": json.dumps({"username": CANARY})}
    headers = {"User-Agent": f"{CANARY} browser", "X-Canary": CANARY, "Referer": f"http://localhost/?q={CANARY}"}
    answer = browser.post(
        f"/o/acme/call-api/?q={CANARY}",
        sent | {"submission": str(uuid4()), "reason": CANARY, "ticket": f"{CANARY}1"},
        headers=headers,
        REMOTE_ADDR="203.0.113.7",
    )

    assert answer.status_code == 500
    assert len(tracker.events()) == 1
    [event] = tracker.events()
    assert event.keys() <= MEMBERS
    exceptions = event["exception"]["values"]
    assert exceptions[-1]["type"] == "RuntimeError"
    places = [(frame["module"], frame["function"]) for frame in exceptions[-1]["stacktrace"]["frames"]]
    assert ("console.perform.run", "run") in places
    for value in (CANARY, org_admin.email, str(org_admin.pk), "203.0.113.7", "acme", str(ADA), "the-access-token"):
        assert value not in without_source(tracker.events()), value
    assert event["tags"]["transaction_id"]
    assert AuditEntry.objects.current().get().outcome == "unknown"


def without_source(events: list[Any]) -> str:
    """Return the events as text without the lines of source code, one of which is this file's own."""
    for event in events:
        event.pop("server_name", None)
        for exception in event.get("exception", {}).get("values", []):
            for frame in exception["stacktrace"]["frames"]:
                for name in ("pre_context", "context_line", "post_context"):
                    frame.pop(name, None)
    return json.dumps(events)


@pytest.mark.parametrize(
    ("logger", "message", "args", "told"),
    [
        ("console.outbox.delivery", "Email about %s not sent", (CANARY,), "Email about %s not sent"),
        ("pingone_integration.calls", "The database failed", (), "The database failed"),
        ("django.request", "Internal Server Error: %s", (f"/{CANARY}",), "Internal Server Error: %s"),
        ("django.security.DisallowedHost", f"Invalid host {CANARY}", (), "An error of django.security.DisallowedHost"),
        ("gunicorn.error", f"Error handling request /{CANARY}", (), "An error of gunicorn.error"),
        ("consoles", CANARY, (), "An error of consoles"),
        ("console", ValueError(CANARY), (), "An error of console"),
        ("console", "With %(name)s", ({"name": CANARY},), "With %(name)s"),
    ],
)
@pytest.mark.parametrize("how", [{}, {"exc_info": True}, {"stack_info": True}, {"extra": {"request": CANARY}}])
def test_logged_error_is_reported_without_its_values(
    tracker: Recorder, logger: str, message: Any, args: Any, told: str, how: Any
) -> None:
    kept = f"{CANARY} of this function"
    sentry_sdk.set_user({"email": CANARY})
    sentry_sdk.set_tag("name", CANARY)
    logging.getLogger(logger).warning("Before: %s", kept)  # a breadcrumb, if they were on
    try:
        raise RuntimeError(kept) from ValueError(CANARY)  # noqa: TRY301 - for its traceback
    except RuntimeError:
        logging.getLogger(logger).error(message, *args, **how)  # noqa: TRY400
    sentry_sdk.get_isolation_scope().clear()

    [event] = tracker.events()
    assert event["logentry"] == {"message": told}
    assert event.keys() <= MEMBERS
    assert CANARY not in without_source([event])


def test_event_has_the_transaction_id_and_the_version(tracker: Recorder) -> None:
    current = transaction_id.begin()
    logging.getLogger("console").error("Failed")
    transaction_id.end()
    logging.getLogger("console").error("Failed again")

    first, second = tracker.events()
    assert first["tags"] == {"transaction_id": str(current)}
    assert "tags" not in second
    assert first["release"]


def test_calls_to_pingone_get_no_headers_of_sentry(
    tracker: Recorder, helpdesk: Operator, browser_of: Callable[[Operator], Client], pingone: respx.MockRouter
) -> None:
    pingone.get(f"/users/{ADA}").respond(json=ada())

    assert browser_of(helpdesk).get(f"/o/acme/users/{ADA}/").status_code == 200
    assert {"sentry-trace", "baggage"}.isdisjoint(pingone.calls.last.request.headers)
    assert tracker.sent == []


def test_without_the_setting_nothing_is_reported() -> None:
    logging.getLogger("console").error("Failed")

    assert not sentry_sdk.get_client().is_active()
