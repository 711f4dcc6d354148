"""The worker's part of runs: step after step, with waits between them. It may be killed anywhere.

A worker holds a run under the lease of its PlanWork. What a step does is on record before it happens, so that nothing
is done twice and nothing is lost.
"""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from console.audit import system_user
from console.models import PlanRun, PlanRunStep, PlanWork, Work
from console.plans.ahead import takes_away
from console.plans.checking import WENT_WRONG, is_boundary, is_checked
from console.plans.creating import Creation
from console.plans.definition import CREATES, DELETES, ActionStep, Kind, MailStep, WaitStep
from console.plans.doing import MayNot, TryLater, access_for, as_a_whole, do
from console.plans.held import LEASE, Held, stop
from console.plans.mail_step import write_mail
from console.plans.person import as_left, before_run, meets
from console.plans.record import record
from console.plans.targets import NOTHING_CHOSEN, NothingChosen, targets_of
from console.plans.waiting import left_to_wait
from console.plans.waits import ANNOUNCED_BEFORE, LATEST, takes_away_first, would_be_over
from console.work.schedule import kept
from pingone_integration.errors import NotFound
from pingone_integration.texts import english
from pingone_integration.users import User

T = TypeVar("T")

logger = logging.getLogger(__name__)

AGAIN = timedelta(seconds=30)  # after PingOne did not answer
KEPT_FOR = timedelta(days=30)  # after the last step, for Bring back

State, Stop, StepState = PlanRun.State, PlanRun.Stop, PlanRunStep.State
OVER = PlanRunStep.OVER

_GONE = _("PingOne no longer has this user.")
_OVER = _("The time at which it was to end is past.")
_DIFFERS = _("They were activated, moved to another population, or signed in since.")


def run_due(stopping: Callable[[], bool] = lambda: False) -> int:
    """Work on the runs that are due, until none is. Return how many that were."""
    count = 0
    while not stopping() and (work := _claimed()):
        _hold(work, stopping)
        count += 1
    return count


def _claimed() -> PlanWork | None:
    """Claim a run that is due: those for one person before those of jobs, of which 100,000 may be due at once."""
    return PlanWork.objects.filter(is_for_many=False).claim(LEASE) or PlanWork.objects.claim(LEASE)


def begin(run: PlanRun) -> None:
    """Take access away, or create the user, in the request of whoever starts it. The worker does the rest."""
    if work := PlanWork.objects.filter(run=run).claim(LEASE):
        _hold(work, lambda: False, only_first=True)


def _hold(work: PlanWork, stopping: Callable[[], bool], *, only_first: bool = False) -> None:
    run = PlanRun.objects.select_related("organization__connection", "starter").get(pk=work.run_id)
    with kept(work, f"plan {run.pk}"), translation.override("en"), system_user.recorded(run.system_user):
        pause: timedelta | None = None
        try:
            pause = _Turn(run, work, stopping, only_first=only_first).carry_on()
        except TryLater:
            pause = min(AGAIN * (2 ** min(work.attempts - 1, 4)), timedelta(minutes=10))
            work.put_back(pause)
            return
        except Exception:
            logger.exception("The plan %s failed", run.pk)
            stop(run, Stop.MISTAKE)
    if pause is None:
        work.end(Work.State.DONE)
        if PlanRun.objects.filter(pk=run.pk, state=State.RUNNING).exists():  # resumed just now
            PlanWork.want(run)
    else:
        work.put_back(pause, attempts=0)
        ends = PlanRunStep.objects.filter(run=run, run__state=State.WAITING, state=StepState.STARTED)
        if sooner := ends.filter(due_at__lt=timezone.now() + pause).order_by("due_at").first():  # changed just now
            PlanWork.want(run, sooner.due_at)


