"""Authorization, the door of every page: who may enter which organization, and what they may do there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, Protocol
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

from console import kept_forms
from console.fragments import page_of, wants_fragment
from console.models import AuditEntry, Membership, Operator, Organization
from console.rights import viewing
from console.rights.permissions import OF_ALL_POPULATIONS, PERMISSION_LABELS, Permission
from console.rights.roles import Rights, rights_of
from console.sessions import single_sign_on
from console.sessions.fresh import demanded_first
from console.sessions.lifetime import has_ended
from pingone_integration.calls.api import PingOneApi
from pingone_integration.connection.open_api import open_api
from pingone_integration.profiles import paths_of
from pingone_integration.texts import Text
from pingone_integration.users import User

__all__ = [
    "OF_ALL_POPULATIONS",
    "PERMISSION_LABELS",
    "THEMSELF",
    "Acting",
    "Actor",
    "OrgAccess",
    "Permission",
    "enter_org",
    "org_view",
]


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The actor in the audit log: an operator, or the user themself."""

    kind: AuditEntry.Actor
    operator: Operator | None = None  # None: the user themself


THEMSELF = Actor(kind=AuditEntry.Actor.USER)


class Doing(Protocol):
    """An action or operation, by what decides whether it is allowed."""

    @property
    def key(self) -> str: ...

    @property
    def permission(self) -> Permission: ...


class Acting(Protocol):
    """Who acts in an organization, and what they may do there: what `perform` and its guards ask."""

    @property
    def org(self) -> Organization: ...

    @property
    def actor(self) -> Actor: ...

    @property
    def rights(self) -> Rights: ...

    @property
    def viewing_as(self) -> Membership | None: ...

    @property
    def is_narrowed(self) -> bool: ...

    @property
    def is_org_admin(self) -> bool: ...

    def may_edit(self, name: str) -> bool: ...

    def again(self) -> "Acting": ...

    def require_to(self, action: Any) -> None: ...

    def allows(self, permission: Permission) -> bool: ...

    def sees(self, user: User) -> bool: ...

    def sees_population(self, population_id: UUID | None) -> bool: ...

    def pingone(self, transaction_id: UUID | None = None) -> PingOneApi: ...


@dataclass(frozen=True)
class OrgAccess:
    """Proof that `operator` belongs to `org`; the only way to that organization's PingOne data."""

    org: Organization
    operator: Operator
    membership: Membership
    rights: Rights
    has_other_orgs: bool = True  # False saves the query for them
    populations: frozenset[UUID] | None = None  # the only ones whose users they see; None: all, also future ones
    has_second_factor: bool = True
    viewing_as: Membership | None = None  # the member as whom the operator looks at pages, and can do nothing else

    @property
    def role_name(self) -> Text:
        return self.membership.role_name

    @property
    def permissions(self) -> frozenset[Permission]:
        return self.rights.permissions - OF_ALL_POPULATIONS if self.is_narrowed else self.rights.permissions

    @property
    def actor(self) -> Actor:
        return Actor(kind=AuditEntry.Actor.OPERATOR, operator=self.operator)

    def again(self) -> "OrgAccess":
        """Return the operator's current access: a right may have been removed since.

        Raises Http404 if the operator no longer belongs to the organization.
        """
        access = enter_org(self.operator, self.org.slug)
        return access.seen_as(self.viewing_as) if self.viewing_as else access

    def seen_as(self, membership: Membership) -> "OrgAccess":
        """Return the access for pages as this member sees them: never more than the operator's own rights."""
        own, theirs = self.populations, membership.narrowed_to
        populations = own & theirs if own is not None and theirs is not None else own if theirs is None else theirs
        return replace(
            self,
            rights=self.rights.within(rights_of(membership)),
            populations=populations,
            viewing_as=membership,
        )

    @property
    def lacks_second_factor(self) -> bool:
        """Return whether the operator must set up a second factor before anything else: their role demands it."""
        return (
            settings.SECOND_FACTOR_DEMANDED
            and not self.has_second_factor
            and self.membership.role_key not in self.org.second_factor_optional
        )

    @property
    def is_org_admin(self) -> bool:
        """Return whether it is for an org admin, not only for a role with some rights of theirs, nor viewed as one."""
        viewed = self.viewing_as or self.membership
        return self.membership.is_org_admin and viewed.is_org_admin

    @property
    def is_narrowed(self) -> bool:
        """Return whether the operator sees the users of some populations only."""
        return self.populations is not None

    def sees(self, user: User) -> bool:
        """Return whether this user may be shown to the operator. A narrowed one sees nobody without a population."""
        return self.sees_population(user.population_id)

    def sees_population(self, population_id: UUID | None) -> bool:
        return self.populations is None or population_id in self.populations

    def may_edit(self, name: str) -> bool:
        """Return whether a profile field, by our name, is theirs to edit: only an org admin edits a contact."""
        is_theirs = self.is_org_admin or paths_of([name]).isdisjoint(self.org.contact_attributes)
        return is_theirs and self.rights.may_edit(name)

    def allows(self, permission: Permission) -> bool:
        return permission in self.permissions

    def may(self, action: Doing) -> bool:
        """Return whether the role allows the action. Everything else that may prevent it is decided in `perform`."""
        return self.rights.may(action.key) and action.permission in self.permissions

    def require_to(self, action: Doing) -> None:
        """Raise PermissionDenied (403), with the action, if the role does not allow it."""
        self.require(action.permission)
        if not self.may(action):
            raise PermissionDenied(action)

    def require_org_admin(self) -> None:
        """Raise PermissionDenied (403) for everybody else, whatever rights their role has."""
        if not self.is_org_admin:
            raise PermissionDenied(Permission.MANAGE_MEMBERS)

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
    """Return the operator's access. Raises Http404 for strangers, suspended members and unknown slugs alike.

    Existence must not leak.
    """
    membership = _memberships().filter(operator=operator, organization__slug=slug).first()
    if membership is None:
        raise Http404("No such organization.")
    return OrgAccess(
        membership.organization,
        membership.operator,
        membership,
        rights_of(membership),
        has_other_orgs=membership.has_others,
        has_second_factor=membership.has_second_factor,
        populations=membership.narrowed_to,
    )


