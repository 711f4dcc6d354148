"""Runs of plans: what is done at once and what later, what stops them, and that done is checked."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from console.access import enter_org
from console.models import AuditEntry, Membership, OutgoingEmail, PlanRun, PlanWork
from console.plans import runs
from console.plans.dates import When
from console.plans.definition import read
from console.plans.shipped_plans import shipped
from console.work import tasks
from tests.support.people import make_operator
from tests.support.plan_people import (
    LEAVERS,
    PERSON,
    VPN,
    again,
    circumstances,
    start,
    states,
    time_passes,
    worked,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

MOVED = {"5": {"population_id": str(LEAVERS)}}
DELETED = {"7": {"chosen": "on"}}
GIVES = read(
    {
        "id": "joiner",
        "name": "Joiner",
        "kind": "change",
        "steps": [{"action": "group.add", "inputs": {"group_id": str(VPN)}}],
    }
)


def on_record():
    rows = AuditEntry.objects.current().exclude(action__startswith="plan.").order_by("sequence")
    return [(row.action, row.outcome) for row in rows]


def tomorrow():
    at = timezone.now() + timedelta(days=1)
    return When(local=f"{at:%Y-%m-%dT%H:%M}", zone="UTC", at=at)


def mails():
    return OutgoingEmail.objects.filter(about__startswith="plan").count()


def test_offboarding_deactivates_at_once_and_the_worker_does_the_rest(acme, org_admin, environment):
    run = start(org_admin, choices=MOVED)

    assert environment.writes == [f"PUT /users/{PERSON}/enabled"]
    assert run.state == "running"

    run = worked(run)

    assert environment.kim["enabled"] is False
    assert environment.kim["population"] == {"id": str(LEAVERS)}
    assert (environment.sessions, environment.devices, environment.members[PERSON]) == ([], [], set())
    assert states(run) == ["done", "done", "done", "done", "done", "left out", "left out"]
    assert run.state == "finished"
    assert {row.channel for row in AuditEntry.objects.exclude(action__startswith="plan.")} == {"plan"}
    assert on_record() == [
        ("user.deactivate", "succeeded"),
        ("sessions.end-all", "succeeded"),
        *[("device.remove", "succeeded")] * 2,
        *[("group.remove", "succeeded")] * 2,
        ("user.move", "succeeded"),
    ]


def test_groups_are_read_again_when_the_step_runs(acme, org_admin, environment):
    run = start(org_admin)
    late = environment.add_group(UUID(int=(4 << 76) + (8 << 60) + 0xF7), "Late")
    environment.members[PERSON].add(late)

    worked(run)

    assert environment.members[PERSON] == set()


def test_date_waits_for_its_time_and_runs_with_the_starter_gone(acme, org_admin, helpdesk, environment):
    run = start(org_admin, when=tomorrow())

    assert worked(run).state == "scheduled"
    assert environment.writes == []

    org_admin.memberships.all().delete()
    time_passes(run, days=30)
    run = worked(run)

    assert run.state == "finished"
    assert environment.kim["enabled"] is False
    assert environment.members[PERSON] == set()
    done = AuditEntry.objects.filter(action="user.deactivate")
    assert {(row.actor, row.operator, row.channel) for row in done} == {("organization", None, "plan")}


def test_what_gives_access_stops_when_the_starter_is_gone_and_an_org_admin_takes_it_over(acme, org_admin, environment):
    environment.members[PERSON] = set()
    other = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    run = start(org_admin, GIVES, when=tomorrow())
    org_admin.memberships.all().delete()
    time_passes(run, days=1.1)

    run = worked(run)

    assert (run.state, run.stop) == ("stopped", "access")
    assert environment.writes == []
    assert mails() == 1

    runs.resume(enter_org(other, "acme"), run, circumstances())
    run = worked(run)

    assert (run.state, run.starter) == ("finished", other)
    assert environment.members[PERSON] == {VPN}


@pytest.mark.parametrize(("plan", "state"), [("offboard", "finished"), (GIVES, "stopped")])
def test_missed_time_takes_access_away_and_asks_before_giving_it(acme, org_admin, environment, plan, state):
    run = start(org_admin, plan, when=tomorrow())
    time_passes(run, days=5)

    run = worked(run)

    assert run.state == state
    if state == "stopped":
        assert (run.stop, environment.writes) == ("late", [])
        runs.resume(enter_org(org_admin, "acme"), run, circumstances())
        assert worked(run).state == "finished"


def test_delete_is_announced_three_days_before_and_then_done(acme, org_admin, environment):
    run = worked(start(org_admin, choices=DELETED))

    assert run.state == "waiting"
    assert mails() == 0
    time_passes(run, days=26.9)
    assert (worked(run).announced_at, mails()) == (None, 0)
    time_passes(run, days=0.2)
    assert (worked(run).announced_at is not None, mails()) == (True, 1)
    time_passes(run, days=2.5)
    assert PERSON in environment.users
    worked(run)
    time_passes(run, days=0.6)
    run = worked(run)

    assert PERSON not in environment.users
    assert run.state == "finished"
    assert mails() == 1


def test_delete_after_a_pause_of_the_worker_is_announced_first(acme, org_admin, environment):
    run = worked(start(org_admin, choices=DELETED))
    time_passes(run, days=60)

    run = worked(run)

    assert PERSON in environment.users
    assert mails() == 1
    time_passes(run, days=3.1)
    worked(run)
    assert PERSON not in environment.users


def test_delete_never_runs_for_a_starter_who_is_gone(acme, org_admin, environment):
    make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    run = worked(start(org_admin, choices=DELETED))
    time_passes(run, days=28)
    worked(run)
    org_admin.memberships.all().delete()
    time_passes(run, days=4)

    run = worked(run)

    assert (run.state, run.stop) == ("stopped", "access")
    assert PERSON in environment.users


CHANGES = {
    "activated": {"enabled": True},
    "moved": {"population": {"id": str(LEAVERS)}},
    "signed in": {"lastSignOn": {"at": "2030-01-01T00:00:00.000Z"}},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_person_who_changed_during_a_wait_stops_the_run(acme, org_admin, environment, change):
    run = worked(start(org_admin, choices=DELETED))
    time_passes(run, days=28)
    worked(run)
    environment.kim.update(change)
    time_passes(run, days=4)

    run = worked(run)

    assert (run.state, run.stop) == ("stopped", "person changed")
    assert PERSON in environment.users


def test_run_is_not_finished_while_access_is_left(acme, org_admin, environment):
    environment.status = {f"DELETE /users/{PERSON}/memberOfGroups/{VPN}": 403}

    run = worked(start(org_admin))

    assert (run.state, run.stop) == ("stopped", "not finished")
    assert run.stop_detail == "They are in the group VPN."
    assert mails() == 1
    assert environment.devices == []

    environment.status = {}
    runs.resume(enter_org(org_admin, "acme"), run, circumstances())

    assert worked(run).state == "finished"
    assert environment.members[PERSON] == set()


def test_session_that_the_list_keeps_is_asked_by_its_id(acme, org_admin, environment, monkeypatch):
    session = UUID(int=7)
    environment.sessions = [{"id": str(session)}]
    original = type(environment)._of_user

    def listed(self, user_id, below):
        found = original(self, user_id, below)
        return {"_embedded": {"sessions": [{"id": str(session)}]}} if below == "sessions" else found

    monkeypatch.setattr(type(environment), "_of_user", listed)
    run = worked(start(org_admin))
    assert run.state == "finished"

    PlanRun.objects.all().delete()
    environment.open_sessions = {session}
    run = worked(start(org_admin))
    assert (run.state, run.stop_detail) == ("stopped", "They have a session that PingOne has not ended.")


def test_run_waits_while_pingone_does_not_answer(acme, org_admin, environment):
    run = start(org_admin)
    environment.status = {f"/users/{PERSON}": 503}

    run = worked(run)

    assert run.state == "running"
    work = PlanWork.objects.get(run=run)
    assert work.state == "waiting"
    assert work.due_at > timezone.now()
    environment.status = {}
    PlanWork.objects.update(due_at=timezone.now())
    assert worked(run).state == "finished"


def test_person_has_one_open_run(acme, org_admin, environment):
    first = start(org_admin, when=tomorrow())

    with pytest.raises(runs.NotPossibleNow) as refused:
        start(org_admin)
    assert refused.value.other == first
    assert environment.writes == []

    start(org_admin, replaces=first.pk)
    assert again(first).state == "canceled"


def test_cancelled_run_does_nothing_more(acme, org_admin, environment):
    run = start(org_admin, when=tomorrow())
    runs.cancel(enter_org(org_admin, "acme"), run)
    time_passes(run, days=2)

    assert worked(run).state == "canceled"
    assert environment.writes == []


def test_plan_of_the_run_is_frozen(acme, org_admin, environment):
    run = start(org_admin, when=tomorrow())

    assert read(again(run).definition) == shipped()["offboard"]


def test_email_goes_out_once_and_is_on_record(acme, org_admin, environment):
    step = {"mail": "person", "subject": "Bye {given}", "text": "Bye {name} of {organization} {username}"}
    plan = read({"id": "bye", "name": "Bye", "kind": "change", "steps": [step]})
    environment.kim["name"] = {"given": "{organization}", "family": "Lund"}

    run = worked(start(org_admin, plan))

    assert run.state == "finished"
    email = OutgoingEmail.objects.get(about=f"plan {run.pk}")
    assert email.to == "kim@acme.test"
    entry = AuditEntry.objects.get(action="plan.emailed")
    assert entry.inputs["subject"] == "Bye {organization}"


def test_step_that_shows_a_secret_waits_for_a_person(acme, org_admin, environment):
    plan = read({"id": "x", "name": "X", "kind": "change", "steps": [{"action": "password.set-temporary"}]})
    run = worked(start(org_admin, plan))

    assert (run.state, run.stop, environment.writes) == ("stopped", "by hand", [])
    with pytest.raises(runs.NotPossibleNow):
        runs.resume(enter_org(org_admin, "acme"), run, circumstances())


def test_plans_have_a_queue_that_no_job_fills():
    kinds = [kind.name for kind in tasks.KINDS]

    assert kinds.index("plan") < kinds.index("job")
    assert next(kind for kind in tasks.KINDS if kind.name == "plan").task.queue_name == "plans"


def test_nobody_starts_a_plan_whose_steps_they_may_not_do(acme, helpdesk, environment):
    with pytest.raises(PermissionDenied):
        start(helpdesk, replace(GIVES, steps=shipped()["offboard"].steps), choices=DELETED)
    assert environment.writes == []


def test_whoever_suspends_the_starter_sees_what_they_scheduled_and_takes_it_over(
    acme, org_admin, environment, browser_of
):
    environment.members[PERSON] = set()
    starter = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    run = start(starter, GIVES, when=tomorrow())
    client, member = browser_of(org_admin), starter.memberships.get().pk
    here = f"/o/acme/settings/members/{member}/plans/"

    assert here in client.get(f"/o/acme/settings/members/{member}/").content.decode()
    assert "kim.lund" in client.get(here).content.decode()
    client.post(here, {"do": "take-over", "runs": [str(run.pk)]})
    starter.memberships.all().delete()
    time_passes(run, days=1.1)

    run = worked(run)
    assert (run.state, run.starter) == ("finished", org_admin)
    assert AuditEntry.objects.filter(action="plan.taken-over", operator=org_admin).count() == 1


def test_starters_plans_are_canceled_several_at_once_and_only_theirs(acme, org_admin, environment, browser_of):
    starter = make_operator("other@acme.test", acme, Membership.Role.ORG_ADMIN)
    own = start(org_admin, when=tomorrow())
    client, here = browser_of(org_admin), f"/o/acme/settings/members/{starter.memberships.get().pk}/plans/"

    client.post(here, {"do": "cancel", "runs": [str(own.pk)]})
    assert again(own).state == "scheduled"
    PlanRun.objects.update(starter=starter)
    client.post(here, {"do": "cancel", "runs": [str(own.pk)]})

    assert again(own).state == "canceled"
