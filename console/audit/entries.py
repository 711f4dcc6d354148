"""Writing the audit log: an action is recorded before it runs, and its outcome afterwards.

Every row also goes to the process log as one JSON line: see lines.py.
A form's `submission` is its idempotency key: a double-submit has one effect.
Rows and lines are in English. Pages translate what they show.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import THEMSELF, Actor
from console.audit import system_user
from console.audit.chain import append
from console.audit.lines import logged, plain
from console.failures.next_step import resolution_of
from console.models import AuditEntry, Operator, Organization
from console.models.audit import FIELDS
from pingone_integration.calls import transaction_id
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text, english
from pingone_integration.values import printable, text

Outcome = AuditEntry.Outcome
Json = dict[str, Any]

LONGEST_NAME = 500  # characters; PostgreSQL's limit for an indexed value is not far above

# The events in the log besides the actions of the catalogue: key to wording.
EVENTS: dict[str, Text] = {
    "operator.signed-in": _("Signed in"),
    "operator.sign-in-failed": _("Sign-in failed"),
    "operator.signed-out": _("Signed out"),
    "connection.settings-changed": _("Connection settings changed"),
    "connection.connected": _("Connected to PingOne"),
    "connection.connect-failed": _("Failed to connect to PingOne"),
    "connection.environment-chosen": _("Managed environment chosen"),
    "connection.disconnected": _("Disconnected from PingOne"),
    "group.members-exported": _("Group members exported"),
    "invitation.sent": _("Invitation sent"),
    "invitation.sent-again": _("Invitation sent again"),
    "invitation.withdrawn": _("Invitation withdrawn"),
    "membership.added": _("Member added"),
    "membership.role-changed": _("Member role changed"),
    "membership.populations-changed": _("Member's populations changed"),
    "membership.removed": _("Member removed"),
    "membership.suspended": _("Member suspended"),
    "membership.reactivated": _("Member reactivated"),
    "membership.sessions-ended": _("Member's sessions ended"),
    "protection.marked": _("Marked as protected"),
    "protection.to-end": _("Protection ends in a day"),
    "protection.unmarked": _("No longer marked as protected"),
    "policy.changed": _("Ticket rule changed"),
    "recovery.rules-changed": _("Rules of account recovery changed"),
    "recovery.settings-changed": _("Settings of account recovery changed"),
    "policy.pattern-dropped": _("Ticket pattern dropped"),
    "role.created": _("Role created"),
    "role.changed": _("Role changed"),
    "role.renamed": _("Role renamed"),
    "role.deleted": _("Role deleted"),
    "second-factor.reset-asked": _("Reset of a second factor asked for"),
    "second-factor.reset-stopped": _("Reset of a second factor stopped"),
    "second-factor.reset": _("Second factor reset"),
    "approval.asked": _("Asked for approval"),
    "approval.given": _("Approved"),
    "approval.declined": _("Approval declined"),
    "approval.withdrawn": _("Request for approval withdrawn"),
    "approval.glass-broken": _("Break glass: asked to do without an approval"),
    "approval.rules-changed": _("Rules of approvals changed"),
    "approval.change-asked": _("Weaker rules of approvals asked for"),
    "approval.change-stopped": _("Weaker rules of approvals stopped"),
    "second-factor.policy-changed": _("Policy of second factors changed"),
    "single-sign-on.group-mapped": _("Group mapped to a role"),
    "single-sign-on.group-unmapped": _("Group no longer mapped to a role"),
    "single-sign-on.demand-changed": _("Demand of single sign-on changed"),
    "lock-down.started": _("Lock down started"),
    "lock-down.ended": _("Lock down ended"),
    "member.viewed-as": _("Viewing as a member started"),
    "member.view-ended": _("Viewing as a member ended"),
    "audit.exported": _("Audit log exported"),
    "organization.settings-changed": _("Organization settings changed"),
    "operator.sign-in-throttled": _("Sign-in refused after too many attempts"),
    "operator.password-changed": _("Operator's password changed"),
    "operator.password-reset-requested": _("Operator's password reset requested"),
    "operator.password-reset": _("Operator's password reset"),
    "operator.factor-added": _("Second factor added"),
    "operator.factor-removed": _("Second factor removed"),
    "operator.recovery-codes-created": _("New recovery codes created"),
    "operator.sessions-ended": _("Operator's other sessions ended"),
    "operator.identity-linked": _("Account linked to the identity provider"),
    "operator.identity-unlinked": _("Account no longer linked to the identity provider"),
    "operator.break-glass-changed": _("Break-glass account changed"),
    "access.refused": _("Not allowed"),
    "job.downloaded": _("Rows of a job downloaded"),
    "limit.changed": _("Limit changed"),
    "limit.lifted": _("Limit lifted"),
    "limit.alarm": _("Alarm: many people looked at"),
    "job.started": _("Job started"),
    "job.paused": _("Job paused"),
    "job.resumed": _("Job resumed"),
    "job.braked": _("Job stopped by the brake on mass change"),
    "job.let-pass": _("Job let pass the brake on mass change"),
    "job.canceled": _("Job canceled"),
    "job.finished": _("Job finished"),
    "plan.scheduled": _("Plan scheduled"),
    "plan.started": _("Plan started"),
    "plan.rescheduled": _("Date of a plan changed"),
    "plan.stopped": _("Plan stopped, and asks"),
    "plan.resumed": _("Plan resumed"),
    "plan.taken-over": _("Plan taken over"),
    "plan.canceled": _("Plan canceled"),
    "plan.finished": _("Plan finished"),
    "plan.emailed": _("Email of a plan written"),
    "template.created": _("Template created"),
    "template.changed": _("Template changed"),
    "template.deleted": _("Template deleted"),
    "crawls.switched-on": _("Crawls switched on"),
    "crawls.switched-off": _("Crawls switched off"),
    "crawl.accepted": _("Crawl accepted"),
    "inactive.exported": _("Inactive users exported"),
    "rule.created": _("Rule created"),
    "rule.changed": _("Rule changed"),
    "rule.deleted": _("Rule deleted"),
    "rule.switched-on": _("Rule switched on"),
    "rule.switched-off": _("Rule switched off"),
    "rule.stopped": _("Rule stopped, and asks"),
    "rule.resumed": _("Rule resumed"),
    "rule.let-pass": _("Rule let pass the brake on mass change"),
    "plan-version.saved": _("Plan saved"),
    "plan-version.deleted": _("Plan deleted"),
    "user.protected-page-read": _("Page of a protected user read"),
    "user.reported-not-me": _("The user said: this was not me"),
    "recovery.code-sent": _("Recovery: code sent"),
    "recovery.usernames-sent": _("Recovery: usernames sent"),
    "recovery.refused": _("Recovery: refused"),
    "recovery.proven": _("Recovery: code accepted"),
    "recovery.device-proven": _("Recovery: device confirmed"),
    "recovery.released": _("Recovery: limits lifted"),
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The user, group or other thing that an entry is about, with the names at that time."""

    kind: AuditEntry.Subject
    id: UUID | str = ""
    name: Text = ""
    full_name: str = ""  # of a user
    email: str = ""  # of a user
    population_id: UUID | None = None  # of a user; None if it was not read: narrowed operators do not see the entry


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """The channel, source address and reason of an action."""

    channel: AuditEntry.Channel = AuditEntry.Channel.PAGE
    source_address: str = ""  # IP address; empty on the command line
    ticket: str = ""
    reason: str = ""
    submission: UUID = field(default_factory=uuid4)  # of the form: a repeat is the same action, not another
    undoes: UUID | None = None  # the entry that this action undoes
    signed_in_at: datetime | None = None  # the operator, lately, in this browser session; None: there is none
    met_at: datetime | None = None  # of a job: when its start met what was demanded; None: now
    passes_brake: bool = False  # an org admin let the job pass the brake on mass change
    run: UUID | None = None  # of a plan
    asks_approval: bool = False  # do nothing: ask a second person
    under: UUID | None = None  # the job or run that it is part of, which a second person may have approved
    path: str = ""  # of the form, to which an approval leads back
    typed: Mapping[str, Any] = field(default_factory=dict)  # into the form


