"""What happens to a run as a whole, in the audit log: about the person, with the ID of the run."""

from collections.abc import Mapping
from typing import Any

from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Operator, PlanRun
from pingone_integration.texts import Text


def record(
    run: PlanRun, event: str, operator: Operator | None, *, inputs: Mapping[str, Any] | None = None, reason: Text = ""
) -> None:
    """Record an event. `operator` None: the run did it by itself."""
    entries.record(
        run.organization,
        event,
        subject=Subject(
            kind=AuditEntry.Subject.USER,
            id=run.person_id or "",
            name=run.person_name,
            full_name=run.person_full_name,
            population_id=run.population_id,
        ),
        operator=operator,
        by_plan=operator is None,
        source_address=run.source_address if operator else "",
        inputs={"plan": run.plan_slug, "run": str(run.pk)} | dict(inputs or {}),
        reason=reason,
        run=run.pk,
    )
