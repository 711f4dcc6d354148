"""The users that an operator may see, read from PingOne: the only way to a user for pages and commands.

Some members see the users of some populations only. A user outside them is answered exactly as a user that PingOne
does not have: nothing may tell that somebody exists.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from console.access import OrgAccess
from pingone_integration import user_search, users
from pingone_integration.calls.api import PingOneApi
from pingone_integration.calls.paging import Page
from pingone_integration.errors import NotFound
from pingone_integration.user_search import Criteria, Search
from pingone_integration.users import User

_NOBODY: Page[User] = Page(items=(), next_cursor=None, previous_cursor=None, total=0)


def get(access: OrgAccess, api: PingOneApi, user_id: UUID) -> User:
    """Read a user. Raises NotFound, also if the operator may not see the user."""
    user = users.get(api, user_id)
    if not access.sees(user):
        raise NotFound("outside the operator's populations")
    return user


def require(access: OrgAccess, user_id: UUID) -> None:
    """Raise NotFound if the operator may not see the user. No call for an operator who sees all populations."""
    if access.is_narrowed:
        get(access, access.pingone(), user_id)


def search_of(access: OrgAccess, **criteria: Any) -> Search:
    """Return the search by these Criteria among the users that the operator may see. Raises BadFilter."""
    narrowed = Criteria(countries=access.org.phone_countries, populations=access.populations, **criteria)
    return user_search.search_of(narrowed)


def search(
    access: OrgAccess, api: PingOneApi, sought: Search, *, limit: int = 25, cursor: str | None = None
) -> Page[User]:
    """Return a page of the users that match. One call, as for every operator. Raises as users.search.

    Each row is checked again: a cursor may belong to another filter, and PingOne decides what a typed filter means.
    """
    if sought.populations != access.populations:
        raise ValueError("the search is not limited to the operator's populations")
    if sought.matches_nobody:
        return _NOBODY
    page = users.search(api, filter=sought.scim, limit=limit, cursor=cursor)
    visible = tuple(user for user in page.items if access.sees(user))
    if len(visible) == len(page.items):
        return page
    # The count is of others too. So is the way on, if nobody here may be seen: pages are not for counting them.
    if visible:
        return replace(page, items=visible, total=None)
    return replace(_NOBODY, total=None)
