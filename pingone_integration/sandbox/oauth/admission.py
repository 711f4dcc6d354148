"""Who may use an application, and what they have allowed it already."""

from django.db.models import Q

from pingone_integration.sandbox.models import Application, RoleAssignment, Session, User
from pingone_integration.sandbox.oauth.models import Grant


def is_admitted(user: User, application: Application) -> bool:
    """Whether the application's access control lets the user in."""
    return is_administrator(user) if application.admin_users_only else True


def is_administrator(user: User) -> bool:
    """Whether the user holds any administrator role, directly or through a group.

    Source: PingOne API reference, Applications > accessControl.role ADMIN_USERS_ONLY (read 2026-11).
    """
    held = Q(user=user) | Q(group__memberships__user=user)
    return RoleAssignment.objects.filter(held).exists()


def has_allowed(session: Session, application: Application, scope: str) -> bool:
    """Whether the user allowed all of `scope` before, in the same session, and has not taken it back."""
    grants = Grant.objects.filter(session=session, application=application, revoked_at=None)
    wanted = set(scope.split())
    return any(wanted <= set(allowed.split()) for allowed in grants.values_list("scope", flat=True))