class _Turn:
    """One look of a worker at a run."""

    def __init__(self, run: PlanRun, work: PlanWork, stopping: Callable[[], bool], *, only_first: bool) -> None:
        self.held = Held(run, work, stopping)
        self.run, self.rows, self.api = run, self.held.rows, self.held.api
        self.definition = self.held.definition
        self.only_first = only_first

    def carry_on(self) -> timedelta | None:
        """Do what can be done now. Return how long the run then waits; None: nothing is left for a worker.

        Raises TryLater.
        """
        if self.run.state == State.SCHEDULED and (pause := self._begun()) is not None:
            return pause or None
        while self.run.state in {State.RUNNING, State.WAITING} and self.held.is_held():
            number = self._next()
            if is_boundary(self.held, number) and not is_checked(self.held, number):
                continue
            if number is None:
                self._finish()
                return None
            step = self.definition.steps[number - 1]
            if isinstance(step, WaitStep):
                if pause := left_to_wait(self.held, number, step):
                    return pause
                continue
            if pause := self._does(number, step):
                return pause
            if self.only_first and self._is_first(number):
                return timedelta()
        return None if self.run.state not in {State.RUNNING, State.WAITING} else timedelta()

    def _begun(self) -> timedelta | None:
        """Begin a run whose time has come. Return how long until then; zero: it asks instead; None: it has begun."""
        late = timezone.now() - self.run.starts_at
        if late < timedelta():
            return -late
        if late > LATEST and not takes_away_first(self.definition, self.run):
            self.held.stop(Stop.LATE)
            return timedelta()
        if would_be_over(self.definition, self.run):
            self.held.stop(Stop.LATE, _OVER)
            return timedelta()
        if not self.held.turn(State.SCHEDULED, State.RUNNING):
            return timedelta()
        return None

    def _next(self) -> int | None:
        """Return the number of the next step. Where access is taken away, a step that failed holds no other up."""
        goes_on = self.definition.kind is Kind.LEAVE
        for number, row in self.rows.items():
            if row.state in OVER or (goes_on and row.state in WENT_WRONG and self._takes_away(number)):
                continue
            return number
        return None

    def _takes_away(self, number: int) -> bool:
        step = self.definition.steps[number - 1]
        return isinstance(step, ActionStep) and takes_away(self.definition.kind, step.action)

    def _is_first(self, number: int) -> bool:
        """Return whether a request has done its part: access is taken away, or the user is created."""
        step, row = self.definition.steps[number - 1], self.rows[number]
        is_created = isinstance(step, ActionStep) and step.action == CREATES and row.state not in WENT_WRONG
        return is_created or self._takes_away(number)

    def _does(self, number: int, step: ActionStep | MailStep) -> timedelta | None:
        """Run one step. Return how long the run waits first, if it does. Raises TryLater."""
        row = self.rows[number]
        if row.state in WENT_WRONG:
            self.held.stop(Stop.UNKNOWN if row.state == StepState.UNKNOWN else Stop.FAILED, row.detail)
            return None
        if isinstance(step, ActionStep) and step.action == CREATES:
            return self._creates(row, step)
        try:
            user = self.held.user()
        except NotFound:
            if isinstance(step, ActionStep) and row.targets is not None:  # begun, perhaps the delete itself
                self._acts(row, step, None)
                return None
            self.held.stop(Stop.PERSON_CHANGED, _GONE)
            return None
        if not self.run.before:
            self.held.change(before=self.held.asked(lambda: before_run(self.api, user)))
        if row.state == StepState.TO_COME and self._follows_wait(number) and not self._is_as_left(user, step):
            self.held.stop(Stop.PERSON_CHANGED, _DIFFERS)
            return None
        if row.targets is None and not meets(step.condition, user, self.run, number):
            self.held.store(row, state=StepState.LEFT_OUT, reached_at=timezone.now())
            return None
        if isinstance(step, MailStep):
            self.held.asked(lambda: write_mail(self.run, row, step, user, self.api))
            return None
        if step.is_by_hand:
            self.held.stop(Stop.BY_HAND, step.of_catalogue.name)
            return None
        if step.action == DELETES and (pause := self._not_announced()):
            return pause
        self._acts(row, step, user)
        return None

    def _creates(self, row: PlanRunStep, step: ActionStep) -> timedelta | None:
        try:
            return Creation(self.held, row, step).go_on()
        except MayNot:
            self.held.stop(Stop.ACCESS, step.of_catalogue.name)
            return None

    def _not_announced(self) -> timedelta | None:
        """Return how long a delete still has to wait: it is announced three days before, whatever the plan says."""
        if self.run.announced_at is None:
            self.held.announce()
        left = (self.run.announced_at or timezone.now()) + ANNOUNCED_BEFORE - timezone.now()
        return left if left > timedelta() else None

    def _acts(self, row: PlanRunStep, step: ActionStep, user: User | None) -> None:
        try:
            access_for(self.run, step.of_catalogue)
            if row.targets is None and user is not None:
                targets = self.held.asked(lambda: targets_of(step, row.number, self.run, self.api, user))
                self.held.store(row, state=StepState.STARTED, reached_at=timezone.now(), targets=targets)
            for target in row.targets or ():
                if "state" in target:
                    continue
                if not self.held.is_held():
                    raise TryLater
                try:
                    do(self.run, row, step, target, user)
                except TryLater:
                    target.pop("state", None)
                    self.held.store(row, targets=row.targets)
                    raise
                self.held.store(row, targets=row.targets)
        except NothingChosen:
            self.held.store(row, state=StepState.LEFT_OUT, detail=english(NOTHING_CHOSEN), reached_at=timezone.now())
            return
        except MayNot:
            self.held.stop(Stop.ACCESS, step.of_catalogue.name)
            return
        self._end(row, step)

    def _end(self, row: PlanRunStep, step: ActionStep) -> None:
        """Store what became of the step, and what the person is like after it."""
        state, detail = as_a_whole(row.targets or [])
        after = {}
        if step.action != DELETES:
            try:
                after = as_left(self.held.user())
            except NotFound:
                after = {}
        with transaction.atomic():
            self.held.store(row, state=state, detail=detail, after=after)
            if after:
                self.held.change(as_left=after)

    def _follows_wait(self, number: int) -> bool:
        """Return whether nothing ran since the wait before this step, or at all: a run may wait for its begin."""
        for earlier in range(number - 1, 0, -1):
            if isinstance(self.definition.steps[earlier - 1], WaitStep):
                return True
            if self.rows[earlier].state != StepState.LEFT_OUT:
                return False
        return True

    def _is_as_left(self, user: User, step: ActionStep | MailStep) -> bool:
        """Return whether nobody has changed them since. A membership ends all the same: it only takes away."""
        if (
            self._has_begun()
            and self.definition.kind is Kind.CHANGE
            and isinstance(step, ActionStep)
            and step.action == "group.remove"
        ):
            return True
        now, left = as_left(user), self.run.as_left
        compared = ["enabled", "population_id"]
        if self.definition.kind is Kind.LEAVE or not self._has_begun():
            compared.append("last_sign_on_at")
        return not left or all(now[name] == left.get(name) for name in compared)

    def _has_begun(self) -> bool:
        """Return whether something was done. Until then the person is as whoever started the run saw them."""
        done = {number for number, row in self.rows.items() if row.state in {StepState.DONE, StepState.NO_CHANGE}}
        return any(number in done and not isinstance(step, WaitStep) for number, step in self.definition.numbered())

    def _finish(self) -> None:
        now = timezone.now()
        with transaction.atomic():
            if self.held.turn(State.RUNNING, State.FINISHED, finished_at=now, delete_after=now + KEPT_FOR):
                record(self.run, "plan.finished", None)
