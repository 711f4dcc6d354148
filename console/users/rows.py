"""The rows of the user list. All that a row needs is made here, because a template does it more slowly."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from console.users.standing import Known, Standing, standing_of
from pingone_integration.calls.paging import Page
from pingone_integration.users import User


@dataclass(frozen=True, kw_only=True)
class Row:
    """One user of the list."""

    user: User
    name: str
    url: str
    standing: Standing

    @property
    def locked_until(self) -> datetime | None:
        """Return when the account unlocks by itself, if the lock is what the row tells."""
        return self.user.unlock_at if self.standing.key == "account-locked" else None


def rows_of(page: Page[User] | None, all_users: str) -> list[Row]:
    """Return each user with a verdict from the list's data alone, which includes the state of the password.

    `all_users` is the URL of the list, below which each user has their page.
    """
    now = timezone.now()
    return [
        Row(
            user=shown,
            name=shown.display_name,
            url=f"{all_users}{shown.id}/",  # as `reverse` says, which is slow for every row
            standing=standing_of(Known(user=shown, now=now)),
        )
        for shown in (page.items if page else ())
    ]
