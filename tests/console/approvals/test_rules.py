"""The rules of approvals: stronger ones hold at once, weaker ones with another org admin or a day later."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from console.approvals.rules import Kept, Rules, rules_of
from console.models import AuditEntry, Operator, Organization
from tests.support.approving import demand, make_long_standing
from tests.support.outbox import sent_emails
from tests.support.people import make_operator
from tests.support.small_environment import browser

pytestmark = pytest.mark.django_db

PAGE = "/o/acme/settings/policies/approvals/"


def saves(operator: Operator, *actions: str, **typed: Any) -> Any:
    return browser(operator).post(PAGE, {"actions": list(actions), "hours": "24", **typed})


def now(organization: Organization) -> Rules:
    organization.refresh_from_db()
    return rules_of(organization)


@pytest.fixture
def other_admin(acme: Organization, org_admin: Operator) -> Operator:
    other = make_operator("second@acme.test", acme, "org_admin")
    make_long_standing(other, org_admin)
    return other


def test_nothing_is_demanded_by_default(acme: Organization, org_admin: Operator) -> None:
    assert not now(acme).is_on
    assert "Approvals</" not in browser(org_admin).get("/o/acme/").content.decode().partition("<main")[0]


def test_more_holds_at_once_and_is_on_record(acme: Organization, org_admin: Operator, helpdesk: Operator) -> None:
    saves(org_admin, "user.deactivate", job_rows="100", plans=["offboard"])

    rules = now(acme)
    assert rules == Rules(actions=frozenset({"user.deactivate"}), job_rows=100, plans=frozenset({"offboard"}))
    entry = AuditEntry.objects.get(action="approval.rules-changed")
    assert entry.operator == org_admin
    assert (entry.after or {})["actions"] == ["user.deactivate"]
    assert "Approvals" in browser(org_admin).get("/o/acme/").content.decode()


def test_demand_needs_two_able_people(acme: Organization, org_admin: Operator, helpdesk: Operator) -> None:
    answer = saves(org_admin, "user.delete")  # agents may not

    assert "needs two members" in answer.content.decode()
    assert not now(acme).is_on


@pytest.mark.parametrize("who", ["helpdesk", "auditor"])
def test_only_org_admins_change_the_rules(
    acme: Organization, org_admin: Operator, who: str, request: pytest.FixtureRequest
) -> None:
    assert saves(request.getfixturevalue(who), "user.unlock").status_code == 403
    assert not now(acme).is_on


WEAKER: dict[str, dict[str, Any]] = {
    "an action less": {"actions": ["user.unlock"]},
    "a plan less": {"plans": []},
    "larger jobs": {"job_rows": "101"},
    "no size": {"job_rows": ""},
    "protected accounts": {"protected": ""},
    "good for longer": {"hours": "25"},
}


@pytest.mark.parametrize("change", WEAKER)
def test_one_person_switches_nothing_off(
    acme: Organization, org_admin: Operator, other_admin: Operator, change: str
) -> None:
    before = demand(acme, "user.unlock", "user.delete", plans=frozenset({"*"}), job_rows=100, protected=True)
    sent = {
        "actions": ["user.unlock", "user.delete"],
        "plans": ["*"],
        "job_rows": "100",
        "protected": "on",
        "hours": "24",
        **WEAKER[change],
    }
    browser(org_admin).post(PAGE, {name: value for name, value in sent.items() if value})

    assert now(acme) == before
    assert {mail.to[0] for mail in sent_emails()} == {"admin@acme.test", "second@acme.test"}
    browser(org_admin).post(PAGE, {"do": "let-hold"})
    assert now(acme) == before
    with time_machine.travel(timezone.now() + timedelta(hours=23, minutes=59), tick=False):
        assert now(acme) == before
    with time_machine.travel(timezone.now() + timedelta(hours=24), tick=False):
        assert now(acme) != before
        assert now(acme).is_weaker_than(before)


def test_another_org_admin_lets_it_hold_or_stops_it(
    acme: Organization, org_admin: Operator, other_admin: Operator
) -> None:
    demand(acme, "user.unlock", "user.delete")

    saves(org_admin, "user.unlock")
    browser(other_admin).post(PAGE, {"do": "stop"})
    assert now(acme).actions == {"user.unlock", "user.delete"}
    assert Kept.of(acme).weaker is None
    saves(org_admin, "user.unlock")
    browser(other_admin).post(PAGE, {"do": "let-hold"})

    assert now(acme).actions == {"user.unlock"}


def test_stronger_and_weaker_at_once(acme: Organization, org_admin: Operator, other_admin: Operator) -> None:
    demand(acme, "user.unlock")

    saves(org_admin, "user.delete")

    assert now(acme).actions == {"user.unlock", "user.delete"}


def test_new_org_admin_lets_nothing_hold(acme: Organization, org_admin: Operator) -> None:
    demand(acme, "user.unlock")
    saves(org_admin)
    accomplice = make_operator("eve@acme.test", acme, "org_admin")

    browser(accomplice).post(PAGE, {"do": "let-hold"})

    assert now(acme).is_on