def record(
    organization: Organization | None,
    event: str,
    *,
    subject: Subject,
    operator: Operator | None = None,
    by_user: bool = False,
    by_plan: bool = False,
    source_address: str = "",
    outcome: AuditEntry.Outcome = Outcome.SUCCEEDED,
    inputs: Mapping[str, Any] | None = None,
    before: Json | None = None,
    after: Json | None = None,
    error: PingOneError | None = None,
    reason: Text = "",
    run: UUID | None = None,
) -> AuditEntry:
    """Record an event of EVENTS that is already over: a sign-in, an export, a change of connection, members, policies.

    Inside a transaction the row is committed or rolled back with the change. `operator` None: an unknown person, or
    the user themself if `by_user`, or a plan that goes on by itself if `by_plan`.
    `organization` None: about a person without one, in the server's own chain. The values must not include a secret.
    """
    if event not in EVENTS:
        raise ValueError(f"{event} is not one of console.audit.entries.EVENTS")
    row = AuditEntry(
        organization=organization,
        entry=transaction_id.take(),
        outcome=outcome,
        action=event,
        source_address=source_address,
        run=run,
        reason=text(english(reason)),
        inputs=storable(inputs or {}),
        before=storable(before),
        after=storable(after),
        actor=_kind_of(operator, by_user=by_user, by_plan=by_plan),
        **_person(operator),
        **_about(subject),
        **_said(error),
    )
    return logged(append(row, durable=False))


