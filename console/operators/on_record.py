"""Events of an operator's account on record: in each of their organizations, or in the server's chain without one."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest

from console.audit import entries, repeated
from console.audit.entries import Subject
from console.models import AuditEntry, Operator, Organization
from console.source_address import source_address


def record(
    request: HttpRequest,
    operator: Operator,
    event: str,
    *,
    chains: Sequence[Organization | None] = (),
    **more: Any,
) -> None:
    """Record an event, with `more` as for `entries.record`; in these `chains` only, if there are any."""
    for organization in chains or chains_of(operator):
        entries.record(organization, event, operator=operator, **_about(request, operator), **more)


def record_repeated(request: HttpRequest, operator: Operator | None, event: str, *, door: str, **more: Any) -> None:
    """Record an event that anybody can repeat at will. `operator` None: of all unknown people together."""
    for organization in chains_of(operator) if operator else [None]:
        repeated.record(organization, event, door=door, operator=operator, **_about(request, operator), **more)


def chains_of(operator: Operator) -> list[Organization] | list[None]:
    """Return whose chains learn of an event of the account."""
    return list(operator.entered_organizations) or list(operator.organizations.all()) or [None]


def _about(request: HttpRequest, operator: Operator | None) -> dict[str, Any]:
    subject = Subject(
        kind=AuditEntry.Subject.OPERATOR, id=operator.pk if operator else "", name=operator.email if operator else ""
    )
    return {"subject": subject, "source_address": source_address(request)}
