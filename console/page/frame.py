"""The frame around every page (a context processor): organizations, connection state, navigation, theme."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from console.access import OrgAccess, Permission
from console.models import Organization
from pingone_integration.models import Connection

THEMES = {"auto": "As the system", "light": "Light", "dark": "Dark"}


def chosen_theme(request: HttpRequest) -> str:
    """Return the theme from the `theme` cookie, so that the server draws the page in the right theme at once."""
    theme = request.COOKIES.get("theme", "")
    return theme if theme in THEMES else "auto"


@dataclass(frozen=True, kw_only=True)
class Destination:
    """One entry of the navigation."""

    label: str
    icon: str
    url_name: str
    permission: Permission | None = None  # None for the operator's own pages
    section: str = ""  # heading, shown above the first entry of the section
    purpose: str = ""  # one sentence on the home page; without it the home page omits the entry


NAVIGATION = (
    Destination(label="Home", icon="home", url_name="organization", permission=Permission.ENTER),
    Destination(
        label="Users",
        icon="users",
        url_name="users",
        permission=Permission.VIEW_USERS,
        purpose="Find somebody, and see why they cannot sign on.",
    ),
    Destination(
        label="Groups",
        icon="users-group",
        url_name="groups",
        permission=Permission.VIEW_USERS,
        purpose="See who is in a group, add and remove members.",
    ),
    Destination(
        label="Populations",
        icon="sitemap",
        url_name="populations",
        permission=Permission.VIEW_USERS,
        purpose="See how the environment's users are divided.",
    ),
    Destination(
        label="Call API",
        icon="code",
        url_name="call-api",
        permission=Permission.CALL_API,
        purpose="Ask PingOne what no page here shows.",
    ),
    Destination(
        label="Audit log",
        icon="history",
        url_name="audit",
        permission=Permission.VIEW_AUDIT,
        purpose="See who did what to whom, and export it.",
    ),
    Destination(
        label="Troubleshooting",
        icon="alert-circle",
        url_name="troubleshooting",
        permission=Permission.ENTER,
        purpose="See why PingOne does not answer, and what an error means.",
    ),
    Destination(
        label="PingOne",
        icon="plug-connected",
        url_name="connection",
        permission=Permission.MANAGE_CONNECTION,
        section="Settings",
        purpose="Keep the connection healthy, and choose the environment.",
    ),
    Destination(
        label="Members",
        icon="user-cog",
        url_name="members",
        permission=Permission.MANAGE_MEMBERS,
        section="Settings",
        purpose="Decide who works here, and as what.",
    ),
    Destination(
        label="Policies",
        icon="clipboard-check",
        url_name="policies",
        permission=Permission.MANAGE_POLICIES,
        section="Settings",
        purpose="Decide which actions ask for a ticket.",
    ),
)


OWN_NAVIGATION = (
    Destination(label="Organizations", icon="building", url_name="home"),
    Destination(label="Password", icon="password", url_name="account_change_password", section="Your account"),
    Destination(label="Two-factor", icon="shield-lock", url_name="mfa_index", section="Your account"),
    Destination(label="Sessions", icon="devices", url_name="usersessions_list", section="Your account"),
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
    section = ""
    args = [access.org.slug] if access else []
    home = reverse("organization", args=args) if access else reverse("home")
    for destination in NAVIGATION if access else OWN_NAVIGATION:
        if access and destination.permission and not access.allows(destination.permission):
            continue
        url = reverse(destination.url_name, args=args)
        below = path.startswith(url) and url != home
        current = "page" if path == url else "true" if below else ""
        yield NavigationItem(destination, url, current, opens_section=destination.section not in {"", section})
        section = destination.section


@dataclass(frozen=True)
class StateLook:
    """The look of a connection state: never color alone."""

    icon: str
    tone: str  # Tabler's name of the color
    meaning: str


STATES = {
    Connection.State.CONNECTED: StateLook("plug-connected", "success", "PingOne answers."),
    Connection.State.NEEDS_ATTENTION: StateLook(
        "alert-triangle", "warning", "PingOne has not answered properly. The console keeps trying."
    ),
    Connection.State.RECONNECT_NEEDED: StateLook("plug-connected-x", "danger", "The access to PingOne has ended."),
    Connection.State.NOT_CONNECTED: StateLook("plug", "secondary", "No administrator has connected PingOne yet."),
    Connection.State.DISCONNECTED: StateLook("plug-x", "secondary", "The connection was ended by an org admin."),
}


def other_organizations(request: HttpRequest, access: OrgAccess | None) -> QuerySet[Organization]:
    """Return the operator's other organizations."""
    if not request.user.is_authenticated:
        return Organization.objects.none()
    organizations = request.user.organizations.all()
    return organizations.exclude(pk=access.org.pk) if access else organizations


def layout(request: HttpRequest) -> dict[str, Any]:
    """Return the context of the frame. Only an organization's pages have `org`, `access` and the connection's state.

    Values that cost a query are lazy: a fragment that shows none of them pays for none.
    """
    access: OrgAccess | None = getattr(request, "access", None)
    frame: dict[str, Any] = {
        "theme": chosen_theme(request),
        "themes": THEMES,
        "other_organizations": SimpleLazyObject(lambda: list(other_organizations(request, access))),
    }
    if request.user.is_authenticated:
        frame["navigation"] = SimpleLazyObject(lambda: list(navigation(access, request.path)))
    if access:
        frame |= {
            "access": access,
            "org": access.org,
            "state_look": STATES[Connection.State(access.org.connection.state)],
            "may_manage_connection": access.allows(Permission.MANAGE_CONNECTION),
        }
    return frame
