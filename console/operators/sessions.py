"""The browser sessions of an operator's account, ended from outside: by an org admin, or by whoever runs the server."""

from allauth.usersessions.models import UserSession
from django.db import transaction

from console.audit import entries
from console.models import AuditEntry, Operator
from console.operators.on_record import chains_of


def end_all(operator: Operator) -> int:
    """Sign the operator out everywhere. Return how many sessions ended."""
    found = list(UserSession.objects.filter(user=operator))
    for session in found:
        session.end()
    return len(found)


def end_if_nowhere_to_go(operator: Operator) -> None:
    """Sign the operator out everywhere if no organization is left that they may enter."""
    if not operator.entered_organizations.exists():
        end_all(operator)


def end_others(operator: Operator, kept: str | None) -> int:
    """End all sessions but this one. Return how many ended."""
    found = list(UserSession.objects.filter(user=operator).exclude(session_key=kept))
    for session in found:
        session.end()
    return len(found)


def end_by_command(operator: Operator) -> int:
    """End all sessions for whoever runs the server, on record in each organization. Return how many ended."""
    with transaction.atomic():
        count = end_all(operator)
        for organization in chains_of(operator):
            entries.record(
                organization,
                "membership.sessions-ended",
                subject=entries.Subject(kind=AuditEntry.Subject.OPERATOR, id=operator.pk, name=operator.email),
                inputs={"sessions": count},
                reason="By whoever runs the server, on its command line",
            )
    return count
