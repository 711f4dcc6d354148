"""Authorization, the door of every page: who may enter which organization, and what they may do there."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from console import kept_forms
from console.fragments import page_of, wants_fragment
from console.models import AuditEntry, Membership, Operator, Organization
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.texts import Text
from pingone_integration.users import User


class Permission(StrEnum):
    """A right that an operator has or lacks in an organization. The values appear in the audit log."""

    ENTER = "enter"  # for every member: home, the connection's state
    VIEW_USERS = "users.view"
    SYNC_POPULATIONS = "populations.sync"
    CREATE_USERS = "users.create"
    UPDATE_USERS = "users.update"
    ENABLE_USERS = "users.enable"
    UNLOCK_USERS = "users.unlock"
    LOCK_USERS = "users.lock"
    MOVE_USERS = "users.move"
    DELETE_USERS = "users.delete"
    RECOVER_PASSWORDS = "passwords.recover"
    SET_PASSWORDS = "passwords.set"
    CHANGE_GROUPS = "groups.change"
    EXPORT_USERS = "users.export"
    SWITCH_MFA = "mfa.switch"
    CHANGE_DEVICES = "mfa.devices"
    END_SESSIONS = "sessions.end"
    CALL_API = "api.call"
    VIEW_AUDIT = "audit.view"
    EXPORT_AUDIT = "audit.export"
    MANAGE_CONNECTION = "connection.manage"
    MANAGE_MEMBERS = "members.manage"
    MANAGE_POLICIES = "policies.manage"


PERMISSION_LABELS: dict[Permission, Text] = {  # after "permission to"
    Permission.ENTER: _("open the organization"),
    Permission.VIEW_USERS: _("see users"),
    Permission.SYNC_POPULATIONS: _("sync populations"),
    Permission.CREATE_USERS: _("create users"),
    Permission.UPDATE_USERS: _("change users' profiles"),
    Permission.ENABLE_USERS: _("activate and deactivate users"),
    Permission.UNLOCK_USERS: _("unlock users"),
    Permission.LOCK_USERS: _("lock users"),
    Permission.MOVE_USERS: _("move users to another population"),
    Permission.DELETE_USERS: _("delete users"),
    Permission.RECOVER_PASSWORDS: _("send recovery codes and force password changes"),
    Permission.SET_PASSWORDS: _("set temporary passwords"),
    Permission.CHANGE_GROUPS: _("change users' groups"),
    Permission.EXPORT_USERS: _("export lists of users"),
    Permission.SWITCH_MFA: _("switch MFA on and off"),
    Permission.CHANGE_DEVICES: _("change users' MFA devices"),
    Permission.END_SESSIONS: _("end users' sessions"),
    Permission.CALL_API: _("call any PingOne endpoint"),
    Permission.VIEW_AUDIT: _("see the audit log"),
    Permission.EXPORT_AUDIT: _("export the audit log"),
    Permission.MANAGE_CONNECTION: _("manage the connection to PingOne"),
    Permission.MANAGE_MEMBERS: _("manage members"),
    Permission.MANAGE_POLICIES: _("set ticket rules"),
}

_AUDITOR = frozenset(
    {
        Permission.ENTER,
        Permission.VIEW_USERS,
        Permission.EXPORT_USERS,
        Permission.VIEW_AUDIT,
        Permission.EXPORT_AUDIT,
    }
)
_HELPDESK_AGENT = frozenset(
    {
        Permission.ENTER,
        Permission.VIEW_USERS,
        Permission.SYNC_POPULATIONS,
        Permission.UPDATE_USERS,
        Permission.ENABLE_USERS,
        Permission.UNLOCK_USERS,
        Permission.LOCK_USERS,
        Permission.RECOVER_PASSWORDS,
        Permission.SET_PASSWORDS,
        Permission.CHANGE_GROUPS,
        Permission.CHANGE_DEVICES,
        Permission.END_SESSIONS,
        Permission.VIEW_AUDIT,
    }
)
# Nobody has these who sees only some populations, whatever their role says: each of them reaches all users.
OF_ALL_POPULATIONS = frozenset(
    {
        Permission.CALL_API,
        Permission.EXPORT_AUDIT,
        Permission.MANAGE_CONNECTION,
        Permission.MANAGE_MEMBERS,
        Permission.MANAGE_POLICIES,
    }
)
ROLE_PERMISSIONS: dict[str, frozenset[Permission]] = {
    Membership.Role.AUDITOR: _AUDITOR,
    Membership.Role.HELPDESK_AGENT: _HELPDESK_AGENT,
    Membership.Role.ORG_ADMIN: frozenset(Permission),
}


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The actor in the audit log: an operator."""

    kind: AuditEntry.Actor
    operator: Operator


