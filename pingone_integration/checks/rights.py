"""Checks of the connection's permissions at PingOne: environment, reads, changes."""

from collections.abc import Callable

from pingone_integration.calls import rate_limit
from pingone_integration.checks.model import Finding, State, Subject, cannot_tell, failed, finding_of, passed, warning
from pingone_integration.connection import environments, licence
from pingone_integration.connection.open_api import open_api
from pingone_integration.connection.tokens import require_grant
from pingone_integration.errors import (
    Blocked,
    MissingPermission,
    NoEnvironmentChosen,
    NotFound,
    PingOneError,
    Unavailable,
)
from pingone_integration.texts import english

READERS = "Identity Data Read Only, Identity Data Admin or Help Desk Admin"
CHANGERS = "Identity Data Admin"
FEW_A_SECOND = 10


def managed_environment(subject: Subject) -> Finding:
    """Check the environment itself: below it, PingOne also sends 403 for a single missing permission."""
    connection = subject.connection
    require_grant(connection)
    managed = connection.managed_environment_id
    if managed is None:
        raise NoEnvironmentChosen
    try:
        found = environments.read(connection, managed)
    except NotFound as error:
        text = f"PingOne has no environment {managed} any more."
        return finding_of(error, text, "Choose another environment to manage.")
    except (MissingPermission, Blocked) as error:
        return _not_readable(subject, error)
    if not found.is_active:
        return warning(
            f"The environment {managed} is about to be deleted.", "Restore it in PingOne, or choose another."
        )
    return passed(f"The environment {managed} can be read.")


def _not_readable(subject: Subject, error: MissingPermission | Blocked) -> Finding:
    managed = subject.connection.managed_environment_id
    try:
        visible = environments.visible(subject.connection)
    except (MissingPermission, Blocked):
        return cannot_tell(
            "PingOne shows the administrator who connected no environment at all: the permission "
            "orgmgt:read:environment is missing.",
            "Add it to that administrator's role in PingOne. The other checks go on without it.",
        )
    if managed in {one.id for one in visible}:
        return finding_of(error, f"The environment {managed} is listed, but cannot be read.")
    return finding_of(
        error,
        f"The administrator who connected holds no role on the environment {managed}; "
        f"they see {len(visible)} other{'' if len(visible) == 1 else 's'}.",
        "Give that administrator a role on it in PingOne, choose another environment, or connect as another one.",
    )


def _environment(subject: Subject) -> Finding:
    try:
        return managed_environment(subject)
    except PingOneError as error:
        return cannot_tell(english(error.cause))


def reads(path: str, permission: str, roles: str) -> Callable[[Subject], Finding]:
    """Return a check that reads one entry of a list of the managed environment."""

    def run(subject: Subject) -> Finding:
        try:
            open_api(subject.connection).get(path, {"limit": 1})
        except (MissingPermission, Blocked) as error:
            environment = subject.found.get("managed-environment") or _environment(subject)
            if environment.state == State.FAILED:
                return environment
            text = f"The administrator who connected may not read this: {permission} is missing."
            return finding_of(error, text, granting(roles))
        except Unavailable as error:
            return cannot_tell(
                f"PingOne did not answer this properly. {english(error.cause)}", english(error.resolution)
            )
        return passed("Can be read.")

    return run


def environments_read(subject: Subject) -> Finding:
    require_grant(subject.connection)
    try:
        visible = environments.visible(subject.connection)
    except (MissingPermission, Blocked) as error:
        text = "The list of environments may not be read: orgmgt:read:environment is missing."
        return finding_of(error, text, granting("any built-in one"))
    return passed(f"{len(visible)} environment{' is' if len(visible) == 1 else 's are'} visible.")


def judged(*permissions: str) -> Callable[[Subject], Finding]:
    """Return a check of permissions for changes. It reads the administrator's roles, and changes nothing."""

    def run(subject: Subject) -> Finding:
        require_grant(subject.connection)
        held = subject.held
        if held is None:
            return cannot_tell(
                "PingOne does not show the administrator who connected which roles they hold.",
                "Look in PingOne at the administrator's roles: Identity Data Admin on the managed environment has it.",
            )
        missing = [permission for permission in permissions if held.allows(permission) is not True]
        roles = ", ".join(sorted(held.roles)) or "none on this environment"
        if not missing:
            if held.in_populations.intersection(permissions):
                return warning(f"Only in some populations. Roles: {roles}.", granting(CHANGERS))
            return passed(f"Roles: {roles}.")
        if not held.complete:
            return cannot_tell(
                f"The roles that PingOne shows do not have {', '.join(missing)}, but there may be others.",
                granting(CHANGERS),
            )
        text = f"Missing: {', '.join(missing)}. Roles: {roles}."
        return failed(MissingPermission, text, granting(CHANGERS))

    return run


def rate_limits(subject: Subject) -> Finding:
    """Check the license's limits. PingOne never shows how much of them others use at the moment."""
    connection = subject.connection
    try:
        limits = licence.read(connection)
    except (MissingPermission, Blocked, NotFound):
        limits = None
    connection.refresh_from_db()
    room = rate_limit.headroom(connection)
    ours = f"This server keeps to {room.limit} calls a second, and {room.left} of this second are left."
    if room.closed_until:
        return warning(f"PingOne asked to wait until {room.closed_until:%H:%M:%S} UTC. {ours}", "Wait until then.")
    if limits is None:
        return cannot_tell(f"PingOne does not show the licence's limits to the administrator who connected. {ours}")
    if not limits:
        return cannot_tell(f"PingOne does not say how many calls the licence allows. {ours}")
    text = f"The licence allows {', '.join(f'{limit} {what}' for what, limit in limits.items())} a second. {ours}"
    if min(limits.values()) < FEW_A_SECOND:
        return warning(f"{text} That is little for several people at once.", "Ask whoever manages the PingOne licence.")
    return passed(f"{text} All that use the licence share it; how much others use now, PingOne does not say.")


def granting(roles: str) -> str:
    return (
        f"Give that administrator the role {roles} on the managed environment in PingOne, then connect again; "
        "a new role may take a minute to count."
    )