def _kind_of(operator: Operator | None, *, by_user: bool, by_plan: bool) -> str:
    if operator:
        return AuditEntry.Actor.OPERATOR
    return THEMSELF.kind if by_user else AuditEntry.Actor.ORGANIZATION if by_plan else ""


def start(
    organization: Organization,
    actor: Actor,
    action: str,
    subject: Subject,
    *,
    entry: UUID,
    circumstances: Circumstances,
    inputs: Mapping[str, Any],
    before: Json | None,
    check: Callable[[AuditEntry], None] | None = None,
) -> AuditEntry | None:
    """Record that an action is about to run. The row is committed on return.

    Return None, and add nothing, if the same form was submitted before. `check` sees the row while no other can be
    added; if it raises, nothing is added.
    """
    row = _first(organization, actor, action, subject, circumstances=circumstances, inputs=inputs)
    row.entry, row.outcome, row.before = entry, Outcome.STARTED, storable(before)
    return _unless_submitted(row, actor, circumstances, check)


def refuse(
    organization: Organization,
    actor: Actor,
    action: str,
    subject: Subject,
    *,
    circumstances: Circumstances,
    inputs: Mapping[str, Any],
    reason: Text,
) -> AuditEntry | None:
    """Record that the console refused an action before it sent anything, for the `reason` given.

    Return None, and add nothing, if the same form was submitted before.
    """
    row = _first(organization, actor, action, subject, circumstances=circumstances, inputs=inputs)
    row.entry, row.outcome, row.note = transaction_id.take(), Outcome.REFUSED, text(english(reason))
    return _unless_submitted(row, actor, circumstances)


def submitted(organization: Organization, actor: Actor, submission: UUID) -> AuditEntry | None:
    """Return the latest row of the entry that this actor's form made before, or None if it made none."""
    first = AuditEntry.objects.filter(organization=organization, operator=actor.operator, submission=submission).first()
    return AuditEntry.objects.current().get(entry=first.entry) if first else None


