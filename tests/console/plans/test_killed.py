"""A worker killed at any point of every shipped plan: nothing twice, nothing lost."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from console.audit import entries
from console.limits.rules import LIMITS
from console.models import AuditEntry, LimitPolicy, OutgoingEmail, PlanRun, PlanRunStep, PlanWork, UserTemplate
from console.plans import creating, engine, held
from console.plans.definition import ADDED, BEFORE
from console.plans.settled import Source, of_templates
from console.plans.shipped_plans import shipped
from tests.support.answers import ENGINEERS
from tests.support.plan_people import (
    LEAVERS,
    MAIL,
    PHONE,
    VPN,
    again,
    kept_as,
    onboard,
    recovery_is_on,
    start,
    time_passes,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


UNTIL = timezone.now().replace(microsecond=0) + timedelta(hours=12)
OLD = UserTemplate(groups=[{"id": str(MAIL), "name": "Mail"}])
NEW = UserTemplate(groups=[{"id": str(ENGINEERS), "name": "Engineers"}], fields={"title": "X"}, population_id=LEAVERS)
EXTRA = UUID(int=(4 << 76) + (8 << 60) + 0xF8)  # a group that they are not in
_END = {"at": (timezone.now() + timedelta(days=26, hours=12)).isoformat(), "zone": "UTC"}
CHOICES: dict[str, Any] = {
    "onboard": {"2": {"group_id": [{"id": str(VPN), "name": "VPN"}, {"id": str(MAIL), "name": "Mail"}]}},
    "activate-until": {"2": _END},
    "deactivate-until": {"2": _END},
    "group-until": {"1": {"group_id": str(EXTRA)}, "2": _END},
    "offboard": {"7": {"chosen": "on"}},
    "compromised": {},
    "bring-back": Source(
        was_active=True,
        values={
            BEFORE: {"group_id": [{"id": str(ENGINEERS), "name": "Engineers"}], "population_id": str(LEAVERS)},
            ADDED: {"group_id": [{"id": str(MAIL), "name": "Mail"}]},
        },
    ).choices(shipped()["bring-back"]),
    "move": of_templates(OLD, NEW).choices(shipped()["move"]),
    "lost-phone": {"1": {"device_id": str(PHONE)}, "3": {"until": UNTIL.isoformat()}},
}


UUID_IN_PATH = re.compile(r"(?<=/users/)[0-9a-f-]{36}")  # that of a new user is another one each time


class Killed(BaseException):
    """As SIGKILL: nothing catches it, and nothing is cleaned up."""


class Killer:
    """Kills the first time at each of the points where the worker stores something, or PingOne is asked to write."""

    def __init__(self, monkeypatch, environment):
        self.is_armed = False
        self.seen = set()
        self.applied: Counter[object] = Counter()  # the writes that PingOne has done
        environment.before = lambda request: self.point("asked", request.method, request.url.path)
        environment.after = self.wrote
        for owner, name in (
            (entries, "start"),
            (entries, "close"),
            (engine, "write_mail"),
            (held.Held, "store"),
            (held.Held, "change"),
            (held.Held, "turn"),
        ):
            monkeypatch.setattr(owner, name, self.around(name, getattr(owner, name)))

    def around(self, name, original):
        def watched(*args, **options):
            about = str([one for one in (*args, *sorted(options)) if isinstance(one, str)] + [options.get("state")])
            of = next((one.number for one in args if isinstance(one, PlanRunStep)), 0)
            self.point(name, about, of, "before")
            result = original(*args, **options)
            self.point(name, about, of, "after")
            return result

        return watched

    def wrote(self, request):
        self.applied[f"{request.method} {UUID_IN_PATH.sub('-', request.url.path)}"] += 1
        self.point("wrote", request.method, request.url.path)

    def point(self, *label):
        if self.is_armed and label not in self.seen:
            self.seen.add(label)
            raise Killed


def lease_runs_out():
    PlanWork.objects.filter(state="running").update(lease_until=Now() - timedelta(seconds=1))


def worked_through(run):
    """Let workers work until nothing is due, each after the lease of the one before has run out. Time passes too."""
    for _look in range(12):
        lease_runs_out()
        PlanWork.objects.filter(state="waiting").update(due_at=Now() - timedelta(seconds=1))
        engine.run_due()
        if not (run := again(run)).is_open or run.state == PlanRun.State.STOPPED:
            break
        if run.state == PlanRun.State.WAITING:
            time_passes(run, days=27 if run.announced_at is None else 3.01)
    return run


@pytest.mark.parametrize("slug", shipped())
def test_plan_of_a_killed_worker_happens_once(acme, org_admin, environment, monkeypatch, slug):
    LimitPolicy.objects.bulk_create([LimitPolicy(organization=acme, limit=one.key, most=10_000) for one in LIMITS])
    environment.add_group(EXTRA, "Extra")
    environment.kim["enabled"] = slug not in {"bring-back", "activate-until"}
    monkeypatch.setattr(creating, "IN_FLIGHT", timedelta())
    recovery_is_on(acme)
    as_it_was = kept_as(environment)
    killer = Killer(monkeypatch, environment)
    choices = CHOICES[slug]
    seen = []
    for killer.is_armed in (False, True):
        as_it_was()
        killer.applied.clear()
        if slug == "onboard":
            run = onboard(org_admin, begins=False, choices=choices)
        else:
            run = start(org_admin, slug, begins=False, choices=choices)
        killed = 0
        while True:
            try:
                run = worked_through(run)
                break
            except Killed:
                killed += 1
        assert run.state == PlanRun.State.FINISHED, (run.stop, run.stop_detail)
        assert not AuditEntry.objects.current().filter(outcome__in=("started", "unknown")).exists()
        assert sum(one["username"] == "mara.lind" for one in environment.users.values()) == (slug == "onboard")
        seen.append((dict(killer.applied), OutgoingEmail.objects.count()))
        OutgoingEmail.objects.all().delete()
    assert killed > 20
    assert seen[0] == seen[1]
