"""Jobs that need the approval of a second person: of the dry run, row by row."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import respx
from django.utils import timezone

from console.access import enter_org
from console.audit.entries import Circumstances
from console.jobs import control, drafts, one_row, runner
from console.jobs.control import NotPossibleNow
from console.jobs.listed import KeyKind
from console.jobs.plan_action import offered_for_many
from console.models import ApprovalRequest, Job, LimitPolicy, Membership, Operator, Organization, PlanRun
from console.plans import engine, runs
from console.plans.shipped_plans import shipped
from pingone_integration import users
from tests.support.approving import approves, demand, make_long_standing, time_passes
from tests.support.many_people import ManyPeople, person, prepared, rows_for, started, states, worked
from tests.support.people import API_URL, ENVIRONMENT, make_operator
from tests.support.small_environment import browser, command

pytestmark = [pytest.mark.django_db(transaction=True)]

State = ApprovalRequest.State


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[ManyPeople]:
    monkeypatch.setattr(one_row, "wait", lambda _seconds: None)
    monkeypatch.setattr(runner, "AT_ONCE", 1)
    with respx.mock(base_url=f"{API_URL}/v1/environments/{ENVIRONMENT}", assert_all_called=False) as router:
        many = ManyPeople()
        router.route().mock(side_effect=many)
        yield many


@pytest.fixture
def second(acme: Organization, org_admin: Operator) -> Operator:
    second = make_operator("second@acme.test", acme, "org_admin")
    make_long_standing(org_admin, second)
    return second


def deactivates(operator: Operator, environment: ManyPeople, most: int) -> Job:
    environment.add(*range(1, most + 1))
    return prepared(operator, "user.deactivate", rows_for(range(1, most + 1)))


def ask(operator: Operator, job: Job) -> ApprovalRequest:
    asking = Circumstances(reason="Asked", signed_in_at=timezone.now(), asks_approval=True)
    with pytest.raises(NotPossibleNow):
        control.start(enter_org(operator, "acme"), job, asking)
    return ApprovalRequest.objects.latest("asked_at")


def test_job_is_asked_for_on_its_page_approved_and_started(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    demand(acme, job_rows=2)
    job = deactivates(org_admin, environment, 2)
    page, own = f"/o/acme/jobs/{job.pk}/", browser(org_admin)
    sent = {"do": "start", "submission": str(uuid4()), "reason": "They left", "ticket": "INC1"}

    assert "Ask for approval" in own.get(page).content.decode()
    assert "needs the approval" in own.post(page, sent).content.decode()
    asked: Any = own.post(page, sent | {"ask-approval": "1"})
    request = ApprovalRequest.objects.get()
    assert asked.headers["Location"] == f"/o/acme/approvals/{request.pk}/"
    shown = browser(second).get(asked.headers["Location"]).content.decode()
    assert "user1" in shown
    assert "2 rows would run" in shown
    assert page in shown
    browser(second).post(asked.headers["Location"], {"do": "approve"})
    assert environment.writes == []
    assert 'name="do" value="start"' in own.get(asked.headers["Location"]).content.decode()
    own.post(page, sent | {"submission": str(uuid4())})

    assert set(states(worked(job)).values()) == {"done"}
    assert len(environment.writes) == 2
    request.refresh_from_db()
    assert request.state == State.USED


@pytest.mark.parametrize(("rows", "is_demanded"), [(2, False), (3, True)])
def test_size_decides(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople, rows: int, is_demanded: bool
) -> None:
    demand(acme, job_rows=3)
    job = deactivates(org_admin, environment, rows)

    if is_demanded:
        with pytest.raises(NotPossibleNow, match="needs the approval"):
            started(org_admin, job)
    else:
        started(org_admin, job)

    assert len(environment.writes) == (0 if is_demanded else rows)


def test_command_starts_nothing_without_an_approval(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 1)
    arguments = ("job", "start", str(job.pk))

    assert "--ask-approval" in command(org_admin, *arguments)
    assert "once it is approved" in command(org_admin, *arguments, "--ask-approval")
    approves(second, ApprovalRequest.objects.get())
    command(org_admin, *arguments)

    assert set(states(worked(job)).values()) == {"done"}


def test_changed_row_falls_out_and_none_is_added(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 22)
    job.rows.filter(number__in=[21, 22]).update(left_out=True)
    approves(second, ask(org_admin, job))

    job.rows.filter(number=21).update(left_out=False)  # was not shown
    job.rows.filter(number=7).update(shown={"changes": {"title": ["a", "b"]}})
    job = started(org_admin, job)

    found = states(job)
    assert {number for number, state in found.items() if state == "done"} == set(range(1, 21)) - {7}
    fallen = job.rows.filter(detail="Not as it was approved.").values_list("number", flat=True)
    assert set(fallen) == {7, 21}


def test_more_than_five_percent_fallen_out_asks_again(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 20)
    approves(second, ask(org_admin, job))
    job.rows.filter(number__in=[7, 8]).update(shown={"changes": {"title": ["a", "b"]}})

    with pytest.raises(NotPossibleNow, match="2 of 20"):
        started(org_admin, job)

    assert environment.writes == []
    assert ApprovalRequest.objects.get().state == State.APPROVED


def test_rows_that_changed_at_pingone_pause_the_job_which_asks_again(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 20)
    job.rows.update(shown={"about": {"title": environment.named("user1")["title"]}})
    approves(second, ask(org_admin, job))
    for name in ("user3", "user4"):
        environment.named(name)["title"] = "Changed underneath"

    job = started(org_admin, job)

    assert (job.state, job.pause) == (Job.State.PAUSED, Job.Pause.DEMAND)
    assert list(states(job).values()).count("done") == 2
    with pytest.raises(NotPossibleNow, match="needs the approval"):
        control.resume(enter_org(org_admin, "acme"), job)
    browser(org_admin).post(f"/o/acme/jobs/{job.pk}/", {"do": "ask-approval"})
    again = ApprovalRequest.objects.get(state=State.OPEN)
    approves(second, again)
    control.resume(enter_org(org_admin, "acme"), job)
    job = worked(job)

    assert job.state == Job.State.FINISHED
    assert list(states(job).values()).count("done") == 18
    assert list(states(job).values()).count("conflict") == 2


@pytest.mark.parametrize("who", ["approver", "requester"])
def test_both_rights_are_checked_while_it_runs(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople, who: str
) -> None:
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 2)
    approves(second, ask(org_admin, job))
    job = started(org_admin, job, runs=False)

    Membership.objects.filter(operator=second if who == "approver" else org_admin).update(role="auditor")
    worked(job)

    assert environment.writes == []


def test_approved_job_is_not_asked_for_again_by_the_brake(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    LimitPolicy.objects.create(organization=acme, limit="brake-people", most=1)
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 3)
    approves(second, ask(org_admin, job))

    assert started(org_admin, job).state == Job.State.FINISHED
    assert len(environment.writes) == 3


def test_row_about_the_approver(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 1)
    job.rows.update(label="second@acme.test")
    request = ask(org_admin, job)

    answer = browser(second).post(f"/o/acme/approvals/{request.pk}/", {"do": "approve"})

    assert "about your own account" in answer.content.decode()
    assert ApprovalRequest.objects.get().state == State.OPEN


def test_expired_approval_starts_no_job(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople
) -> None:
    demand(acme, "user.deactivate")
    job = deactivates(org_admin, environment, 1)
    approves(second, ask(org_admin, job))

    time_passes(timedelta(minutes=15))
    with pytest.raises(NotPossibleNow, match="needs the approval"):
        started(org_admin, job)

    assert environment.writes == []


def plans_for(operator: Operator, environment: ManyPeople, most: int) -> Job:
    environment.add(*range(1, most + 1))
    access = enter_org(operator, "acme")
    offboard = next(one for one in offered_for_many(access) if one.definition.id == "offboard")
    asked: dict[str, Any] = {"choices": {}, "when": None, "replaces": False}
    rows = rows_for(range(1, most + 1))
    job = drafts.create(access, offboard, rows, key_kind=KeyKind.USERNAME, source=Job.Source.FILE, inputs=asked)
    control.start_dry_run(access, job)
    return worked(job)


@pytest.mark.parametrize("demanded", [{"keys": ["user.deactivate"]}, {"plans": {"offboard"}}], ids=["action", "plan"])
def test_approval_of_a_job_covers_the_plans_that_it_starts_and_no_others(
    acme: Organization, org_admin: Operator, second: Operator, environment: ManyPeople, demanded: dict[str, Any]
) -> None:
    keys = demanded.pop("keys", [])
    demand(acme, *keys, **demanded)
    job = plans_for(org_admin, environment, 2)

    with pytest.raises(NotPossibleNow, match="needs the approval"):
        started(org_admin, job)
    approves(second, ask(org_admin, job))
    job = started(org_admin, job)
    engine.run_due()

    assert states(job) == {1: "done", 2: "done"}
    assert set(PlanRun.objects.values_list("state", "stop_detail")) == {("finished", "")}
    access = enter_org(org_admin, "acme")
    environment.add(3)
    third = users.get(access.pingone(), UUID(person(3)["id"]))
    plan = runs.Start(definition=shipped()["offboard"], choices={}, when=None, zone="UTC")
    with pytest.raises(runs.NotPossibleNow, match="needs the approval"):
        runs.start(access, third, plan, Circumstances(reason="They left"))
