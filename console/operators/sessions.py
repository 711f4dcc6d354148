"""The browser sessions of an operator's account, ended from outside: by an org admin, or by whoever runs the server."""

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from console.models import Operator


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


def has_one_factor(operator: Operator) -> bool:
    factors = Authenticator.objects.filter(user=operator).exclude(type=Authenticator.Type.RECOVERY_CODES)
    return len(factors[:2]) == 1
