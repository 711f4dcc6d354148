"""Writing the audit log: an action is recorded before it runs, and its outcome afterwards.

Every row also goes to the process log as one JSON line, for a SIEM. The line holds people, IDs, the outcome, and the
row's hash, which anchors the hash chain outside this database. It holds no values of a user's profile.
A form's `submission` is its idempotency key: a double-submit has one effect.
Rows and lines are in English. Pages translate what they show.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.access import Actor
from console.audit.chain import append
from console.audit.objects import exported_object_of
from console.failures.next_step import resolution_of
from console.models import AuditEntry, Operator, Organization
from console.models.audit import EXPORTED, FIELDS
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text, english
from pingone_integration.values import printable, text

logger = logging.getLogger("console.audit.entries")

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
    "membership.added": _("Member added"),
    "membership.role-changed": _("Member role changed"),
    "membership.populations-changed": _("Member's populations changed"),
    "membership.removed": _("Member removed"),
    "policy.changed": _("Ticket rule changed"),
    "audit.exported": _("Audit log exported"),
    "organization.settings-changed": _("Organization settings changed"),
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


def record(
    organization: Organization,
    event: str,
    *,
    subject: Subject,
    operator: Operator | None = None,
    source_address: str = "",
    succeeded: bool = True,
    inputs: Mapping[str, Any] | None = None,
    before: Json | None = None,
    after: Json | None = None,
    error: PingOneError | None = None,
    reason: Text = "",
) -> AuditEntry:
    """Record an event of EVENTS that is already over: a sign-in, an export, a change of connection, members, policies.

    Inside a transaction the row is committed or rolled back with the change. `operator` None: an unknown person.
    The values must not include a secret.
    """
    if event not in EVENTS:
        raise ValueError(f"{event} is not one of console.audit.entries.EVENTS")
    row = AuditEntry(
        organization=organization,
        entry=uuid4(),
        outcome=Outcome.SUCCEEDED if succeeded else Outcome.FAILED,
        action=event,
        source_address=source_address,
        reason=text(english(reason)),
        inputs=storable(inputs or {}),
        before=storable(before),
        after=storable(after),
        actor=AuditEntry.Actor.OPERATOR if operator else "",
        **_person(operator),
        **_about(subject),
        **_said(error),
    )
    return _logged(append(row, durable=False))


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
) -> AuditEntry | None:
    """Record that an action is about to run. The row is committed on return.

    Return None, and add nothing, if the same form was submitted before.
    """
    row = _first(organization, actor, action, subject, circumstances=circumstances, inputs=inputs)
    row.entry, row.outcome, row.before = entry, Outcome.STARTED, storable(before)
    return _unless_submitted(row, actor, circumstances)


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
    row.entry, row.outcome, row.note = uuid4(), Outcome.REFUSED, text(english(reason))
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
) -> AuditEntry:
    """Add the next row to the entry of `row`, its latest row. The new row is committed on return.

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
    return _logged(append(closing, durable=True))


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
        inputs=storable(inputs),
        actor=actor.kind,
        **_person(actor.operator),
        **_about(_named(organization, subject)),
    )


def _unless_submitted(row: AuditEntry, actor: Actor, circumstances: Circumstances) -> AuditEntry | None:
    try:
        return _logged(append(row, durable=True))
    except IntegrityError:
        if submitted(row.organization, actor, circumstances.submission):
            return None
        # Keys are random, so only a forged request has the key of somebody else's form.
        raise SuspiciousOperation("The idempotency key belongs to another operator.") from None


def _person(operator: Operator | None) -> Json:
    return {"operator": operator, "operator_email": operator.email if operator else ""}


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
    return None if values is None else printable(json.loads(json.dumps(values, default=_plain)))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        try:
            return value.astimezone(UTC).isoformat()
        except OverflowError:  # the first or last day of time, beyond which UTC would be
            return value.isoformat()
    if isinstance(value, Promise):
        return english(value)
    return value.isoformat() if isinstance(value, date) else str(value)


# The exported columns that the process log leaves out or renames: free text may say more about people than a name.
_NOT_LOGGED = {"started_at", "reason", "note", "operator_email", "subject_full_name", "subject_email"}


def _logged(row: AuditEntry) -> AuditEntry:
    about = exported_object_of(row)
    if about["object_kind"] == "device":
        del about["object_name"]  # a phone number or an address
    line = {name: getattr(row, name) for name in EXPORTED if name not in _NOT_LOGGED} | {
        **about,
        "hash": row.hash,
        "organization": row.organization_id,
        "operator": row.operator_email,
        "ids": {name: value for name, value in row.inputs.items() if _is_uuid(value)},
    }
    said = {name: value for name, value in line.items() if value not in ("", None, {})}
    logger.info("%s", json.dumps(said, default=_plain))
    return row


def _is_uuid(value: Any) -> bool:
    try:
        return bool(UUID(value)) if isinstance(value, str) else False
    except ValueError:
        return False
