"""What operators decide about a run: its start, now or at a time, another time, going on, and canceling."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess
from console.actions.demands import Demand
from console.approvals.unapproved import Unapproved
from console.audit import system_user
from console.audit.entries import Circumstances
from console.models import ApprovalRequest, AuditEntry, JobRow, PlanRun, PlanRunStep, PlanVersion, PlanWork
from console.perform import guards
from console.perform.guards import Attempt
from console.perform.user_operation import UserOperation
from console.plans import approval, engine
from console.plans.ahead import PASSWORD, Choices, chosen_date, chosen_steps, completed, date_waits, takes_away
from console.plans.dates import LONGEST_AHEAD, When
from console.plans.definition import CREATES, ActionStep, Definition, Kind, WaitStep, read
from console.plans.newcomer import is_newcomer
from console.plans.person import as_left
from console.plans.record import record
from console.plans.targets import fields_of, our_name
from console.protection import judge
from pingone_integration.texts import Text
from pingone_integration.users import User

State, Stop, StepState = PlanRun.State, PlanRun.Stop, PlanRunStep.State

_ANOTHER = _("“{plan}” already runs for {person}. Cancel it first, or let this plan replace it.")
_NOT_NOW = _("The plan is not in a state in which this is possible. Reload the page.")
_BY_HAND = _("“{action}” has not been done yet. Do it on the user's page, then go on.")
_ENDS_BEFORE = _("Choose an end within a year after the start.")
_LEFT_ALONE = _("{why} Plans leave protected users alone.")


class NotPossibleNow(Exception):
    """What an operator asked of a run cannot be done: the reason, and what would meet it."""

    def __init__(
        self,
        reason: Text,
        *,
        demanded: frozenset[Demand] = frozenset(),
        other: PlanRun | None = None,
        asked: UUID | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason, self.demanded, self.other = reason, demanded, other
        self.asked = asked  # the request for an approval that was made instead


@dataclass(frozen=True, kw_only=True)
class Start:
    """A plan for one person, as somebody is about to start it. `when` None: now."""

    definition: Definition
    choices: Choices
    when: When | None
    zone: str  # of waits until an hour
    version: PlanVersion | None = None
    replaces: UUID | None = None  # the run that it replaces
    brings_back: PlanRun | None = None
    looks_first: bool = False  # it asks if they were activated, moved or signed in before it begins


def require_ends(definition: Definition, choices: Choices, begins: datetime) -> None:
    """Raise NotPossibleNow unless each wait until a date ends after the run begins."""
    for number in date_waits(definition):
        end = chosen_date(number, choices)
        if end is None or not begins < end <= begins + LONGEST_AHEAD:
            raise NotPossibleNow(_ENDS_BEFORE)


def run_or_404(access: OrgAccess, run_id: UUID) -> PlanRun:
    """Return a run of the organization, about somebody whom the operator may see."""
    runs = PlanRun.objects.select_related("starter", "organization__connection")
    run = runs.filter(organization=access.org, pk=run_id).first()
    if run is None or not access.sees_population(run.population_id):
        raise Http404("No such run.")
    return run


def require_each(access: OrgAccess, definition: Definition, choices: Choices) -> None:
    """Raise PermissionDenied unless this operator may do every action that would run."""
    if access.viewing_as is not None:
        raise PermissionDenied
    for _number, step in chosen_steps(definition, choices):
        access.require_to(step.of_catalogue)


def start(
    access: OrgAccess, person: User, plan: Start, circumstances: Circumstances, *, row: JobRow | None = None
) -> PlanRun:
    """Start a plan for a person as just read, or a newcomer. What comes first is done when this returns.

    `row`: that of the job that starts it, whose submission is the ID of the run: no row starts two.
    Raises PermissionDenied and NotPossibleNow.
    """
    if (plan.definition.kind is Kind.JOIN) != is_newcomer(person):
        raise PermissionDenied("a plan of the kind join creates its person, and no other does")
    access = access.again()
    plan = replace(plan, choices=completed(plan.definition, plan.choices))
    require_each(access, plan.definition, plan.choices)
    if not access.sees(person):
        raise Http404("No such user.")
    if (former := plan.brings_back) and (former.organization_id, former.person_id) != (access.org.pk, person.id):
        raise Http404("No such run of this user.")
    now = timezone.now()
    require_ends(plan.definition, plan.choices, plan.when.at if plan.when else now)
    circumstances = replace(circumstances, channel=AuditEntry.Channel.PLAN, met_at=now)
    _require_met(access, person, plan, circumstances)
    with unapproved():
        if row:
            approval.require_by_job(access, row.job_id, plan.definition, plan.choices)
            found = None
        else:
            found = approval.required(
                access, person, plan.definition, plan.choices, when=plan.when, circumstances=circumstances
            )
        run = _created(access, person, plan, circumstances, row=row, approved=found)
    if plan.when is None and _begins_at_once(plan.definition):
        engine.begin(run)
        run.refresh_from_db()
    return run


@contextmanager
def unapproved() -> Iterator[None]:
    """Raise NotPossibleNow for what is not approved."""
    try:
        yield
    except Unapproved as lacks:
        raise NotPossibleNow(lacks.reason, demanded=frozenset({Demand.APPROVAL}), asked=lacks.asked) from None


def _require_met(access: OrgAccess, person: User, plan: Start, circumstances: Circumstances) -> None:
    """Raise NotPossibleNow for a protected person, and unless each step passes what is asked before a user is read."""
    require_demands(access, None if is_newcomer(person) else person.id, plan, circumstances)
    affected, user = guards_affected(plan, person), None if is_newcomer(person) else person
    if affected and (found := judge.protection_of(access.org, access.pingone(), affected, user)):
        raise NotPossibleNow(format_lazy(_LEFT_ALONE, why=found.sentence))


def require_demands(access: OrgAccess, person_id: UUID | None, plan: Start, circumstances: Circumstances) -> None:
    """Raise NotPossibleNow unless each step passes what is asked before reading. `person_id` None: nobody yet."""
    for number, step in chosen_steps(plan.definition, plan.choices):
        if step.action == "mfa.bypass":
            continue  # its own form checks the time, when it runs
        inputs = _sample(step, plan.choices.get(str(number)) or {}, person_id)
        operation = UserOperation(action=step.of_catalogue, user_id=person_id, inputs=inputs)
        ruling = guards.before_reading(Attempt(access=access, operation=operation, circumstances=circumstances))
        if ruling.refusal:
            raise NotPossibleNow(ruling.refusal, demanded=ruling.demands)


def guards_affected(plan: Start, person: User) -> Any:
    """Return what the first action changes, by which the protection of the person is judged; None: no action."""
    for _number, step in chosen_steps(plan.definition, plan.choices):
        if step.action == CREATES:
            return step.of_catalogue.affected(None, _sample(step, plan.choices["1"], None))
        return replace(step.of_catalogue.affected(person.id, {}), groups=frozenset())
    return None


def _sample(step: ActionStep, chosen: Mapping[str, Any], person_id: UUID | None) -> dict[str, Any]:
    """Return inputs with which rules can be asked before the step's own are known."""
    if step.action == CREATES:
        return step.of_catalogue.inputs_on_record(dict(chosen))
    if step.of_catalogue.form.looks_at_schema:
        return {"changes": dict.fromkeys(map(our_name, fields_of(step, chosen)), "")}
    return dict.fromkeys(step.inputs, person_id)


