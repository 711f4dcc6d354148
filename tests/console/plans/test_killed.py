"""A worker killed at any point of every shipped plan: nothing twice, nothing lost."""

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from console.audit import entries
from console.limits.rules import LIMITS
from console.models import AuditEntry, LimitPolicy, OutgoingEmail, PlanRun, PlanRunStep, PlanWork
from console.plans import engine, held
from console.plans.shipped_plans import shipped
from tests.support.plan_people import PHONE, again, kept_as, start, time_passes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


UNTIL = timezone.now().replace(microsecond=0) + timedelta(hours=12)
EXTRA = UUID(int=(4 << 76) + (8 << 60) + 0xF8)  # a group that they are not in
_END = {"at": (timezone.now() + timedelta(days=26, hours=12)).isoformat(), "zone": "UTC"}
CHOICES = {
    "activate-until": {"2": _END},
    "deactivate-until": {"2": _END},
    "group-until": {"1": {"group_id": str(EXTRA)}, "2": _END},
    "offboard": {"7": {"chosen": "on"}},
    "lost-phone": {"1": {"device_id": str(PHONE)}, "3": {"until": UNTIL.isoformat()}},
}


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
        self.applied[f"{request.method} {request.url.path}"] += 1
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
    environment.kim["enabled"] = slug != "activate-until"
    as_it_was = kept_as(environment)
    killer = Killer(monkeypatch, environment)
    choices = CHOICES[slug]
    seen = []
    for killer.is_armed in (False, True):
        as_it_was()
        killer.applied.clear()
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
        seen.append((dict(killer.applied), OutgoingEmail.objects.count()))
        OutgoingEmail.objects.all().delete()
    assert killed > 20
    assert seen[0] == seen[1]
