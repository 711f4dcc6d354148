"""Limits of an action that depend on the operator, on every way in: they hold in `perform`, not only in the form."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import respx
from django.utils import timezone

from console.access import enter_org
from console.actions.catalogue import ACTIONS, BY_KEY
from console.actions.outcome import Refused, Result
from console.actions.step import Step
from console.audit.entries import Circumstances
from console.models import AuditEntry, Operator
from console.perform.several import perform_each
from console.perform.undo import undo
from tests.support.answers import ADA
from tests.support.asking import Directory, Way, asking, directory_for
from tests.support.people import API_URL

BYPASS = BY_KEY["mfa.bypass"]
SEVERAL = "several actions"
EVERY_WAY = pytest.mark.parametrize("way", [*Way, SEVERAL])
DAY, WEEK = timedelta(hours=24), timedelta(days=7)
MINUTES = timedelta(minutes=2)


@pytest.fixture
def directory() -> Iterator[Directory]:
    canned = directory_for(BYPASS)
    with respx.mock(assert_all_called=False) as router:
        router.route(url__startswith=API_URL).mock(side_effect=canned)
        yield canned


def refusal(result: Result | None) -> str:
    return str(result.reason) if isinstance(result, Refused) else ""


def bypass(way: str, operator: Operator, lasts: timedelta, reason: str) -> str:
    """Set a bypass on this way, and return the text that the operator gets."""
    until = (timezone.now() + lasts).replace(microsecond=0)
    if way != SEVERAL:
        told = asking(Way(way), operator)(BYPASS, until=f"{until:%Y-%m-%dT%H:%M}", reason=reason)
        return told.text
    step = Step(action=BYPASS, inputs={"until": until})
    ((_step, result),) = perform_each(enter_org(operator, "acme"), ADA, [step], Circumstances(reason=reason))
    return refusal(result)


@EVERY_WAY
@pytest.mark.parametrize(
    ("role", "lasts", "reason", "problem"),
    [
        ("helpdesk", DAY + MINUTES, "Lost their phone", "Choose a time within 24 hours from now."),
        ("helpdesk", timedelta(days=365), "Lost their phone", "Choose a time within 24 hours from now."),
        ("helpdesk", DAY - MINUTES, "", None),
        ("helpdesk", DAY - MINUTES, " \n", None),
        ("org_admin", WEEK + MINUTES, "Lost their phone", "Choose a time within 7 days from now."),
        ("org_admin", timedelta(days=365), "Lost their phone", "Choose a time within 7 days from now."),
    ],
)
def test_bypass_beyond_the_limits_is_refused(request, directory, way, role, lasts, reason, problem):
    text = bypass(way, request.getfixturevalue(role), lasts, reason)

    assert directory.writes == []
    assert (problem or ("Enter a reason." if way == SEVERAL else "required")) in text
    assert {entry.outcome for entry in AuditEntry.objects.all()} <= {"refused"}


@EVERY_WAY
@pytest.mark.parametrize(
    ("role", "lasts", "reason"),
    [("helpdesk", DAY - MINUTES, "Lost their phone"), ("org_admin", WEEK - MINUTES, "")],
)
def test_bypass_within_the_limits_is_set(request, directory, way, role, lasts, reason):
    bypass(way, request.getfixturevalue(role), lasts, reason)

    assert len(directory.writes) == 1
    assert AuditEntry.objects.current().get().outcome == "succeeded"


@pytest.mark.parametrize("key", ["mfa.bypass", "mfa.end-bypass"])
def test_undo_sets_no_bypass(helpdesk, directory, key):
    asking(Way.PAGE, helpdesk)(BY_KEY[key])
    entry, written = AuditEntry.objects.current().get(), len(directory.writes)

    result = undo(enter_org(helpdesk, "acme"), entry, Circumstances())

    assert refusal(result) == "This cannot be undone."
    assert len(directory.writes) == written
    assert "mfa.bypass" not in {action.undo.action for action in ACTIONS if action.undo}


def test_lock_beyond_a_year_is_refused(org_admin, directory):
    step = Step(action=BY_KEY["user.lock"], inputs={"until": timezone.now() + timedelta(days=367)})

    ((_step, result),) = perform_each(enter_org(org_admin, "acme"), ADA, [step], Circumstances())

    assert refusal(result) == "Choose a time within a year from now."
    assert directory.writes == []


@pytest.mark.parametrize(("role", "within", "needs_reason"), [("helpdesk", "24 hours", 1), ("org_admin", "7 days", 0)])
def test_form_tells_the_limits_beforehand(request, browser_of, directory, role, within, needs_reason):
    page = browser_of(request.getfixturevalue(role)).get(f"/o/acme/users/{ADA}/actions/mfa.bypass/").text

    assert f"Choose a time within {within} from now." in page
    assert "Let Ada Berg sign in without a second factor?" in page
    reason = page.partition('name="reason"')[2].partition(">")[0]
    assert reason.count("required") == needs_reason


@pytest.mark.parametrize(
    ("cookie", "told"),
    [
        ("Europe/London", "Your time (Europe/London)."),
        ("Mars/Olympus", "Time in UTC."),
        ("", "Time in UTC."),
    ],
)
def test_only_a_known_time_zone_is_called_theirs(browser_of, helpdesk, directory, cookie, told):
    client = browser_of(helpdesk)
    client.cookies["timezone"] = cookie

    page = client.get(f"/o/acme/users/{ADA}/actions/mfa.bypass/").text

    assert told in page
    assert ("Your time" in page) == told.startswith("Your")
