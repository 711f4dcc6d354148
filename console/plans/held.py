"""A run that a worker holds under a lease: what it may store, ask and decide, as long as nobody else does."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.utils import timezone

from console.models import PlanRun, PlanRunStep, PlanWork
from console.plans import mail
from console.plans.definition import read
from console.plans.doing import TryLater
from console.plans.on_behalf import on_behalf_of
from console.plans.record import record
from pingone_integration import users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.errors import NotFound, PingOneError
from pingone_integration.texts import Text, english
from pingone_integration.users import User

LEASE = timedelta(minutes=1)

State = PlanRun.State
T = TypeVar("T")


def stop(run: PlanRun, why: PlanRun.Stop, detail: Text = "") -> None:
    """Let the run ask a person, and tell the org admins."""
    with transaction.atomic():
        open_now = PlanRun.objects.filter(pk=run.pk, state__in=(State.SCHEDULED, State.RUNNING, State.WAITING))
        if not open_now.update(state=State.STOPPED, stop=why, stop_detail=english(detail)):
            return
        run.state, run.stop, run.stop_detail = State.STOPPED, why, english(detail)
        record(run, "plan.stopped", None, inputs={"why": str(why)}, reason=run.stop_detail)
        mail.stopped(run)


class Held:
    """A run, its steps, and the worker's lease on them."""

    def __init__(self, run: PlanRun, work: PlanWork, stopping: Callable[[], bool]) -> None:
        self.run, self.work, self.stopping = run, work, stopping
        self.rows = {row.number: row for row in run.steps.order_by("number")}
        self.definition = read(run.definition)
        self.api: PingOneApi = on_behalf_of(run).pingone()

    def stop(self, why: PlanRun.Stop, detail: Text = "") -> None:
        stop(self.run, why, detail)

    def announce(self) -> None:
        """Tell that the user will be deleted."""
        with transaction.atomic():
            self.change(announced_at=timezone.now())
            mail.deletion_announced(self.run)

    def user(self) -> User:
        """Read the person. Raises NotFound and TryLater."""
        person = self.run.person_id
        if person is None:
            raise NotFound("no person yet")
        return self.asked(lambda: users.get(self.api, person))

    def asked(self, look: Callable[[], T]) -> T:
        """Ask PingOne. Raises NotFound, and TryLater for every other error."""
        try:
            return look()
        except NotFound:
            raise
        except PingOneError as error:
            raise TryLater from error

    def is_held(self) -> bool:
        """Return whether this worker may go on: it holds the lease, and nobody has canceled the run."""
        if self.stopping() or not self.work.keep(LEASE):
            return False
        return PlanRun.objects.filter(pk=self.run.pk, state=self.run.state).exists()

    def store(self, row: PlanRunStep, **changes: object) -> None:
        PlanRunStep.objects.filter(pk=row.pk).update(**changes)
        for name, value in changes.items():
            setattr(row, name, value)

    def change(self, **changes: object) -> None:
        PlanRun.objects.filter(pk=self.run.pk).update(**changes)
        for name, value in changes.items():
            setattr(self.run, name, value)

    def turn(self, before: PlanRun.State, after: PlanRun.State, **changes: object) -> bool:
        """Change the state in one conditional UPDATE, and return whether nobody else was quicker."""
        changes["state"] = after
        if not PlanRun.objects.filter(pk=self.run.pk, state=before).update(**changes):
            return False
        for name, value in changes.items():
            setattr(self.run, name, value)
        return True
