"""Plans for one person that need the approval of a second person."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import respx
from django.utils import timezone

from console.access import enter_org
from console.models import ApprovalRequest, Membership, Operator, Organization, PlanRun
from console.plans import runs
from console.plans.dates import When
from console.plans.runs import NotPossibleNow
from tests.support.approving import approves, demand, make_long_standing
from tests.support.people import API_URL, ENVIRONMENT, make_operator
from tests.support.plan_people import KEY, PERSON, VPN, PlanPeople, start, time_passes, worked
from tests.support.small_environment import browser

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PAGE = f"/o/acme/users/{PERSON}/plans/offboard/"
State = ApprovalRequest.State


@pytest.fixture
def environment() -> Any:
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        people = PlanPeople()
        router.route().mock(side_effect=people)
        yield people


@pytest.fixture
def second(acme: Organization, org_admin: Operator) -> Operator:
    second = make_operator("second@acme.test", acme, "org_admin")
    make_long_standing(org_admin, second)
    return second


def ask(operator: Operator, **more: Any) -> ApprovalRequest:
    with pytest.raises(NotPossibleNow):
        start(operator, asked={"asks_approval": True}, **more)
    return ApprovalRequest.objects.latest("asked_at")


@pytest.mark.parametrize("rules", [{"plans": frozenset({"*"})}, {"actions": "user.deactivate"}])
def test_plan_starts_with_an_approval_only_by_plan_or_by_what_it_does(
    acme: Organization, org_admin: Operator, second: Operator, environment: PlanPeople, rules: dict[str, Any]
) -> None:
    demand(acme, *filter(None, [rules.pop("actions", "")]), **rules)
    browsing = browser(org_admin)
    sent = {"submission": str(uuid4()), "when": "now", "zone": "UTC", "confirm": "now", "reason": "Left"}

    refused = browsing.post(PAGE, sent)
    assert refused.status_code == 422
    assert "Ask for approval" in refused.content.decode()
    asked: Any = browsing.post(PAGE, sent | {"ask-approval": "now"})
    assert not PlanRun.objects.exists()
    request = ApprovalRequest.objects.get()
    page = browser(second).get(asked.headers["Location"]).content.decode()
    assert "VPN" in page
    assert "kim.lund" in page
    assert "Delete user" not in page  # it was not chosen
    approves(second, request)
    assert 'name="confirm" value="now"' in browsing.get(asked.headers["Location"]).content.decode()
    browsing.post(PAGE, sent | {"submission": str(uuid4())})

    run = worked(PlanRun.objects.get())
    assert run.state == "finished"
    assert environment.kim["enabled"] is False
    request.refresh_from_db()
    assert (request.state, request.about) == (State.USED, run.pk)
    with pytest.raises(NotPossibleNow):
        start(org_admin)


def joins_a_group(environment: PlanPeople) -> None:
    environment.members[PERSON] = {VPN}


def has_another_device(environment: PlanPeople) -> None:
    environment.devices = [one for one in environment.devices if one["id"] != str(KEY)]


def is_deactivated(environment: PlanPeople) -> None:
    environment.kim["enabled"] = False


@pytest.mark.parametrize("change", [joins_a_group, has_another_device, is_deactivated], ids=lambda one: one.__name__)
def test_any_change_of_effect_asks_again(
    acme: Organization, org_admin: Operator, second: Operator, environment: PlanPeople, change: Any
) -> None:
    demand(acme, plans=frozenset({"offboard"}))
    approves(second, ask(org_admin))

    change(environment)
    with pytest.raises(NotPossibleNow, match="needs the approval"):
        start(org_admin)

    assert environment.writes == []


def tomorrow(days: float = 1) -> When:
    at = timezone.now().replace(microsecond=0) + timedelta(days=days)
    return When(local=f"{at:%Y-%m-%dT%H:%M}", zone="UTC", at=at)


def test_approved_time_is_no_other_time(
    acme: Organization, org_admin: Operator, second: Operator, environment: PlanPeople
) -> None:
    demand(acme, plans=frozenset({"offboard"}))
    when = tomorrow()
    approves(second, ask(org_admin, when=when))

    for other in (None, tomorrow(2)):
        with pytest.raises(NotPossibleNow, match="needs the approval"):
            start(org_admin, when=other)
    with pytest.raises(NotPossibleNow, match="needs the approval"):
        start(org_admin, when=when, choices={"7": {"chosen": "on"}})
    run = start(org_admin, when=when)
    with pytest.raises(NotPossibleNow, match="approved with its time"):
        runs.reschedule(enter_org(org_admin, "acme"), run, None)

    assert environment.writes == []
    assert PlanRun.objects.get().starts_at == when.at


@pytest.mark.parametrize("who", ["approver", "starter"])
def test_rights_are_checked_when_a_step_runs(
    acme: Organization, org_admin: Operator, second: Operator, environment: PlanPeople, who: str
) -> None:
    """An approver who is gone stops it. A starter who is gone does not stop what takes access away."""
    demand(acme, "user.deactivate")
    approves(second, ask(org_admin, when=(when := tomorrow())))
    run = start(org_admin, when=when)

    Membership.objects.filter(operator=second if who == "approver" else org_admin).delete()
    time_passes(run, days=1.1)
    run = worked(run)

    assert run.state == ("stopped" if who == "approver" else "finished")
    assert environment.kim["enabled"] is (who == "approver")


def test_run_from_before_the_demand_stops_and_asks(
    acme: Organization, org_admin: Operator, second: Operator, environment: PlanPeople
) -> None:
    run = start(org_admin, when=tomorrow())
    demand(acme, "user.deactivate")

    time_passes(run, days=1.1)
    run = worked(run)

    assert run.state == "stopped"
    assert "approval of a second person" in run.steps.get(number=1).detail
    assert environment.kim["enabled"] is True
