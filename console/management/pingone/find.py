"""A user by the username, email address or ID on the command line."""

from uuid import UUID

from django.core.management.base import CommandError

from console import visible_users
from console.access import OrgAccess
from console.management.pingone.terminal import FAILED
from pingone_integration.user_search import literal, user_id_in
from pingone_integration.users import User


def find(access: OrgAccess, name: str) -> UUID:
    """Return the ID of the only user with this ID, username or email. Raises CommandError."""
    if known := user_id_in(name):
        return known
    attribute = "email" if "@" in name else "username"
    found = _having(access, attribute, name)
    if not found and attribute == "email":
        found = _having(access, "username", name)
    if len(found) != 1:
        raise CommandError(_ambiguous(name) if found else _not_found(name), returncode=FAILED)
    return found[0].id


def _having(access: OrgAccess, attribute: str, value: str) -> tuple[User, ...]:
    sought = visible_users.search_of(access, raw_filter=f"{attribute} eq {literal(value)}")
    return visible_users.search(access, access.pingone(), sought, limit=2).items


def _ambiguous(name: str) -> str:
    return f"{name} matches more than one user. Use the username or the ID."


def _not_found(name: str) -> str:
    return f"No user found for {name}. You only see users in populations that the administrator who connected can see."
