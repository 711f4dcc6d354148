"""The frame around every page (a context processor): organizations, connection state, navigation, theme."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from console.access import OrgAccess, Permission
from console.models import Organization
from console.page.connection_status import ConnectionStatus, status_of
from console.page.job_news import news_of
from console.page.themes import THEMES, chosen_theme
from console.sessions.fresh import told_beforehand
from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class Destination:
    """One entry of the navigation."""

    label: Text
    icon: str
    url_name: str
    permission: Permission | None = None  # None for the operator's own pages
    section: Text = ""  # heading, shown above the first entry of the section
    needs_provider: bool = False  # leads nowhere on a server without single sign-on
    purpose: Text = ""  # one sentence on the home page; without it the home page omits the entry
    also: tuple[str, ...] = ()  # the names of further URLs whose pages belong to it
    offered: Callable[[OrgAccess], bool] | None = None  # None: always


NAVIGATION = (
    Destination(label=_("Home"), icon="home", url_name="organization", permission=Permission.ENTER),
    Destination(
        label=_("Users"),
        icon="users",
        url_name="users",
        permission=Permission.VIEW_USERS,
        purpose=_("Find a user, and see why they cannot sign in."),
    ),
    Destination(
        label=_("Groups"),
        icon="users-group",
        url_name="groups",
        permission=Permission.VIEW_USERS,
        purpose=_("Find a group, and see who is in it."),
    ),
    Destination(
        label=_("Populations"),
        icon="sitemap",
        url_name="populations",
        permission=Permission.VIEW_USERS,
        purpose=_("See users by population."),
    ),
    Destination(
        label=_("Plans"),
        icon="plan-calendar",
        url_name="plan-runs",
        permission=Permission.VIEW_USERS,
        purpose=_("See what runs for users by itself, and what is to come."),
    ),
    Destination(
        label=_("Jobs"),
        icon="list-details",
        url_name="jobs",
        permission=Permission.RUN_JOBS,
        purpose=_("Act on many users at once, with a preview of every row."),
    ),
    Destination(
        label=_("Approvals"),
        icon="circle-check",
        url_name="approvals",
        permission=Permission.VIEW_USERS,
        purpose=_("Decide about what others ask for, and see your own requests."),
        offered=lambda access: bool(access.org.approvals),  # from the first rule on
    ),
    Destination(
        label=_("Call API"),
        icon="code",
        url_name="call-api",
        permission=Permission.CALL_API,
        purpose=_("Send any PingOne API request."),
    ),
    Destination(
        label=_("Audit log"),
        icon="history",
        url_name="audit",
        permission=Permission.VIEW_AUDIT,
        purpose=_("See who did what to whom."),
    ),
    Destination(
        label=_("Troubleshooting"),
        icon="alert-circle",
        url_name="troubleshooting",
        permission=Permission.ENTER,
        purpose=_("See why PingOne is not responding, and what an error means."),
    ),
    Destination(
        label=_("PingOne"),
        icon="plug-connected",
        url_name="connection",
        permission=Permission.MANAGE_CONNECTION,
        section=_("Settings"),
        purpose=_("Manage the connection, and choose the environment."),
    ),
    Destination(
        label=_("Members"),
        icon="user-cog",
        url_name="members",
        permission=Permission.MANAGE_MEMBERS,
        section=_("Settings"),
        purpose=_("Add members, and set their roles."),
    ),
    Destination(
        label=_("Single sign-on"),
        icon="key",
        url_name="mapped-groups",
        needs_provider=True,
        permission=Permission.MANAGE_MEMBERS,
        section=_("Settings"),
        purpose=_("Give the groups of the identity provider roles."),
    ),
    Destination(
        label=_("Policies"),
        icon="clipboard-check",
        url_name="policies",
        permission=Permission.MANAGE_POLICIES,
        section=_("Settings"),
        also=("directory", "recovery-settings", "templates", "plans", "new-plan", "import-plan", "rules", "crawls"),
        purpose=_("Set what each role can do, and lock down."),
    ),
)


OWN_NAVIGATION = (
    Destination(label=_("Organizations"), icon="building", url_name="home"),
    Destination(label=_("Password"), icon="password", url_name="account_change_password", section=_("Your account")),
    Destination(label=_("Two-factor"), icon="shield-lock", url_name="mfa_index", section=_("Your account")),
    Destination(label=_("Sessions"), icon="devices", url_name="usersessions_list", section=_("Your account")),
    Destination(
        label=_("Single sign-on"),
        icon="key",
        url_name="single-sign-on-link",
        needs_provider=True,
        section=_("Your account"),
    ),
)


@dataclass(frozen=True)
class NavigationItem:
    """A destination, from the point of view of the current page."""

    destination: Destination
    url: str
    current: str  # aria-current: "page", "true" on a page below it, "" elsewhere
    opens_section: bool


def navigation(access: OrgAccess | None, path: str) -> Iterator[NavigationItem]:
    """Yield the destinations that this operator may open from here."""
    section: Text = ""
    args = [access.org.slug] if access else []
    home = reverse("organization", args=args) if access else reverse("home")
    for destination in NAVIGATION if access else OWN_NAVIGATION:
        if access and destination.permission and not access.allows(destination.permission):
            continue
        if destination.needs_provider and not settings.OIDC_ISSUER:
            continue
        if access and destination.offered and not destination.offered(access):
            continue
        url = reverse(destination.url_name, args=args)
        places = (url, *(reverse(name, args=args) for name in destination.also))
        below = path.startswith(places) and url != home
        current = "page" if path == url else "true" if below else ""
        yield NavigationItem(destination, url, current, opens_section=destination.section not in {"", section})
        section = destination.section


def other_organizations(request: HttpRequest, access: OrgAccess | None) -> QuerySet[Organization]:
    """Return the operator's other organizations."""
    if not request.user.is_authenticated or (access and not access.has_other_orgs):
        return Organization.objects.none()
    organizations = request.user.entered_organizations
    return organizations.exclude(pk=access.org.pk) if access else organizations


def current_status(request: HttpRequest, access: OrgAccess) -> ConnectionStatus:
    """Return the connection's status after the calls of this request, which may have changed it."""
    changes: set[UUID] = getattr(request, "changed_connections", set())
    if access.org.connection.pk in changes:
        access.org.connection.refresh_from_db()
        changes.discard(access.org.connection.pk)
    return status_of(access.org.connection)


def layout(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the frame. Only an organization's pages have `org`, `access` and the connection's state.

    Values that cost a query are lazy: a fragment that shows none of them pays for none.
    """
    access: OrgAccess | None = getattr(request, "access", None)
    frame: dict[str, Any] = {
        "theme": chosen_theme(request),
        "themes": THEMES,
        "single_sign_on_name": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "single_sign_on_only": settings.OIDC_ONLY,
        "other_organizations": SimpleLazyObject(lambda: list(other_organizations(request, access))),
    }
    if request.user.is_authenticated:
        frame["navigation"] = SimpleLazyObject(lambda: list(navigation(access, request.path)))
    if access:
        frame |= {
            "access": access,
            "org": access.org,
            "connection_status": current_status(request, access),
            "sign_in_first": told_beforehand(request),
            "may_manage_connection": access.allows(Permission.MANAGE_CONNECTION),
            "job_news": SimpleLazyObject(lambda: news_of(request, access)),
        }
    return frame