@cache
def _memberships() -> QuerySet[Membership, Any]:
    """Return the memberships that let somebody in. Built once: every page asks."""
    others = Membership.objects.filter(operator=OuterRef("operator"), suspended_at=None)
    return (
        Membership.objects.select_related("organization__connection", "operator", "custom_role")
        .annotate(
            has_others=Exists(others.filter(~Q(organization=OuterRef("organization")))),
            has_second_factor=Exists(second_factors_of(OuterRef("operator"))),
        )
        .filter(operator__is_active=True, suspended_at=None)
    )


def second_factors_of(operator: Operator | OuterRef) -> QuerySet[Authenticator]:
    """Return the operator's second factors. Recovery codes are none: they stand in for one that is lost."""
    found: QuerySet[Authenticator] = Authenticator.objects.filter(user=operator)
    return found.exclude(type=Authenticator.Type.RECOVERY_CODES)


def signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Redirect anonymous visitors to the sign-in page, and from there back to their page."""

    @wraps(view)
    def entered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        return _to_sign_in(request)

    return entered


def _to_sign_in(request: HttpRequest) -> HttpResponseBase:
    # A kept form restores its input at its own address; any other request returns to the page around it.
    to_sign_in = redirect_to_login(request.path if kept_forms.save(request) else page_of(request))
    # A sign-in form must not replace a fragment: HX-Redirect makes htmx load the whole page.
    return HttpResponseClientRedirect(to_sign_in.url) if wants_fragment(request) else to_sign_in


def lacks_second_factor(request: HttpRequest, access: OrgAccess) -> bool:
    """Return whether one has to be set up first: there is none here, and the provider of single sign-on asked none."""
    return access.lacks_second_factor and not single_sign_on.has_second_factor(request, access.operator)


def to_second_factor(request: HttpRequest, access: OrgAccess) -> HttpResponseBase:
    """Redirect to the page where operators set up a second factor. Nothing that was sent has happened."""
    told = _("{org} asks for a second factor. Set one up to continue.")
    messages.warning(request, format_lazy(told, org=access.org.name))
    page = reverse("mfa_index")
    return HttpResponseClientRedirect(page) if wants_fragment(request) else HttpResponseRedirect(page)


def to_single_sign_on(request: HttpRequest) -> HttpResponseBase:
    """Redirect to the page that leads to the provider, and from there back. Nothing that was sent has happened."""
    page = single_sign_on.address(page_of(request))
    return HttpResponseClientRedirect(page) if wants_fragment(request) else HttpResponseRedirect(page)


P = ParamSpec("P")
View = Callable[Concatenate[ConsoleRequest, P], HttpResponseBase]
OrgView = Callable[Concatenate[ConsoleRequest, OrgAccess, P], HttpResponseBase]


def org_view(permission: Permission) -> Callable[[OrgView[P]], Callable[..., HttpResponseBase]]:
    """Decorate an organization's page: its URL's `<slug:org>` arrives as an `OrgAccess` that has `permission`."""

    def decorate(view: OrgView[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        @signed_in
        def entered(request: ConsoleRequest, org: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            access = enter_org(request.user, org)
            if has_ended(request.session, access.org):
                logout(request)
                return _to_sign_in(request)
            if single_sign_on.is_demanded(request, request.user, access.membership):
                return to_single_sign_on(request)
            if lacks_second_factor(request, access):
                return to_second_factor(request, access)
            request.access = access
            if member := viewing.current(request, request.access.org):
                request.access = request.access.seen_as(member)
            request.access.require(permission)
            if first := demanded_first(request):
                return HttpResponseClientRedirect(first) if wants_fragment(request) else redirect(first)
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
