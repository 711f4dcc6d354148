"""Writing the audit log: what a person did, on record before it happens, with its outcome afterwards.

Every row also goes to the process log as one JSON line, for a SIEM. The line names people, ids and outcome, and the
row's hash, which anchors the chain outside of this database; values of a user's profile stay out of it.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import IntegrityError

from console.access import Actor
from console.audit.chain import append
from console.failures.next_step import resolution_of
from console.models import AuditEntry, Operator, Organization
from console.models.audit import EXPORTED, FIELDS
from pingone_integration.errors import PingOneError
from pingone_integration.values import printable, text

logger = logging.getLogger("console.audit.entries")

Outcome = AuditEntry.Outcome
Json = dict[str, Any]

LONGEST_NAME = 500  # characters; what PostgreSQL can put into an index ends soon after

# What is on record besides the actions of the catalogue: key to wording.
EVENTS = {
    "operator.signed-in": "Signed in",
    "operator.sign-in-failed": "Failed to sign in",
    "operator.signed-out": "Signed out",
    "connection.settings-changed": "Connection settings changed",
    "connection.connected": "Connected to PingOne",
    "connection.connect-failed": "Failed to connect to PingOne",
    "connection.environment-chosen": "Managed environment chosen",
    "connection.disconnected": "Disconnected from PingOne",
    "group.members-exported": "Members of a group exported",
    "membership.added": "Member added",
    "membership.role-changed": "Member's role changed",
    "membership.removed": "Member removed",
    "policy.changed": "Policy changed",
}


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What an entry is about."""

    kind: AuditEntry.Subject
    id: UUID | str = ""
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """From where and why somebody acts."""

    channel: AuditEntry.Channel = AuditEntry.Channel.PAGE
    source_address: str = ""  # IP address; empty on the command line
    ticket: str = ""
    reason: str = ""
    submission: UUID = field(default_factory=uuid4)  # of the form: the same one again is the same action, not another
    undoes: UUID | None = None  # the entry whose effect is taken back


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
    reason: str = "",
) -> AuditEntry:
    """Something that is over already, one of EVENTS: a sign-in, a change of the connection, of members, of policies.

    Inside a transaction the row stands or falls with the change it tells of. `operator` None: nobody we know.
    No secret may be among the values.
    """
    if event not in EVENTS:
        raise ValueError(f"{event} is not one of console.audit.entries.EVENTS")
    row = AuditEntry(
        organization=organization,
        entry=uuid4(),
        outcome=Outcome.SUCCEEDED if succeeded else Outcome.FAILED,
        action=event,
        source_address=source_address,
        reason=text(reason),
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
    """Put on record that an action is about to run; committed when this returns.

    None, and nothing is added, when the same form has been submitted before.
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
    reason: str,
) -> AuditEntry | None:
    """Put on record that the console refused an action before anything was sent; `reason` says why.

    None, and nothing is added, when the same form has been submitted before.
    """
    row = _first(organization, actor, action, subject, circumstances=circumstances, inputs=inputs)
    row.entry, row.outcome, row.note = uuid4(), Outcome.REFUSED, text(reason)
    return _unless_submitted(row, actor, circumstances)


def submitted(organization: Organization, actor: Actor, submission: UUID) -> AuditEntry | None:
    """The latest row of what this actor's form came to when it was submitted before; None: it was not."""
    first = AuditEntry.objects.filter(organization=organization, operator=actor.operator, submission=submission).first()
    return AuditEntry.objects.current().get(entry=first.entry) if first else None


def close(
    row: AuditEntry,
    outcome: AuditEntry.Outcome,
    *,
    error: PingOneError | None = None,
    subject: Subject | None = None,
    after: Json | None = None,
    note: str = "",
) -> AuditEntry:
    """How an entry went on from `row`, its latest row: a new row, committed when this returns.

    `subject` where it was not known at the start: a user who had yet to be created.
    """
    more = {
        "after": storable(after),
        "note": text(note or _own_words(error)),
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


# What each row of an entry repeats: who, why, to whom. The rest is a row's own.
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
    """The unsaved first row of an entry."""
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
        **_about(subject),
    )


def _unless_submitted(row: AuditEntry, actor: Actor, circumstances: Circumstances) -> AuditEntry | None:
    try:
        return _logged(append(row, durable=True))
    except IntegrityError:
        if submitted(row.organization, actor, circumstances.submission):
            return None
        raise


def _person(operator: Operator | None) -> Json:
    return {"operator": operator, "operator_email": operator.email if operator else ""}


def _about(subject: Subject) -> Json:
    name = text(subject.name)[:LONGEST_NAME]
    return {"subject_kind": subject.kind, "subject_id": str(subject.id), "subject_name": name}


def _own_words(error: PingOneError | None) -> str:
    """Where an error knows more than its kind says, of which the record keeps the name alone."""
    if error is None or error.cause == type(error).cause:
        return ""
    return f"{error.cause} {resolution_of(error)}"


def _said(error: PingOneError | None) -> Json:
    if error is None:
        return {"error_kind": "", "error_id": "", "correlation_id": ""}
    return {
        "error_kind": error.kind,
        "error_id": text(error.trace.error_id or "")[:100],
        "correlation_id": text(error.trace.correlation_id or "")[:100],
    }


def storable(values: Any) -> Any:
    """As JSON that every database gives back unchanged."""
    return None if values is None else printable(json.loads(json.dumps(values, default=_plain)))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


# Of an export's columns, what the line of the process log leaves out: what may hold more about people than their name.
_NOT_LOGGED = {"started_at", "reason", "note", "operator_email"}


def _logged(row: AuditEntry) -> AuditEntry:
    line = {name: getattr(row, name) for name in EXPORTED if name not in _NOT_LOGGED} | {
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