@dataclass(frozen=True)
class OrgAccess:
    """Proof that `operator` belongs to `org`; the only way to that organization's PingOne data."""

    org: Organization
    operator: Operator
    role: Membership.Role
    permissions: frozenset[Permission]
    has_other_orgs: bool = True  # False saves the query for them
    populations: frozenset[UUID] | None = None  # the only ones whose users they see; None: all, also future ones

    @property
    def actor(self) -> Actor:
        return Actor(kind=AuditEntry.Actor.OPERATOR, operator=self.operator)

    def again(self) -> "OrgAccess":
        """Return the operator's current access: a right may have been removed since.

        Raises Http404 if the operator no longer belongs to the organization.
        """
        return enter_org(self.operator, self.org.slug)

    @property
    def is_narrowed(self) -> bool:
        """Return whether the operator sees the users of some populations only."""
        return self.populations is not None

    def sees(self, user: User) -> bool:
        """Return whether this user may be shown to the operator. A narrowed one sees nobody without a population."""
        return self.sees_population(user.population_id)

    def sees_population(self, population_id: UUID | None) -> bool:
        return self.populations is None or population_id in self.populations

    def allows(self, permission: Permission) -> bool:
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise PermissionDenied (403) without the permission. Only members see it: strangers have no OrgAccess."""
        if permission not in self.permissions:
            raise PermissionDenied(permission)

    def pingone(self, transaction_id: UUID | None = None) -> PingOneApi:
        """Return the API of this organization's environment. Raises as open_api."""
        return open_api(self.org.connection, transaction_id=transaction_id)


class ConsoleRequest(HttpRequest):
    """A request of a signed-in operator. `access` exists on organization pages only."""

    user: Operator
    access: OrgAccess
    htmx: Any


def enter_org(operator: Operator, slug: str) -> OrgAccess:
    """Return the operator's access. Raises Http404 for strangers and unknown slugs alike: existence must not leak."""
    others = Membership.objects.filter(operator=operator).exclude(organization=OuterRef("organization"))
    membership = (
        Membership.objects.select_related("organization__connection", "operator")
        .annotate(has_others=Exists(others))
        .filter(operator=operator, operator__is_active=True, organization__slug=slug)
        .first()
    )
    if membership is None:
        raise Http404("No such organization.")
    role = Membership.Role(membership.role)
    populations = membership.narrowed_to
    permissions = ROLE_PERMISSIONS[role]
    return OrgAccess(
        membership.organization,
        membership.operator,
        role,
        permissions if populations is None else permissions - OF_ALL_POPULATIONS,
        has_other_orgs=membership.has_others,
        populations=populations,
    )


def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Redirect anonymous visitors to the sign-in page, and from there back to their page."""

    @wraps(view)
    def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        # A kept form restores its input at its own address; any other request returns to the page around it.
        to_sign_in = redirect_to_login(request.path if kept_forms.save(request) else page_of(request))
        # A sign-in form must not replace a fragment: HX-Redirect makes htmx load the whole page.
        return HttpResponseClientRedirect(to_sign_in.url) if wants_fragment(request) else to_sign_in

    return entered


P = ParamSpec("P")
View = Callable[Concatenate[ConsoleRequest, P], HttpResponseBase]
OrgView = Callable[Concatenate[ConsoleRequest, OrgAccess, P], HttpResponseBase]


def org_view(permission: Permission) -> Callable[[OrgView[P]], Callable[..., HttpResponseBase]]:
    """Decorate an organization's page: its URL's `<slug:org>` arrives as an `OrgAccess` that has `permission`."""

    def decorate(view: OrgView[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @signed_in
        def entered(request: ConsoleRequest, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            request.access = enter_org(request.user, org)
            request.access.require(permission)
            return view(request, request.access, *args, **kwargs)

        entered.door = f"org:{permission}"  # type: ignore[attr-defined]
        return entered

    return decorate


def operator_view(view: View[P]) -> Callable[..., HttpResponseBase]:
    """Decorate a page that belongs to the operator alone and shows nothing of any organization."""
    entered = signed_in(view)
    entered.door = "operator"  # type: ignore[attr-defined]
    return entered


def public_view(*, reason: str) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Decorate a page that anybody may load; `reason` says why."""

    def decorate(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        view.door = f"public:{reason}"  # type: ignore[attr-defined]
        return view

    return decorate
