"""Actions through `perform`, without a page, and the rows that they leave in the audit log."""

from typing import Any
from uuid import UUID, uuid4

import httpx

from console.access import OrgAccess
from console.actions.catalogue import BY_KEY
from console.actions.outcome import Done, Refused, Result
from console.audit import entries
from console.audit.entries import Circumstances
from console.models import AuditEntry
from console.perform.user_operation import perform
from tests.support.answers import ADA


def run(access: OrgAccess, key: str, user_id: UUID | None = ADA, *, inputs: Any = None, **circumstances: Any) -> Result:
    return perform(access, BY_KEY[key], user_id, inputs or {}, Circumstances(**circumstances))


def done(result: Result) -> Done:
    assert isinstance(result, Done)
    return result


def refused(result: Result) -> Refused:
    assert isinstance(result, Refused)
    return result


def rows() -> list[tuple[str, str]]:
    return [(row.action, row.outcome) for row in AuditEntry.objects.order_by("sequence")]


def reads(pingone: Any, *states: dict[str, Any]) -> Any:
    """Mock successive reads of the user."""
    return pingone.get(f"/users/{ADA}").mock(side_effect=[httpx.Response(200, json=state) for state in states])


def on_record(
    access: OrgAccess,
    action: str,
    outcome: str | None,
    *,
    before: Any,
    after: Any = None,
    inputs: Any = None,
    **circumstances: Any,
) -> AuditEntry:
    """Add an entry without an action. None leaves it started."""
    row = entries.start(
        access.org,
        access.actor,
        action,
        entries.Subject(kind=AuditEntry.Subject.USER, id=ADA, name="ada.berg"),
        entry=uuid4(),
        circumstances=Circumstances(**circumstances),
        inputs=inputs or {},
        before=before,
    )
    assert row is not None
    return row if outcome is None else entries.close(row, AuditEntry.Outcome(outcome), after=after)
