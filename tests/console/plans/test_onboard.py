"""Onboard: a user is created once and comes in, whatever happens in between."""

from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone, translation

from console.access import enter_org
from console.actions.catalogue import BY_KEY
from console.audit.entries import Circumstances
from console.models import AuditEntry, OutgoingEmail, PlanRun, PlanWork
from console.perform.user_operation import perform
from console.plans import mail_step, runs
from console.plans.definition import MailStep
from console.plans.shipped_plans import shipped
from console.user_mails.of_plans import TEXTS
from pingone_integration import users
from tests.support.answers import STAFF
from tests.support.narrowed import give_every_right, narrow
from tests.support.plan_people import (
    LEAVERS,
    MAIL,
    NEWCOMER,
    PERSON,
    VPN,
    circumstances,
    onboard,
    recovery_is_on,
    states,
    time_passes,
    worked,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

GROUPS = {"2": {"group_id": [{"id": str(VPN), "name": "VPN"}, {"id": str(MAIL), "name": "Mail"}]}}


def created(environment):
    return [write for write in environment.writes if write == "POST /users"]


def due_now():
    PlanWork.objects.update(due_at=timezone.now() - timedelta(seconds=1))


def test_newcomer_is_created_at_once_and_the_worker_does_the_rest(acme, org_admin, environment):
    recovery_is_on(acme)
    run = onboard(org_admin, choices=GROUPS)

    mara = environment.named("mara.lind")
    assert environment.writes == ["POST /users"]
    assert (str(run.person_id), run.person_name, run.person_full_name) == (mara["id"], "mara.lind", "Mara Lind")
    assert mara["population"] == {"id": NEWCOMER["population_id"]}

    run = worked(run)

    assert run.state == "finished", (run.stop, run.stop_detail)
    assert states(run) == ["done", "done", "done", "done", "left out", "left out"]
    assert environment.members[run.person_id] == {VPN, MAIL}
    assert environment.new[run.person_id]["status"] == "MUST_CHANGE_PASSWORD"
    email = OutgoingEmail.objects.get()
    assert email.to == "mara@acme.test"
    assert "/recover/acme/" in email.unseal("text")


def test_run_waits_for_a_person_where_recovery_is_off(acme, org_admin, environment):
    run = worked(onboard(org_admin))

    assert (run.state, run.stop) == ("stopped", "by hand")
    assert states(run) == ["done", "left out", "left out", "left out", "to come", "to come"]
    recovery_is_on(acme)  # too late for this run: they were left without a password
    with pytest.raises(runs.NotPossibleNow):
        runs.resume(enter_org(org_admin, "acme"), run, circumstances())

    AuditEntry.objects.filter(action="user.create").count()
    given(org_admin, run)
    runs.resume(enter_org(org_admin, "acme"), run, circumstances())
    run = worked(run)
    assert run.state == "finished"
    assert states(run)[4] == "done"
    assert not OutgoingEmail.objects.filter(to="mara@acme.test").exclude(about__startswith="password").exists()


def given(operator, run):
    """Set a temporary password on the user's page."""
    perform(
        enter_org(operator, "acme"),
        BY_KEY["password.set-temporary"],
        run.person_id,
        {},
        Circumstances(reason="They join", submission=uuid4()),
    )


@pytest.mark.parametrize(
    "rules", [{"demands_device": True}, {"proof_attribute": "privateEmail"}, {}], ids=["device", "no address", "chosen"]
)
def test_run_waits_for_a_person_where_recovery_cannot_serve_or_is_not_wanted(acme, org_admin, environment, rules):
    recovery_is_on(acme, **rules)
    run = worked(onboard(org_admin, choices=None if rules else {"password": {"given": "on"}}))

    assert (run.state, run.stop) == ("stopped", "by hand")
    assert not OutgoingEmail.objects.filter(to="mara@acme.test").exists()
    assert environment.new[run.person_id] == {"status": "NO_PASSWORD"}


def test_email_with_the_way_to_recovery_goes_where_recovery_sends_its_code(acme, org_admin, environment):
    recovery_is_on(acme, proof_attribute="privateEmail")
    profile = NEWCOMER["profile"] | {"privateEmail": "mara@home.test"}
    run = worked(onboard(org_admin, inputs=NEWCOMER | {"profile": profile}))

    assert run.state == "finished"
    assert OutgoingEmail.objects.get(about=f"plan {run.pk}").to == "mara@home.test"


def test_new_user_is_told_of_no_former_password(acme, org_admin, environment):
    recovery_is_on(acme)
    run = worked(onboard(org_admin))

    assert [one.about for one in OutgoingEmail.objects.all()] == [f"plan {run.pk}"]


LOST = {
    "before it happened": ("before", 1, ["POST /users", "POST /users"]),
    "after it happened": ("after", 1, ["POST /users"]),
}


@pytest.mark.parametrize(("when", "users", "writes"), LOST.values(), ids=LOST)
def test_create_of_an_unknown_outcome_is_looked_up_and_tried_again(acme, org_admin, environment, when, users, writes):
    lost = [httpx.ReadTimeout("lost")]

    def once(_request):
        if lost:
            raise lost.pop()

    setattr(environment, when, once)
    run = onboard(org_admin)
    assert (run.person_id is None) == (when == "before")
    for _look in range(3):
        due_now()
        run = worked(run)

    assert run.person_id == UUID(environment.named("mara.lind")["id"])
    assert created(environment) == writes
    assert states(run)[0] == "done"
    outcomes = set(AuditEntry.objects.current().filter(action="user.create").values_list("outcome", flat=True))
    assert outcomes <= {"succeeded", "failed"}


OTHERS = {
    "older": {"createdAt": "2026-01-01T00:00:00Z"},
    "another address": {"createdAt": "now", "email": "eve@evil.test"},
    "no date": {"createdAt": None},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_somebody_else_with_the_username_is_never_taken_for_the_new_user(acme, org_admin, environment, changes):
    """After a lost answer the username is looked up, and someone else got it meanwhile."""
    mara = {"username": "mara.lind", "email": "mara@acme.test", "name": {"given": "Mara", "family": "Lind"}} | changes
    if mara["createdAt"] == "now":
        mara["createdAt"] = timezone.now().isoformat()

    def others_first(_request):
        environment.add(9, **mara)
        raise httpx.ReadTimeout("lost")

    environment.before = others_first
    run = onboard(org_admin)
    for _look in range(3):
        due_now()
        run = worked(run)

    assert (run.state, run.stop, run.person_id) == ("stopped", "failed", None)
    assert run.stop_detail == "Someone else has the username."
    assert not environment.members[UUID(environment.named("mara.lind")["id"])]


def test_taken_username_stops_the_run(acme, org_admin, environment):
    environment.add(9, username="mara.lind")

    run = onboard(org_admin)

    assert (run.state, run.stop, run.person_id) == ("stopped", "failed", None)
    assert run.stop_detail == "Someone else has the username."


def test_one_username_has_one_open_run(acme, org_admin, environment, tomorrow):
    first = onboard(org_admin, when=tomorrow)

    upper = NEWCOMER | {"profile": NEWCOMER["profile"] | {"username": "Mara.Lind"}}
    with pytest.raises(runs.NotPossibleNow) as refused:
        onboard(org_admin, inputs=upper)
    assert refused.value.other == first
    assert environment.writes == []

    other = NEWCOMER | {"profile": NEWCOMER["profile"] | {"username": "other"}}
    assert onboard(org_admin, inputs=other).person_id
    runs.cancel(enter_org(org_admin, "acme"), first)
    assert onboard(org_admin).person_id


def test_scheduled_newcomer_is_created_at_the_time_and_not_for_a_starter_who_is_gone(
    acme, org_admin, environment, tomorrow
):
    recovery_is_on(acme)
    run = onboard(org_admin, when=tomorrow)
    other = onboard(
        org_admin, when=tomorrow, inputs=NEWCOMER | {"profile": NEWCOMER["profile"] | {"username": "other"}}
    )
    assert worked(run).state == "scheduled"
    time_passes(run, days=1.1)
    assert worked(run).state == "finished"

    org_admin.memberships.all().delete()
    time_passes(other, days=1.1)
    other = worked(other)
    assert (other.state, other.stop, other.person_id) == ("stopped", "access", None)


def test_plan_of_a_new_user_starts_for_nobody_who_exists(acme, org_admin, environment):
    access = enter_org(org_admin, "acme")
    kim = users.get(access.pingone(), PERSON)
    plan = runs.Start(definition=shipped()["onboard"], choices={"1": NEWCOMER}, when=None, zone="UTC")
    with pytest.raises(PermissionDenied):
        runs.start(access, kim, plan, circumstances())
    assert not PlanRun.objects.exists()


def test_newcomer_of_a_narrowed_starter_comes_into_their_populations_alone(acme, helpdesk, environment, tomorrow):
    give_every_right(acme)
    with pytest.raises(Http404):
        onboard(narrow(helpdesk, LEAVERS))

    run = onboard(narrow(helpdesk, STAFF), when=tomorrow)
    narrow(helpdesk, LEAVERS)
    time_passes(run, days=1.1)
    run = worked(run)
    assert (run.state, run.stop, run.person_id) == ("stopped", "failed", None)
    assert environment.writes == []


def test_emails_of_shipped_plans_are_marked_for_translation():
    """Users and their managers read them in their language."""
    mails = [step for plan in shipped().values() for step in plan.steps if isinstance(step, MailStep)]

    assert {text for step in mails if "@" not in step.to for text in (step.subject, step.text)} == TEXTS


def test_new_user_reads_the_email_in_their_language(acme, org_admin, environment, monkeypatch):
    recovery_is_on(acme)
    read_in = []

    def read(text):
        read_in.append(translation.get_language())
        return text

    monkeypatch.setattr(mail_step, "gettext", read)
    profile = NEWCOMER["profile"] | {"preferred_language": "de-CH"}

    assert worked(onboard(org_admin, inputs=NEWCOMER | {"profile": profile})).state == "finished"
    assert read_in == ["de", "de"]