def close(
    row: AuditEntry,
    outcome: AuditEntry.Outcome,
    *,
    error: PingOneError | None = None,
    subject: Subject | None = None,
    after: Json | None = None,
    note: Text = "",
    durable: bool = True,
) -> AuditEntry:
    """Add the next row to the entry of `row`, its latest row. If `durable`, the new row is committed on return.

    Pass `subject` if it was unknown at the start: a user who did not exist yet.
    """
    more = {
        "after": storable(after),
        "note": text(english(note or own_words(error))),
        **(_about(subject) if subject else {}),
        **_said(error),
    }
    closing = AuditEntry(
        outcome=outcome,
        revision=row.revision + 1,
        **{name: getattr(row, name) for name in _REPEATED if name not in more},
        **more,
    )
    return logged(append(closing, durable=durable))


# The columns that every row of an entry repeats: who, why, to whom. The others belong to one row.
_OF_ONE_ROW = {"id", "sequence", "previous_hash", "hash", "revision", "outcome", "at", "submission"}
_OF_OUTCOME = {"after", "error_kind", "error_id", "correlation_id", "note"}
_REPEATED = tuple(name for name in FIELDS if name not in _OF_ONE_ROW | _OF_OUTCOME)


def _first(
    organization: Organization,
    actor: Actor,
    action: str,
    subject: Subject,
    *,
    circumstances: Circumstances,
    inputs: Mapping[str, Any],
) -> AuditEntry:
    """Return the unsaved first row of an entry."""
    return AuditEntry(
        organization=organization,
        action=action,
        channel=circumstances.channel,
        source_address=circumstances.source_address,
        ticket=text(circumstances.ticket),
        reason=text(circumstances.reason),
        submission=circumstances.submission,
        undoes=circumstances.undoes,
        run=circumstances.run,
        inputs=storable(inputs),
        actor=actor.kind,
        **_person(actor.operator),
        **_about(_named(organization, subject)),
    )


def _unless_submitted(
    row: AuditEntry, actor: Actor, circumstances: Circumstances, check: Callable[[AuditEntry], None] | None = None
) -> AuditEntry | None:
    try:
        return logged(append(row, durable=True, check=check))
    except IntegrityError:
        if row.organization and submitted(row.organization, actor, circumstances.submission):
            return None
        # Keys are random, so only a forged request has the key of somebody else's form.
        raise SuspiciousOperation("The idempotency key belongs to another operator.") from None


def _person(operator: Operator | None) -> Json:
    return {
        "operator": operator,
        "operator_email": operator.email if operator else "",
        "system_user": system_user.current()[:64],
    }


def _about(subject: Subject) -> Json:
    return {
        "subject_kind": subject.kind,
        "subject_id": str(subject.id),
        "subject_name": text(english(subject.name))[:LONGEST_NAME],
        "subject_full_name": text(subject.full_name)[:LONGEST_NAME],
        "subject_email": text(subject.email)[:LONGEST_NAME],
        "subject_population": subject.population_id,
    }


def _named(organization: Organization, subject: Subject) -> Subject:
    """Return the subject with the names in its last entry if PingOne was not asked for them."""
    if subject.name or not subject.id:
        return subject
    known = AuditEntry.objects.filter(organization=organization, subject_id=str(subject.id)).order_by("-sequence")
    last = known.exclude(subject_name="").first()
    if last is None or last.subject_kind != subject.kind:
        return subject
    return replace(subject, name=last.subject_name, full_name=last.subject_full_name, email=last.subject_email)


def own_words(error: PingOneError | None) -> Text:
    """Return the error's own cause and resolution, or "" if its kind, which is recorded anyway, says the same."""
    if error is None or error.cause == type(error).cause:
        return ""
    return format_lazy("{} {}", error.cause, resolution_of(error))


def _said(error: PingOneError | None) -> Json:
    if error is None:
        return {"error_kind": "", "error_id": "", "correlation_id": ""}
    return {
        "error_kind": error.kind,
        "error_id": text(error.trace.error_id or "")[:100],
        "correlation_id": text(error.trace.correlation_id or "")[:100],
    }


def storable(values: Any) -> Any:
    """Return the values as JSON that every database returns unchanged. Translated texts become English."""
    return None if values is None else printable(json.loads(json.dumps(values, default=plain)))
