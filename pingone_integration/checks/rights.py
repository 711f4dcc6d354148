"""Checks of the connection's permissions at PingOne: environment, reads, changes."""

from collections.abc import Callable

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from pingone_integration.calls import rate_limit
from pingone_integration.checks.model import (
    Finding,
    State,
    Subject,
    cannot_tell,
    failed,
    finding_of,
    listed,
    passed,
    sentences,
    warning,
)
from pingone_integration.connection import environments, license_limits
from pingone_integration.connection.open_api import open_api
from pingone_integration.connection.role_assignments import Held
from pingone_integration.connection.tokens import require_grant
from pingone_integration.errors import (
    Blocked,
    MissingPermission,
    NoEnvironmentChosen,
    NotFound,
    PingOneError,
    Unavailable,
)
from pingone_integration.texts import Text

READERS = _("Identity Data Read Only, Identity Data Admin or Help Desk Admin")
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
        text = format_lazy(_("PingOne no longer has the environment {environment}."), environment=managed)
        return finding_of(error, text, _("Choose another environment to manage."))
    except (MissingPermission, Blocked) as error:
        return _not_readable(subject, error)
    if not found.is_active:
        return warning(
            format_lazy(_("The environment {environment} is about to be deleted."), environment=managed),
            _("Restore it in PingOne, or choose another environment."),
        )
    return passed(format_lazy(_("The environment {environment} can be read."), environment=managed))


def _not_readable(subject: Subject, error: MissingPermission | Blocked) -> Finding:
    managed = subject.connection.managed_environment_id
    try:
        visible = environments.visible(subject.connection)
    except (MissingPermission, Blocked):
        return cannot_tell(
            _(
                "The administrator who connected cannot see any environment: the permission orgmgt:read:environment "
                "is missing."
            ),
            _("Add it to that administrator's role in PingOne. The other checks work without it."),
        )
    if managed in {one.id for one in visible}:
        text = _("The environment {environment} is listed, but cannot be read.")
        return finding_of(error, format_lazy(text, environment=managed))
    no_role = _("The administrator who connected has no role on the environment {environment}.")
    others = ngettext_lazy("They can see {count} other environment.", "They can see {count} others.", len(visible))
    return finding_of(
        error,
        sentences(format_lazy(no_role, environment=managed), format_lazy(others, count=len(visible))),
        _(
            "Give that administrator a role on it in PingOne, choose another environment, or connect as another "
            "administrator."
        ),
    )


def _environment(subject: Subject) -> Finding:
    try:
        return managed_environment(subject)
    except PingOneError as error:
        return cannot_tell(error.cause)


def reads(path: str, permission: str, roles: Text) -> Callable[[Subject], Finding]:
    """Return a check that reads one entry of a list of the managed environment."""

    def run(subject: Subject) -> Finding:
        try:
            open_api(subject.connection).get(path, {"limit": 1})
        except (MissingPermission, Blocked) as error:
            environment = subject.found.get("managed-environment") or _environment(subject)
            if environment.state == State.FAILED:
                return environment
            text = _("The administrator who connected cannot read this: the permission {permission} is missing.")
            return finding_of(error, format_lazy(text, permission=permission), granting(roles))
        except Unavailable as error:
            return cannot_tell(sentences(_("PingOne did not answer properly."), error.cause), error.resolution)
        return passed(_("Can be read."))

    return run


def environments_read(subject: Subject) -> Finding:
    require_grant(subject.connection)
    try:
        visible = environments.visible(subject.connection)
    except (MissingPermission, Blocked) as error:
        text = _(
            "The administrator who connected cannot list environments: the permission orgmgt:read:environment is "
            "missing."
        )
        advice = _(
            "Give that administrator any built-in role on the managed environment in PingOne, wait a minute, then "
            "connect again."
        )
        return finding_of(error, text, advice)
    text = ngettext_lazy("{count} environment is visible.", "{count} environments are visible.", len(visible))
    return passed(format_lazy(text, count=len(visible)))