def _begins_at_once(definition: Definition) -> bool:
    """Return whether something takes access away before the first wait, or the user is created."""
    if definition.kind is Kind.JOIN:
        return True
    for step in definition.steps:
        if isinstance(step, WaitStep):
            return False
        if isinstance(step, ActionStep) and takes_away(definition.kind, step.action):
            return True
    return False


def _created(
    access: OrgAccess,
    person: User,
    plan: Start,
    circumstances: Circumstances,
    *,
    row: JobRow | None,
    approved: ApprovalRequest | None,
) -> PlanRun:
    now = timezone.now()
    when = plan.when
    known = {PASSWORD, *(str(number) for number, _step in plan.definition.numbered())}
    try:
        with transaction.atomic():
            if plan.replaces:
                _cancel(access, run_or_404(access, plan.replaces))
            run = PlanRun.objects.create(
                id=row.submission if row else uuid4(),
                job=row.job if row else None,
                organization=access.org,
                version=plan.version,
                definition=plan.definition.as_json(),
                plan_slug=plan.definition.id,
                plan_name=plan.definition.name,
                brings_back=plan.brings_back,
                as_left=as_left(person) if plan.looks_first else {},
                person_id=None if is_newcomer(person) else person.id,
                person_name=person.username,
                person_full_name=person.name.whole,
                population_id=person.population_id,
                starter=access.operator,
                populations=None if access.populations is None else sorted(map(str, access.populations)),
                choices={number: dict(one) for number, one in plan.choices.items() if number in known and one},
                channel=circumstances.channel,
                ticket=circumstances.ticket,
                reason=circumstances.reason,
                source_address=circumstances.source_address,
                system_user=system_user.current(),
                signed_in_at=circumstances.signed_in_at,
                met_at=circumstances.met_at,
                passes_brake=circumstances.passes_brake,
                starts_at=when.at if when else now,
                starts_local=when.local if when else "",
                zone=when.zone if when else plan.zone,
                state=State.SCHEDULED if when else State.RUNNING,
            )
            approval.use(approved, run)
            numbers = range(1, len(plan.definition.steps) + 1)
            PlanRunStep.objects.bulk_create([PlanRunStep(run=run, number=number) for number in numbers])
            PlanWork.want(run, run.starts_at)
            record(run, "plan.scheduled" if when else "plan.started", access.operator, inputs=_told(run))
    except IntegrityError:
        other = open_run(access, person)
        if other is None:
            raise
        raise NotPossibleNow(
            format_lazy(_ANOTHER, plan=other.plan_name, person=other.person_name), other=other
        ) from None
    return run


