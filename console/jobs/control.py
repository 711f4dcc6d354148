"""What operators decide about a job: the preview, the start, pausing, resuming, canceling, and trying again."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, F
from django.http import Http404
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.actions import demands
from console.actions.action import Json
from console.actions.catalogue import BY_KEY
from console.actions.demands import Demand
from console.approvals.unapproved import Unapproved
from console.audit import entries, system_user
from console.audit.entries import Circumstances, Subject
from console.jobs import approval, deletion
from console.jobs.drafts import require_to_prepare
from console.jobs.limits import left_today, require_size
from console.jobs.plan_action import PlanAction, action_of
from console.jobs.row_choice import key_of, runnable
from console.models import ApprovalRequest, AuditEntry, Job, JobRow, JobWork, Operator
from console.perform import guards
from console.perform.guards import Attempt
from console.perform.user_operation import UserOperation
from console.plans import runs
from pingone_integration.texts import Text

State, Decision = Job.State, JobRow.Decision
RETRIED = (JobRow.State.FAILED, JobRow.State.REFUSED, JobRow.State.CONFLICT)

_NOTHING = _("No row of this job would change anything.")
_CHANGED = _("The list may be cut off. Confirm how many people it is about: {count}.")
_NOT_NOW = _("The job is not in a state in which this is possible. Reload the page.")
_PAST = _("The time of this job is past. Make a new job, to run it now or at a later time.")
_ANOTHER = _("Another org admin has to let the job go on: {admins}.")
_STARTED = _("The job has started: its rows cannot be chosen anymore.")
_CHOSEN = _("The rows were chosen in another way just now. Look at them again.")
_ASKED_FOR = _("Approval of exactly these rows is asked for. Withdraw the request first.")
_TOO_MANY_TODAY = _("Your role has {left} rows of jobs left for today.")


class NotPossibleNow(Exception):
    """What an operator asked of a job cannot be done: the reason, and what would meet it."""

    def __init__(self, reason: Text, *, demanded: frozenset[Demand] = frozenset(), asked: UUID | None = None) -> None:
        super().__init__(reason)
        self.reason, self.demanded = reason, demanded
        self.asked = asked  # the request for an approval that was made instead


def job_or_404(access: OrgAccess, job_id: UUID) -> Job:
    """Return a job of the organization. A narrowed operator sees their own only."""
    jobs = Job.objects.select_related("starter", "approver").filter(organization=access.org, pk=job_id)
    job = (jobs.filter(starter=access.operator) if access.is_narrowed else jobs).first()
    if job is None:
        raise Http404("No such job.")
    return job


def start_dry_run(access: OrgAccess, job: Job) -> None:
    """Let the worker make the preview. Raises PermissionDenied, NotPossibleNow."""
    require_own(access, job)
    _turn(job, (State.DRAFT,), State.READING, pause="", pause_detail="")
    JobWork.want(job)


def start(
    access: OrgAccess, job: Job, circumstances: Circumstances, *, first: int | None = None, people: int | None = None
) -> None:
    """Start a job that was previewed, with the ticket, the reason and the sign-in of `circumstances`, which it keeps.

    `first`: run so many rows, then pause. `people`: the confirmed number of people, if the list is possibly cut.
    Raises PermissionDenied, TooManyRows and NotPossibleNow.
    """
    require_own(access, job)
    rows = job.rows.filter(runnable(job)).order_by("number")
    count = rows.count()
    if not count:
        raise NotPossibleNow(_NOTHING)
    require_size(access, job.rows.count())
    if job.is_possibly_cut and people != (listed := job.rows.count()):
        raise NotPossibleNow(format_lazy(_CHANGED, count=listed))
    if not (left := left_today(access)):
        raise NotPossibleNow(format_lazy(_TOO_MANY_TODAY, left=left))
    now = timezone.now()
    circumstances = replace(circumstances, channel=AuditEntry.Channel.JOB, met_at=now)
    for some in (rows.filter(decision=Decision.UPDATE), rows.exclude(decision=Decision.UPDATE)):
        if example := some.first():
            _require_met(access, job, example, circumstances)
    chosen = _chosen(job)
    with _unapproved():
        approved = approval.required(access, job, circumstances)
    with _unapproved(), transaction.atomic():
        if not _held(job) or _chosen(job) != chosen:
            raise NotPossibleNow(_CHOSEN)
        approval.use(approved, job)
        _turn(
            job,
            (State.PREVIEWED,),
            State.RUNNING,
            **_passed_by(approved),
            ticket=circumstances.ticket,
            reason=circumstances.reason,
            source_address=circumstances.source_address,
            system_user=system_user.current(),
            signed_in_at=circumstances.signed_in_at,
            met_at=now,
            started_at=now,
            stop_after=first,
        )
        record(job, "job.started", access.operator, inputs={"rows": count})
        JobWork.want(job)


@contextmanager
def choosing(job: Job) -> Iterator[None]:
    """Hold a preview while its rows are chosen: a start waits for that, and what it starts is what was chosen.

    Raises NotPossibleNow once it has started, and while somebody is asked to approve what it shows.
    """
    with transaction.atomic():
        if not _held(job):
            raise NotPossibleNow(_STARTED)
        if approval.open_request(job):
            raise NotPossibleNow(_ASKED_FOR)
        yield


def _held(job: Job) -> bool:
    """Lock the job until the transaction ends. Return whether it is a preview."""
    held = Job.objects.select_for_update().filter(pk=job.pk).values_list("state", flat=True).first()
    return held == State.PREVIEWED


def _chosen(job: Job) -> dict[str, int]:
    """Return how many rows would run, by what was decided about them."""
    rows = job.rows.filter(runnable(job)).order_by()
    return dict(rows.values_list("decision").annotate(count=Count("pk")))


@contextmanager
def _unapproved() -> Iterator[None]:
    """Raise NotPossibleNow for what is not approved."""
    try:
        yield
    except Unapproved as lacks:
        raise NotPossibleNow(lacks.reason, demanded=frozenset({Demand.APPROVAL}), asked=lacks.asked) from None


def _approval_of_rest(access: OrgAccess, job: Job) -> ApprovalRequest | None:
    """Return the approval that the rest of a job needs: its own has lapsed, or the demand is newer than its start."""
    if not job.started_at:
        return None
    with _unapproved():
        return approval.required(access, job, Circumstances())


def _passed_by(approved: ApprovalRequest | None) -> dict[str, Any]:
    """Return what lets the job pass the brake: another org admin has approved it already."""
    if approved is None or approved.approver not in approved.organization.org_admins():
        return {}
    return {"approver": approved.approver, "approved_at": timezone.now()}


def ask_approval(access: OrgAccess, job: Job, circumstances: Circumstances) -> None:
    """Ask for the approval of a job that has paused. Raises NotPossibleNow, with the request."""
    require_own(access, job)
    with _unapproved():
        approval.required(access, job, replace(circumstances, asks_approval=True))


def _require_met(access: OrgAccess, job: Job, example: JobRow, circumstances: Circumstances) -> None:
    """Raise NotPossibleNow unless a row like this one passes what is asked before a user is read."""
    if isinstance(does := action_of(job), PlanAction):
        _require_demands(access, example, does, circumstances)
        return
    action = BY_KEY[key_of(job, example)]
    operation = UserOperation(action=action, user_id=example.user_id, inputs=action.inputs_on_record(example.inputs))
    ruling = guards.before_reading(Attempt(access=access, operation=operation, circumstances=circumstances))
    if ruling.refusal:
        raise NotPossibleNow(ruling.refusal, demanded=ruling.demands)


def _require_demands(access: OrgAccess, example: JobRow, does: PlanAction, circumstances: Circumstances) -> None:
    """Raise NotPossibleNow unless the plan may start, and be at its time."""
    when = does.when
    if when and when.at <= timezone.now():
        raise NotPossibleNow(_PAST)
    try:
        plan = does.start(None)
        runs.require_ends(plan.definition, plan.choices, when.at if when else timezone.now())
        if example.user_id:
            runs.require_demands(access, example.user_id, plan, circumstances)
    except runs.NotPossibleNow as refusal:
        raise NotPossibleNow(refusal.reason, demanded=refusal.demanded) from None


def pause(access: OrgAccess, job: Job) -> None:
    """Pause: the row at hand is finished. Every org admin may, and the starter. Raises as `start_dry_run`."""
    _require_control(access, job)
    _turn(job, (State.RUNNING,), State.PAUSED, pause=Job.Pause.ASKED, pause_detail="")
    record(job, "job.paused", access.operator)


def resume(access: OrgAccess, job: Job, *, first: int | None = None) -> None:
    """Go on, with `first` for so many more rows. Only the starter may: the job runs with their rights."""
    require_own(access, job)
    stop_after = None if first is None else reached(job) + first
    again = State.RUNNING if job.started_at else State.READING  # what was not started makes its preview first
    approved = _approval_of_rest(access, job)
    with _unapproved(), transaction.atomic():
        approval.use(approved, job)
        _turn(job, (State.PAUSED,), again, pause="", pause_detail="", failing_rows=0, stop_after=stop_after)
        record(job, "job.resumed", access.operator)
        JobWork.want(job)


def cancel(access: OrgAccess, job: Job) -> None:
    """End the job. Rows that were not reached stay untouched. Every org admin may, and the starter."""
    _require_control(access, job)
    open_states = (State.DRAFT, State.READING, State.PREVIEWED, State.RUNNING, State.PAUSED, State.WAITING)
    _turn(job, open_states, State.CANCELED, finished_at=timezone.now(), delete_after=deletion.due())
    record(job, "job.canceled", access.operator)


def retry_failed(access: OrgAccess, job: Job) -> int:
    """Run the rows again that failed, were refused or stopped. Return how many.

    An unknown outcome is never repeated. What was met at the start still counts.
    """
    require_own(access, job)
    rows = job.rows.filter(state__in=RETRIED)
    approved = _approval_of_rest(access, job)
    with _unapproved(), transaction.atomic():
        _turn(job, (State.FINISHED, State.PAUSED), State.RUNNING, pause="", failing_rows=0, stop_after=None)
        again = {"state": JobRow.State.NOT_REACHED, "attempt": F("attempt") + 1, "entry": None, "detail": ""}
        count = rows.update(**again)
        if not count:
            raise NotPossibleNow(_NOTHING)
        approval.use(approved, job)
        Job.objects.filter(pk=job.pk).update(finished_at=None, delete_after=None)
        record(job, "job.resumed", access.operator, inputs={"retried": count})
        JobWork.want(job)
    return count


def let_pass(access: OrgAccess, job: Job, circumstances: Circumstances) -> None:
    """Let a job pass the brake on mass change. It takes another org admin than the starter, where there is one.

    The only org admin does so with a fresh sign-in. Raises PermissionDenied, NotPossibleNow.
    """
    access.require(Permission.MANAGE_POLICIES)
    if job.organization_id != access.org.pk:
        raise PermissionDenied
    others = list(job.organization.org_admins().exclude(pk=job.starter_id).order_by("email"))
    if others and access.operator not in others:
        raise NotPossibleNow(format_lazy(_ANOTHER, admins=", ".join(admin.email for admin in others)))
    if not others:
        left = demands.unmet({Demand.FRESH_SIGN_IN}, reason="", signed_in_at=circumstances.signed_in_at)
        if left:
            raise NotPossibleNow(demands.problem_with(left), demanded=left)
    with transaction.atomic():
        _turn(
            job, (State.WAITING,), State.RUNNING, approver=access.operator, approved_at=timezone.now(), pause_detail=""
        )
        record(job, "job.let-pass", access.operator, inputs=job.approval)
        JobWork.want(job)


def reached(job: Job) -> int:
    return job.rows.exclude(state=JobRow.State.NOT_REACHED).count()


def record(job: Job, event: str, operator: Operator, *, inputs: Json | None = None, reason: Text = "") -> None:
    """Record what happened to a job as a whole."""
    action = action_of(job)
    entries.record(
        job.organization,
        event,
        subject=Subject(kind=AuditEntry.Subject.JOB, id=job.pk, name=action.name),
        operator=operator,
        source_address=job.source_address,
        inputs={"job_action": job.action} | (inputs or {}),
        reason=reason,
    )


def require_own(access: OrgAccess, job: Job) -> None:
    """Require the starter, with the rights to prepare it: a job runs with their rights, and with no other's."""
    require_to_prepare(access, action_of(job))
    if job.starter_id != access.operator.pk or job.organization_id != access.org.pk:
        raise PermissionDenied


def _require_control(access: OrgAccess, job: Job) -> None:
    access.require(Permission.RUN_JOBS)
    is_own = job.starter_id == access.operator.pk
    if job.organization_id != access.org.pk or not (is_own or access.membership.is_org_admin):
        raise PermissionDenied


def _turn(job: Job, before: Iterable[Job.State], after: Job.State, **changes: Any) -> None:
    """Change the state, in one conditional UPDATE. Raises NotPossibleNow if somebody else was quicker."""
    changes["state"] = after
    if not Job.objects.filter(pk=job.pk, state__in=before).update(**changes):
        raise NotPossibleNow(_NOT_NOW)
    for name, value in changes.items():
        setattr(job, name, value)
