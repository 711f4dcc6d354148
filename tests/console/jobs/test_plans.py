"""Plans for many: a job whose rows each start a run, with its preview, brake, and what its undo offers."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from console.access import enter_org
from console.audit.entries import Circumstances
from console.jobs import control, drafts
from console.jobs.listed import KeyKind, ListedRow
from console.jobs.plan_action import offered_for_many
from console.models import AuditEntry, Job, JobRow, JobWork, LimitPolicy, Membership, PlanRun, PlanWork, ProtectedMark
from console.plans import engine, runs
from console.plans.dates import When
from console.plans.ends import date_choice
from console.plans.shipped_plans import shipped
from pingone_integration import users
from tests.support.many_people import person, rows_for, started, states, verdicts, worked
from tests.support.people import make_operator

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def tomorrow():
    at = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    return When(local=f"{at:%Y-%m-%dT%H:%M}", zone="UTC", at=at)


def prepared(operator, rows, *, plan="offboard", when=None, choices=None, replaces=False):
    access = enter_org(operator, "acme")
    action = next(one for one in offered_for_many(access) if one.definition.id == plan)
    asked = {"choices": choices or {}, "when": date_choice(when) if when else None, "replaces": replaces}
    job = drafts.create(access, action, rows, key_kind=KeyKind.USERNAME, source=Job.Source.FILE, inputs=asked)
    control.start_dry_run(access, job)
    return worked(job)


def start_for(operator, number, **more):
    access = enter_org(operator, "acme")
    user = users.get(access.pingone(), UUID(person(number)["id"]))
    whole = {"definition": shipped()["offboard"], "choices": {}, "when": tomorrow(), "zone": "UTC"} | more
    return runs.start(access, user, runs.Start(**whole), Circumstances(reason="Earlier"))


def mark(acme, operator, number):
    told = {"kind": ProtectedMark.Kind.USER, "target_id": person(number)["id"], "name": "x", "reason": "CEO"}
    ProtectedMark.objects.create(organization=acme, marked_by=operator, **told)


def test_preview_says_of_each_row_what_would_run(acme, org_admin, environment):
    environment.add(1, 2, 3, 4)
    environment.add(6, 7, email="both@acme.test")
    environment.named("user2")["enabled"] = False
    mark(acme, org_admin, 3)
    start_for(org_admin, 4)
    rows = [*rows_for([1, 2, 3, 4, 5]), ListedRow(number=9, key="user1")]

    job = prepared(org_admin, rows)

    assert verdicts(job) == {1: "change", 2: "change", 3: "protected", 4: "conflict", 5: "not found", 9: "duplicate"}
    said = {row.number: row.detail for row in job.rows.all()}
    assert said[2] == "Is so already: Deactivate."
    assert "runs for them already" in said[4]
    assert job.rows.get(number=1).shown["changes"] == {"enabled": [True, False]}
    assert environment.writes == []


def test_rows_start_runs_as_the_starter_and_each_only_once(acme, org_admin, environment):
    environment.add(1, 2, 3)
    mark(acme, org_admin, 3)
    job = started(org_admin, prepared(org_admin, rows_for([1, 2, 3])))

    assert states(job) == {1: "done", 2: "done", 3: "not reached"}
    assert [environment.named(f"user{number}")["enabled"] for number in (1, 2, 3)] == [False, False, True]
    found = PlanRun.objects.order_by("person_name")
    assert [(run.person_name, run.starter, run.reason, run.job) for run in found] == [
        (name, org_admin, "Asked", job) for name in ("user1", "user2")
    ]
    engine.run_due()
    assert {run.state for run in PlanRun.objects.all()} == {"finished"}

    JobRow.objects.filter(job=job, number=1).update(state="started")  # as a worker that was killed leaves it
    Job.objects.filter(pk=job.pk).update(state="running")
    JobWork.want(job)
    assert states(worked(job))[1] == "done"
    assert PlanRun.objects.count() == 2


def test_open_run_is_replaced_only_if_that_was_chosen_and_shown(acme, org_admin, environment):
    environment.add(1, 2)
    first = start_for(org_admin, 1)
    job = prepared(org_admin, rows_for([1, 2]), replaces=True)
    unseen = start_for(org_admin, 2)
    assert "Replaces “Offboard”" in job.rows.get(number=1).detail

    job = started(org_admin, job)

    first.refresh_from_db()
    unseen.refresh_from_db()
    assert (first.state, unseen.state) == ("canceled", "scheduled")
    assert states(job) == {1: "done", 2: "refused"}


@pytest.mark.parametrize("when", [None, tomorrow()], ids=["now", "at a time"])
def test_brake_holds_for_plans_of_a_job(acme, org_admin, environment, when):
    other = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    LimitPolicy.objects.create(organization=acme, limit="brake-people", most=2)
    environment.add(1, 2, 3)

    job = started(org_admin, prepared(org_admin, rows_for([1, 2, 3]), when=when))

    assert (job.state, PlanRun.objects.count()) == ("waiting", 2)
    control.let_pass(enter_org(other, "acme"), job, Circumstances())
    worked(job)
    assert PlanRun.objects.count() == 3
    PlanRun.objects.filter(state="scheduled").update(starts_at=timezone.now())
    PlanWork.objects.update(due_at=timezone.now())
    engine.run_due()
    passed = PlanRun.objects.get(person_name="user3")
    assert passed.passes_brake
    assert environment.named("user3")["enabled"] is False


def test_job_at_a_time_offers_to_cancel_the_runs_that_have_not_begun(acme, org_admin, environment, browser_of):
    environment.add(1, 2)
    job = started(org_admin, prepared(org_admin, rows_for([1, 2]), when=tomorrow()))
    assert environment.writes == []
    assert {run.starts_at for run in PlanRun.objects.all()} == {tomorrow().at}
    PlanRun.objects.filter(person_name="user1").update(state="running")
    client, here = browser_of(org_admin), f"/o/acme/jobs/{job.pk}/"

    text = client.get(here).text
    assert "1 plan has not begun." in text
    assert "cannot be undone with the job" in text
    assert "Undo this job" not in text
    client.post(here, {"do": "cancel-runs"})

    assert dict(PlanRun.objects.values_list("person_name", "state")) == {"user1": "running", "user2": "canceled"}
    assert "Cancel the plans" not in client.get(here).text


def test_rights_and_protection_are_read_anew_at_each_row(acme, org_admin, environment):
    environment.add(1, 2)
    job = prepared(org_admin, rows_for([1, 2]))
    mark(acme, org_admin, 1)
    job = started(org_admin, job)
    assert states(job) == {1: "refused", 2: "done"}

    job = prepared(org_admin, rows_for([1]))
    org_admin.memberships.update(role=Membership.Role.AUDITOR)
    make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    with pytest.raises(PermissionDenied):
        started(org_admin, job)


def test_past_time_and_lock_down_start_nothing(acme, org_admin, environment):
    environment.add(1)
    job = prepared(org_admin, rows_for([1]), when=tomorrow())
    Job.objects.filter(pk=job.pk).update(plan=job.plan | {"asked": job.plan["asked"] | {"when": past()}})
    job.refresh_from_db()
    with pytest.raises(control.NotPossibleNow):
        started(org_admin, job)

    acme.locked_down_at = timezone.now()
    acme.save()
    end = {"2": date_choice(tomorrow())}
    job = prepared(org_admin, rows_for([1]), plan="activate-until", choices=end)
    assert verdicts(job) == {1: "not allowed"}
    assert not PlanRun.objects.exists()


def past():
    return {"date": "2026-01-01T08:00", "zone": "UTC", "at": "2026-01-01T08:00:00+00:00"}


def test_agents_start_no_plans_for_many(acme, helpdesk, browser_of):
    sent = {"source": "selection", "ids": [str(uuid4())], "job_action": "plan.offboard"}

    assert browser_of(helpdesk).post("/o/acme/jobs/new/", sent).status_code == 403


def test_pages_ask_the_questions_once_and_now_or_a_time_without_default(acme, org_admin, environment, browser_of):
    environment.add(1)
    client = browser_of(org_admin)
    sent = {"source": "selection", "ids": [person(1)["id"]], "job_action": "plan.offboard"}

    text = client.post("/o/acme/jobs/new/", sent).text
    assert "step-5-population_id" in text
    assert "checked" not in text.partition('name="when"')[2].partition("</fieldset>")[0]
    assert "step-1-device_id" not in client.post("/o/acme/jobs/new/", sent | {"job_action": "plan.lost-phone"}).text
    refused = client.post("/o/acme/jobs/new/", sent | {"make": "1", "zone": "UTC"})
    assert refused.status_code == 422
    assert "This field is required" in refused.text
    later = {"make": "1", "zone": "Europe/Stockholm", "when": "later", "step-7-chosen": "on"}
    assert (
        "This time is in the past" in client.post("/o/acme/jobs/new/", sent | later | {"at": "2020-01-01T08:00"}).text
    )
    year = timezone.now().year + 1

    answer = client.post("/o/acme/jobs/new/", sent | later | {"at": f"{year}-01-15T18:00"})
    to = answer["Location"]

    job = worked(Job.objects.get())
    page = client.get(to).text
    assert f"15 Jan {year} 18:00 Stockholm, 17:00 UTC" in page
    assert "1 row would run" in " ".join(page.split())
    client.post(to, {"do": "start", "submission": str(uuid4()), "reason": "Left"})
    worked(job)
    run = PlanRun.objects.get()
    assert (run.state, run.choices["7"]) == ("scheduled", {"chosen": "on"})
    assert f"/o/acme/plans/{run.pk}/" in client.get(to).text
    assert AuditEntry.objects.filter(action="job.started").exists()
    assert client.get("/o/acme/jobs/templates/plan.offboard.csv").status_code == 200
