"""The approval of a second person for a job: of its dry run, row by row."""

import json

from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.approvals import job_rows, requests
from console.approvals.effects import Effects, Kind
from console.approvals.requests import NotUsable
from console.approvals.rules import EVERY_PLAN, rules_of
from console.approvals.unapproved import ASKED, NOT_DEMANDED, Unapproved
from console.audit.entries import Circumstances, Subject
from console.jobs.plan_action import PlanAction, action_of, keys_of
from console.jobs.row_choice import UPDATE, to_be_run
from console.models import ApprovalRequest, ApprovedRows, AuditEntry, Job, JobRow
from console.rights.permissions import Permission
from pingone_integration.texts import english

_AT_ONCE = 500  # rows
SHOWN = 100  # rows on the request; the job's page has all

_NEEDED = _("This job needs the approval of a second person.")
_TOO_MANY = _("{fallen} of {count} rows are not as they were approved. Ask for approval again.")
_ROWS = ngettext_lazy("{count} row would run", "{count} rows would run", "count")
_FELL_OUT = "Not as it was approved."  # stored
LAPSED = "More than 5 % of the rows were not as they were approved."  # stored


def is_demanded(access: OrgAccess, job: Job) -> bool:
    """Return whether the organization asks for it, by the action or by the size. No query unless it asks for some."""
    rules, action = rules_of(access.org), action_of(job)
    if rules.demand(keys_of(action)):
        return True
    if isinstance(action, PlanAction) and not rules.plans.isdisjoint({EVERY_PLAN, action.definition.id}):
        return True
    if rules.demand([UPDATE]) and job.rows.filter(decision=JobRow.Decision.UPDATE).exists():
        return True
    return rules.job_rows is not None and to_be_run(job).count() >= rules.job_rows


def open_request(job: Job) -> ApprovalRequest | None:
    """Return the request for the approval of this job that is open, or approved and not used yet."""
    now = timezone.now()
    open_or_approved = Q(state=ApprovalRequest.State.OPEN, expires_at__gt=now) | requests.usable(now)
    return ApprovalRequest.objects.filter(open_or_approved, about=job.pk).order_by("-asked_at").first()


def required(access: OrgAccess, job: Job, circumstances: Circumstances) -> ApprovalRequest | None:
    """Return the approval that a start or resume uses up; None: there is one already, or none is demanded.

    Raises Unapproved.
    """
    if not is_demanded(access, job):
        if circumstances.asks_approval:
            raise Unapproved(NOT_DEMANDED)
        return None
    effects = _effects(access, job)
    try:
        if not circumstances.asks_approval and all(
            requests.covering(access, job.pk, key) for key in keys_of(action_of(job))
        ):
            return None
        found = None if circumstances.asks_approval else requests.find(access, effects)
        if circumstances.asks_approval:
            raise Unapproved(ASKED, asked=_ask(access, job, effects, circumstances).pk)
    except NotUsable as lost:
        raise Unapproved(lost.reason) from None
    if found is None:
        raise Unapproved(_NEEDED)
    return found


def use(approval: ApprovalRequest | None, job: Job) -> None:
    """Use the approval up for this job. Rows that are not as they were shown fall out. Raises Unapproved."""
    if approval is None:
        return
    approved = job_rows.unpacked(bytes(approval.rows.digests))
    changed, added = job_rows.fallen_out(approved, _digests(job))
    if job_rows.are_too_many(len(changed), approval.rows.count):
        raise Unapproved(format_lazy(_TOO_MANY, fallen=len(changed), count=approval.rows.count))
    fallen = [*changed, *added]
    for start in range(0, len(fallen), _AT_ONCE):
        some = fallen[start : start + _AT_ONCE]
        job.rows.filter(number__in=some).update(left_out=True, detail=_FELL_OUT)
    try:
        requests.use(approval, about=job.pk)
    except NotUsable as gone:
        raise Unapproved(gone.reason) from None


def lapses(job: Job) -> bool:
    """Return whether so many rows were found changed at PingOne that the job has to be asked for again."""
    found = ApprovalRequest.objects.filter(about=job.pk, state=ApprovalRequest.State.USED).select_related("rows")
    if not (request := found.order_by("-used_at").first()):
        return False
    fallen = job.rows.filter(state=JobRow.State.CONFLICT, reached_at__gt=request.used_at).count()
    if not job_rows.are_too_many(fallen, request.rows.count):
        return False
    ApprovalRequest.objects.filter(pk=request.pk).update(state=ApprovalRequest.State.LAPSED)
    return True


def _ask(access: OrgAccess, job: Job, effects: Effects, circumstances: Circumstances) -> ApprovalRequest:
    """Make the request, with the rows as they are now: also one that is there already, and shown again."""
    request = requests.ask(access, effects, circumstances)
    digests = _digests(job)
    kept = {"digests": job_rows.packed(digests), "count": len(digests)}
    ApprovedRows.objects.get_or_create(request=request, defaults=kept)
    return request


def _effects(access: OrgAccess, job: Job) -> Effects:
    rows = to_be_run(job).order_by("number")
    action = action_of(job)
    keys = {*keys_of(action)} | ({UPDATE} if rows.filter(decision=JobRow.Decision.UPDATE).exists() else set())
    count = rows.count()
    lines = [{"title": english(format_lazy(_ROWS.format(count=count), count=count)), "told": "", "detail": ""}]
    lines += [_as_shown(row) for row in rows[:SHOWN]]
    return Effects(
        kind=Kind.JOB,
        name=action.name,
        needs=(*sorted((key, str(BY_KEY[key].permission)) for key in keys), ("", str(Permission.RUN_JOBS))),
        subject=Subject(kind=AuditEntry.Subject.JOB, id=job.pk, name=action.name),
        populations=frozenset(),  # only members who see all users look at all rows
        about=job.pk,
        inputs=job.inputs,
        lines=tuple(lines),
        bound=[job.action, job.inputs, job.plan, sorted(keys)],
    )


def _as_shown(row: JobRow) -> dict[str, str]:
    changes = row.shown.get("changes") or {}
    detail = "; ".join(f"{name}: {old} → {new}" for name, (old, new) in changes.items())
    return {"title": row.label or row.key, "told": str(row.verdict), "detail": detail}


def _digests(job: Job) -> dict[int, bytes]:
    """Return the digests of the rows that would run, by number."""
    columns = ("number", "user_id", "decision", "inputs", "shown", "undone_entry", "label")
    rows = to_be_run(job).values_list(*columns)
    return {row[0]: job_rows.digest(json.dumps(row, sort_keys=True, default=str)) for row in rows.iterator()}
