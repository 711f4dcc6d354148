"""What happens to a rule as a whole, in the audit log."""

from typing import Any

from console.audit import entries
from console.audit.entries import Subject
from console.models import AuditEntry, Operator, Rule
from pingone_integration.texts import Text


def record(
    rule: Rule,
    event: str,
    operator: Operator | None,
    *,
    source_address: str = "",
    reason: Text = "",
    **values: dict[str, Any] | None,
) -> None:
    """Record an event. `operator` None: the rule did it by itself. `values`: before, after and inputs."""
    entries.record(
        rule.organization,
        event,
        subject=Subject(kind=AuditEntry.Subject.POLICY, id=rule.pk, name=rule.name),
        operator=operator,
        by_plan=operator is None,
        source_address=source_address,
        reason=reason,
        **values,  # type: ignore[arg-type]
    )
