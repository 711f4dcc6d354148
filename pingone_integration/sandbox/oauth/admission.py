"""Access control of applications, and users' earlier consent."""

from pingone_integration.sandbox.models import Application, RoleAssignment, Session, User
from pingone_integration.sandbox.oauth.models import Grant
from pingone_integration.sandbox.rights import held_by

ADMINISTRATOR_ROLES = (
    "Organization Admin",
    "Environment Admin",
    "Identity Data Admin",
    "Client Application Developer",
)


def is_admitted(user: User, application: Application) -> bool:
    """Return whether the application's access control admits the user."""
    return is_administrator(user) if application.admin_users_only else True


def is_administrator(user: User) -> bool:
    """Return whether the user holds one of the roles that count as administrator, directly or through a group.

    Others do not count: custom roles, Help Desk Admin, Identity Data Read Only.
    Source: PingOne API reference, Applications > accessControl.role ADMIN_USERS_ONLY (read 2026-11).
    """
    return RoleAssignment.objects.filter(
        held_by(user), role__environment=None, role__name__in=ADMINISTRATOR_ROLES
    ).exists()


def has_allowed(session: Session, application: Application, scope: str) -> bool:
    """Return whether the user consented to all of `scope` in this session and has not revoked it."""
    grants = Grant.objects.filter(session=session, application=application, revoked_at=None)
    wanted = set(scope.split())
    return any(wanted <= set(allowed.split()) for allowed in grants.values_list("scope", flat=True))
