"""The rows of the user list. All that a row needs is made here, because a template does it more slowly."""

from datetime import datetime
from typing import TypedDict

from django.utils import timezone

from console.users.standing import Answer, Known, standing_of
from pingone_integration.calls.paging import Page
from pingone_integration.texts import Text
from pingone_integration.users import User


class Row(TypedDict):
    """One user of the list. A dictionary, because a template looks for a key before an attribute."""

    url: str
    name: str
    username: str
    email: str
    population: str
    case: str  # key of the finding, "" if there is none
    answer: Answer
    status: Text
    is_active: bool
    locked_until: datetime | None  # None unless the account unlocks by itself, and the lock is what the row tells
    has_signed_on: bool | None
    last_sign_on_at: datetime | None


def rows_of(page: Page[User] | None, all_users: str) -> list[Row]:
    """Return the rows of the users. `all_users` is the URL of the list, below which each user has their page."""
    now = timezone.now()
    return [_row(user, all_users, now) for user in page.items] if page else []


def _row(user: User, all_users: str, now: datetime) -> Row:
    """Return a row with the verdict from the list's data alone, which includes the state of the password."""
    standing = standing_of(Known(user=user, now=now))
    return Row(
        url=f"{all_users}{user.id}/",  # as `reverse` says, which is slow for every row
        name=user.display_name,
        username=user.username,
        email=user.email,
        population=user.population_name,
        case=standing.key,
        answer=standing.answer,
        status=standing.word,
        is_active=standing.is_active,
        locked_until=user.unlock_at if standing.key == "account-locked" else None,
        has_signed_on=user.has_signed_on,
        last_sign_on_at=user.last_sign_on_at,
    )
