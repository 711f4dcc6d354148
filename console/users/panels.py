"""The panels of a user's page. Each is read separately from the user, and can fail separately."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import Http404
from django.utils.translation import gettext_lazy as _

from console.users.carried import carry, carry_failure
from pingone_integration import groups, mfa, passwords, sessions
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.parallel import at_once
from pingone_integration.errors import PingOneError
from pingone_integration.texts import Text


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel of a user's page; templates/console/users/panels.html has a partial named `key`."""

    key: str  # in URLs
    title: Text
    icon: str
    read: Callable[..., Any]  # read(api, user_id)
    is_paged: bool = False  # then also read(api, user_id, cursor=...)
    known_as: str = ""  # its name in the verdict, see carried.py; "" if the verdict does not use it

    @property
    def template(self) -> str:
        return f"console/users/panels.html#{self.key}"


PANELS = (
    Panel(key="password", title=_("Password"), icon="password", read=passwords.state, known_as="password"),
    Panel(key="devices", title=_("MFA devices"), icon="device-mobile", read=mfa.state, known_as="mfa"),
    Panel(key="groups", title=_("Groups"), icon="users-group", read=groups.memberships, is_paged=True),
    Panel(key="sessions", title=_("Sessions"), icon="world", read=sessions.all_of),
)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The result of reading a panel: its content, or its error, or neither before the read."""

    panel: Panel
    content: Any = None
    error: PingOneError | None = None

    @property
    def is_done(self) -> bool:
        return self.content is not None or self.error is not None


def panel_or_404(key: str) -> Panel:
    for panel in PANELS:
        if panel.key == key:
            return panel
    raise Http404("No such panel.")


def read_panel(panel: Panel, api: PingOneApi, user_id: UUID, cursor: str = "") -> Any:
    """Return the panel's content. Raises PingOneErrors."""
    if panel.is_paged and cursor:
        return panel.read(api, user_id, cursor=cursor)
    return panel.read(api, user_id)


def known_of(panel: Panel, user_id: UUID, content: Any) -> dict[str, str]:
    """Return, for the panel's template, the facts that the verdict needs."""
    return {"known": carry(user_id, content)} if panel.known_as else {}


def known_failure(panel: Panel, user_id: UUID) -> dict[str, str]:
    """Return, for the notice in place of the panel, that the verdict must do without it."""
    return {"known": carry_failure(user_id, panel.known_as)} if panel.known_as else {}


def read_panels(panels: Iterable[Panel], api: PingOneApi, user_id: UUID) -> list[Reading]:
    """Read the panels in parallel."""

    def reading(panel: Panel) -> Callable[[PingOneApi], Any]:
        return lambda api: read_panel(panel, api, user_id)

    panels = list(panels)
    return [
        Reading(panel=panel, error=result) if isinstance(result, PingOneError) else Reading(panel=panel, content=result)
        for panel, result in zip(panels, at_once(api, *map(reading, panels)), strict=True)
    ]