def open_run(access: OrgAccess, person: User) -> PlanRun | None:
    """Return the open run of a person, or of a newcomer with this username."""
    runs = PlanRun.objects.filter(organization=access.org, state__in=PlanRun.OPEN)
    if is_newcomer(person):
        return runs.filter(person_id=None, person_name__iexact=person.username).first()
    return runs.filter(person_id=person.id).first()


def _told(run: PlanRun) -> dict[str, str]:
    return {"at": run.starts_at.isoformat(timespec="minutes"), "zone": run.zone} if run.starts_local else {}


def reschedule(access: OrgAccess, run: PlanRun, when: When | None) -> None:
    """Give a run that has not begun another time; None: now. Raises PermissionDenied, NotPossibleNow."""
    access = access.again()
    definition = read(run.definition)
    require_each(access, definition, run.choices)
    require_ends(definition, run.choices, when.at if when else timezone.now())
    with unapproved():
        approval.require_unbound(run)
    at = {
        "starts_at": when.at if when else timezone.now(),
        "starts_local": when.local if when else "",
        "zone": when.zone if when else run.zone,
    }
    with transaction.atomic():
        turn(run, (State.SCHEDULED,), State.SCHEDULED, **at)
        PlanWork.want(run, run.starts_at)
        record(run, "plan.rescheduled", access.operator, inputs=_told(run))


def may_decide(access: OrgAccess, run: PlanRun) -> bool:
    """Return whether this operator may have the run go on: they may do everything that is still to come."""
    try:
        require_each(access, left_of(run), run.choices)
    except PermissionDenied:
        return False
    return True


