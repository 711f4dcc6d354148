"""A user's manager: PingOne has no such attribute, so an org admin names one of the organization's own."""

from uuid import UUID

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Organization
from console.models.people import ManagerBy
from console.protection import contacts
from pingone_integration import users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import pages_of
from pingone_integration.errors import NotFound
from pingone_integration.texts import Text
from pingone_integration.user_search import literal
from pingone_integration.users import User

_LONGEST = 256


class NoManager(Exception):
    """The attribute does not lead to exactly one active user. The reason says why."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason)
        self.reason = reason


def named_manager(organization: Organization, user: User) -> str:
    """Return what the user's profile says of the manager; empty if it says nothing."""
    value = user.custom.get(organization.manager_attribute) if organization.manager_attribute else None
    return value.strip() if isinstance(value, str) else ""


def manager_of(organization: Organization, api: PingOneApi, user: User) -> User:
    """Return the user's manager. Raises NoManager, and what PingOne answers besides."""
    if not organization.manager_attribute:
        raise NoManager(_("No attribute is named that says who the manager is."))
    named = named_manager(organization, user)
    if not named:
        raise NoManager(_("Their profile names no manager."))
    shown = named[:_LONGEST]
    found = _found(organization, api, named)
    if not found:
        raise NoManager(format_lazy(_("There is no user “{named}”, whom their profile names as manager."), named=shown))
    if len(found) > 1:
        raise NoManager(format_lazy(_("More than one user is “{named}”, whom their profile names."), named=shown))
    manager = found[0]
    if manager.id == user.id:
        raise NoManager(_("Their profile names them as their own manager."))
    if manager.enabled is not True:
        raise NoManager(format_lazy(_("Their manager “{named}” is not active."), named=shown))
    for one in (user, manager):
        if new := contacts.too_new(organization, one.id, one):
            raise NoManager(new.sentence)
    return manager


def _found(organization: Organization, api: PingOneApi, named: str) -> list[User]:
    """Return the users who are named, at most two."""
    if len(named) > _LONGEST:
        return []
    if organization.manager_by == ManagerBy.ID:
        try:
            return [users.get(api, UUID(named))]
        except (ValueError, NotFound):
            return []
    sought = f"{ManagerBy(organization.manager_by).value} eq {literal(named)}"
    found: dict[UUID, User] = {}
    for page in pages_of(lambda cursor: users.search(api, filter=sought, cursor=cursor)):
        found |= {one.id: one for one in page.items}
        if len(found) > 1:
            break
    return list(found.values())[:2]
