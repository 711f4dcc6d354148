"""The table of limits: what counts, for whom, how many and for how long."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from console.actions.catalogue import ACTIONS
from console.audit.entries import Outcome
from console.limits.count import LimitReached, check
from console.limits.rules import LIMITS, Kind, kinds_of
from console.models import AuditEntry, Operator, Organization
from tests.support.answers import ADA, BO
from tests.support.people import make_operator
from tests.support.record import happened

pytestmark = [pytest.mark.django_db, pytest.mark.database]

SET = "application/vnd.pingidentity.password.set+json"
SEND = "application/vnd.pingidentity.password.sendRecoveryCode+json"

# limit, counted together, default, in hours
TABLE = [
    ("codes", "user", 5, 1),
    ("passwords", "user", 3, 1),
    ("risky", "operator", 30, 1),
    ("deletions", "organization", 10, 24),
    ("people", "operator", 100, 1),  # an alarm only
    ("job-rows.org_admin", "operator", 100_000, 24),  # of one job
    ("job-rows", "operator", 1_000, 24),
    ("job-day.org_admin", "operator", 100_000, 24),
    ("job-day", "operator", 2_000, 24),
    ("brake-people", "organization", 50, 24),
    ("brake-percent", "organization", 5, 24),
    ("brake-least", "organization", 10, 24),
]

# What counts as what. Every other action of the catalogue, and every read with Call API, counts as nothing.
COUNTS = {
    "password.send-recovery-code": "code",
    "user.verify-email": "code",
    "password.set-temporary": "password risky",
    "password.replace": "risky",
    "user.delete": "deletion risky",
    "user.deactivate": "risky",
    "mfa.disable": "risky",
    "mfa.bypass": "risky",
    "device.remove": "risky",
}
REQUESTS = [  # with Call API: method, path, content type
    ("GET", f"/users/{ADA}/password", "", ""),
    ("HEAD", f"/users/{ADA}", "", ""),
    ("POST", "/users", "", "risky"),
    ("PATCH", f"/users/{ADA}", "", "risky"),
    ("DELETE", f"/users/{ADA}", "", "risky deletion"),
    ("DELETE", f"/groups/{ADA}", "", "risky deletion"),
    ("DELETE", f"/populations/{ADA}", "", "risky deletion"),
    ("DELETE", f"/users/{ADA}/devices/{BO}", "", "risky"),
    ("PUT", f"/users/{ADA}/password", SET, "risky password"),
    ("PUT", f"/users/{ADA}/password", "application/json", "risky password"),
    ("POST", f"/users/{ADA}/password", "application/vnd.pingidentity.password.recover+json", "risky password"),
    ("POST", f"/users/{ADA}/password", SET.removesuffix("+json"), "risky password"),
    ("POST", f"/users/{ADA}/password", SEND, "risky code"),
    ("POST", f"/users/{ADA}/password", SEND.lower(), "risky code"),
    ("POST", f"/users/{ADA}", "application/vnd.pingidentity.user.emailVerification.send+json", "risky code"),
    ("POST", f"/users/{ADA}", "application/vnd.pingidentity.user.sendVerificationCode+json", "risky code"),
]

# Outcome of the attempts so far -> whether they count
OUTCOMES = {
    Outcome.SUCCEEDED: True,
    Outcome.UNKNOWN: True,  # it may have happened
    None: True,  # still running, or its process died
    Outcome.NO_CHANGE: False,
    Outcome.CONFLICT: False,
    Outcome.REFUSED: False,
    Outcome.FAILED: False,
}


def attempt(organization: Organization, operator: Operator, action: str, user_id: UUID = ADA, **inputs: Any) -> str:
    """Return the key of the limit that refuses the action now, "" if none does."""
    subject = "" if action == "api.call" else str(user_id)
    row = AuditEntry(organization=organization, operator=operator, action=action, subject_id=subject, inputs=inputs)
    try:
        check(row)
    except LimitReached as reached:
        return reached.limit.key
    return ""


def request(organization: Organization, operator: Operator, method: str, path: str, media_type: str = "") -> None:
    inputs = {"method": method, "path": path, "media_type": media_type}
    happened(organization, operator, action="api.call", user_id="", name="", inputs=inputs)  # type: ignore[arg-type]


def test_limits_are_those_of_the_table():
    assert [(limit.key, limit.scope, limit.most, limit.window / timedelta(hours=1)) for limit in LIMITS] == TABLE


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.key)
def test_action_counts_as_the_table_says(action):
    assert kinds_of(action.key, {}) == set(COUNTS.get(action.key, "").split())


@pytest.mark.parametrize(("method", "path", "media_type", "expected"), REQUESTS)
def test_request_counts_as_the_table_says(method, path, media_type, expected):
    inputs = {"method": method, "path": path, "media_type": media_type}

    assert kinds_of("api.call", inputs) == set(expected.split())


@pytest.mark.parametrize(("outcome", "counts"), OUTCOMES.items(), ids=str)
def test_attempt_counts_by_its_outcome(acme, helpdesk, outcome, counts):
    for _ in range(3):
        happened(acme, helpdesk, action="password.set-temporary", outcome=outcome)

    assert attempt(acme, helpdesk, "password.set-temporary") == ("passwords" if counts else "")


@pytest.mark.parametrize(
    ("limit", "action", "times"),
    [
        ("codes", "password.send-recovery-code", 5),
        ("passwords", "password.set-temporary", 3),
        ("risky", "user.deactivate", 30),
        ("deletions", "user.delete", 10),
    ],
)
def test_limit_refuses_the_next_one_until_the_window_is_over(
    acme, globex, helpdesk, stranger, time_machine, limit, action, times
):
    begun = timezone.now().replace(microsecond=0)
    window = next(one.window for one in LIMITS if one.key == limit)
    another = make_operator("second@acme.test", acme, "helpdesk_agent")
    time_machine.move_to(begun, tick=False)
    for number in range(times):
        assert attempt(acme, helpdesk, action) == ""
        time_machine.move_to(begun + timedelta(seconds=number), tick=False)
        happened(acme, helpdesk, action=action)

    refused = {
        "the same": attempt(acme, helpdesk, action),
        "another operator": attempt(acme, another, action),
        "another user": attempt(acme, helpdesk, action, BO),
        "another organization": attempt(globex, stranger, action),
    }

    scope = next(one.scope for one in LIMITS if one.key == limit)
    assert refused == {
        "the same": limit,
        "another operator": "" if scope == "operator" else limit,
        "another user": "" if scope == "user" else limit,
        "another organization": "",
    }
    time_machine.move_to(begun + window - timedelta(seconds=1), tick=False)
    assert attempt(acme, helpdesk, action) == limit
    time_machine.move_to(begun + window, tick=False)
    assert attempt(acme, helpdesk, action) == ""


def test_request_with_call_api_counts_with_the_actions(acme, org_admin, helpdesk):
    for _ in range(2):
        happened(acme, helpdesk, action="password.set-temporary")
    request(acme, org_admin, "PUT", f"/users/{str(ADA).upper()}/password", SET)
    request(acme, org_admin, "PUT", f"/users/{BO}/password", SET)

    assert attempt(acme, helpdesk, "password.set-temporary") == "passwords"
    assert attempt(acme, helpdesk, "password.set-temporary", BO) == ""
    asked: dict[str, Any] = {"method": "PUT", "path": f"/users/{ADA}/password", "media_type": SET}
    assert attempt(acme, org_admin, "api.call", **asked) == "passwords"


def test_every_kind_has_a_limit():
    assert {limit.kind for limit in LIMITS} == {*Kind, None}