def judged(*permissions: str) -> Callable[[Subject], Finding]:
    """Return a check of permissions for changes. It reads the administrator's roles, and changes nothing."""

    def run(subject: Subject) -> Finding:
        require_grant(subject.connection)
        held = subject.held
        if held is None and (worked := subject.evidence(*permissions)):
            return passed(worked)
        if held is None:
            return cannot_tell(
                _("PingOne does not show which roles the administrator who connected has."),
                _(
                    "Check that administrator's roles in PingOne. Identity Data Admin on the managed environment is "
                    "enough."
                ),
            )
        missing = [permission for permission in permissions if held.allows(permission) is not True]
        roles = roles_held(held)
        if not missing:
            if held.in_populations.intersection(permissions):
                return warning(sentences(_("Only in some populations."), roles), granting(CHANGERS))
            return passed(roles)
        if not held.complete and (worked := subject.evidence(*missing)):
            return passed(sentences(roles, worked))
        if not held.complete:
            text = _("The roles that PingOne shows do not include {permissions}, but there may be more roles.")
            return cannot_tell(format_lazy(text, permissions=", ".join(missing)), granting(CHANGERS))
        lacking = format_lazy(_("Missing: {permissions}."), permissions=", ".join(missing))
        return failed(MissingPermission, sentences(lacking, roles), granting(CHANGERS))

    return run


def roles_held(held: Held) -> Text:
    """Return a sentence with the names of the roles."""
    if not held.roles:
        return _("Roles: none on this environment.")
    return format_lazy(_("Roles: {roles}."), roles=", ".join(sorted(held.roles)))


def rate_limits(subject: Subject) -> Finding:
    """Check the license's limits. PingOne never shows how much of them others use at the moment."""
    connection = subject.connection
    try:
        limits = license_limits.read(connection)
    except (MissingPermission, Blocked, NotFound):
        limits = None
    share = license_limits.read_share(connection)
    connection.refresh_from_db()
    room = rate_limit.headroom(connection)
    ours: Text = format_lazy(
        _("This server may use {percent} %: at most {limit} calls per second. It can send {left} more right now."),
        limit=room.limit,
        percent=share.percent,
        left=room.left,
    )
    if share.is_excepted:
        ours = sentences(ours, _("PingOne's allowed IPs include this server's."))
    elif share.others_are_excepted:
        unknown = _("PingOne's allowed IPs may use all of it. If this server's are among them, set OUTGOING_ADDRESSES.")
        ours = sentences(ours, unknown)
    if room.closed_until:
        wait = format_lazy(
            _("PingOne asked this server to wait until {time} UTC."), time=f"{room.closed_until:%H:%M:%S}"
        )
        return warning(sentences(wait, ours), _("Wait until the time that PingOne asked for."))
    if limits is None:
        hidden = _("PingOne does not show the license's limits to the administrator who connected.")
        return cannot_tell(sentences(hidden, ours))
    if not limits:
        return cannot_tell(sentences(_("PingOne does not say how many calls the license allows."), ours))
    allowed = listed(*(_calls(what, limit) for what, limit in limits.items()))
    allows = format_lazy(_("The license allows {calls} per second."), calls=allowed)
    if min(limits.values()) < FEW_A_SECOND:
        few = _("That is not much for several people at once.")
        return warning(sentences(allows, ours, few), _("Ask the person who manages your PingOne license."))
    shared = _("Everything that uses the license shares these limits. PingOne does not show what others use now.")
    return passed(sentences(allows, ours, shared))


def _calls(what: str, limit: int) -> Text:
    """Return a limit of license_limits.read() in words."""
    named = {
        "reads": ngettext_lazy("{count} read", "{count} reads", limit),
        "changes": ngettext_lazy("{count} change", "{count} changes", limit),
        "MFA calls": ngettext_lazy("{count} MFA call", "{count} MFA calls", limit),
    }
    return format_lazy(named[what], count=limit)


def granting(roles: Text) -> Text:
    text = _(
        "Give that administrator the role {roles} on the managed environment in PingOne, wait a minute, then connect "
        "again."
    )
    return format_lazy(text, roles=roles)