def may_cancel(access: OrgAccess, run: PlanRun) -> bool:
    is_own = run.starter_id == access.operator.pk
    return access.viewing_as is None and (is_own or access.is_org_admin or may_decide(access, run))


def left_of(run: PlanRun) -> Definition:
    """Return the plan with the steps that are still to come; the others are replaced by waits."""
    definition = read(run.definition)
    over = set(run.steps.filter(state__in=PlanRunStep.OVER).values_list("number", flat=True))
    steps = tuple(WaitStep(days=1) if number in over else step for number, step in definition.numbered())
    return replace(definition, steps=steps)


def resume(access: OrgAccess, run: PlanRun, circumstances: Circumstances) -> None:
    """Let a run that asks go on: what did not succeed is tried again. Whoever lets it go on takes it over.

    Raises PermissionDenied, NotPossibleNow.
    """
    access = access.again()
    left = left_of(run)
    require_each(access, left, run.choices)
    now = timezone.now()
    rows = run.steps.all()
    with transaction.atomic():
        if run.stop == Stop.BY_HAND:
            _done_by_hand(run)
        if run.stop == Stop.LATE:
            rows.filter(state=StepState.STARTED, due_at__lt=now).update(state=StepState.DONE)
        for row in rows.filter(state__in=(StepState.FAILED, StepState.REFUSED, StepState.UNKNOWN)):
            rows.filter(pk=row.pk).update(**row.next_attempt())
        changes: dict[str, Any] = {"stop": "", "stop_detail": "", "rounds": 0, "starter": access.operator}
        if run.stop == Stop.PERSON_CHANGED:
            changes["as_left"] = {}  # they were looked at: it goes on from here
        changes |= {"populations": None if access.populations is None else sorted(map(str, access.populations))}
        changes |= {"signed_in_at": circumstances.signed_in_at, "met_at": now}
        turn(run, (State.STOPPED,), State.RUNNING, **changes)
        record(run, "plan.resumed", access.operator)
        PlanWork.want(run)


def _done_by_hand(run: PlanRun) -> None:
    """Count the step that a person has to do as done, if the record says that somebody did it since the start."""
    row = run.steps.exclude(state__in=PlanRunStep.OVER).order_by("number").first()
    if row is None:
        return
    step = read(run.definition).steps[row.number - 1]
    if not isinstance(step, ActionStep):
        return
    found = AuditEntry.objects.filter(
        organization=run.organization,
        subject_id=str(run.person_id),
        action=step.action,
        outcome=AuditEntry.Outcome.SUCCEEDED,
        started_at__gte=run.created_at,
    ).first()
    if found is None:
        raise NotPossibleNow(format_lazy(_BY_HAND, action=step.of_catalogue.name))
    row.state, row.reached_at = StepState.DONE, timezone.now()
    row.targets = [{"inputs": {}, "name": "", "state": str(StepState.DONE), "detail": "", "entry": str(found.entry)}]
    row.save(update_fields=["state", "reached_at", "targets"])


def cancel(access: OrgAccess, run: PlanRun) -> None:
    """End a run: what has not begun stays undone. Raises PermissionDenied, NotPossibleNow."""
    access = access.again()
    with transaction.atomic():
        _cancel(access, run)


def _cancel(access: OrgAccess, run: PlanRun) -> None:
    if not may_cancel(access, run):
        raise PermissionDenied
    now = timezone.now()
    turn(run, PlanRun.OPEN, State.CANCELED, finished_at=now, delete_after=now + engine.KEPT_FOR)
    record(run, "plan.canceled", access.operator)


def turn(run: PlanRun, before: Iterable[PlanRun.State], after: PlanRun.State, **changes: Any) -> None:
    """Change the state, in one conditional UPDATE. Raises NotPossibleNow if somebody else was quicker."""
    changes["state"] = after
    if not PlanRun.objects.filter(pk=run.pk, state__in=tuple(before)).update(**changes):
        raise NotPossibleNow(_NOT_NOW)
    for name, value in changes.items():
        setattr(run, name, value)
