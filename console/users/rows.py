"""The rows of the user list.

A template that is rendered for each row takes half of the page's time. This one is rendered once, and its {names} are
filled in for each row, escaped as a template does.
"""

from collections.abc import Iterable
from datetime import datetime

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from console.page.moments import when
from console.users.standing import Known, Standing, standing_of
from pingone_integration.texts import Text
from pingone_integration.users import User

_NONE = "\N{EN DASH}"
_TOLD = "user-status-told"  # class of a status that is not just Active


def rows_of(users: Iterable[User], all_users: str, *, may_tick: bool = False) -> SafeString:
    """Return the rows of the table. `all_users` is the URL of the list, below which each user has their page."""
    now, row = timezone.now(), render_to_string("console/users/row.html", {"may_tick": may_tick})
    return SafeString("".join(_row(row, user, all_users, now) for user in users))


def _row(row: str, user: User, all_users: str, now: datetime) -> SafeString:
    """Return a row with the verdict from the list's data alone, which includes the state of the password."""
    standing = standing_of(Known(user=user, now=now))
    return format_html(
        row,
        id=user.id,
        url=f"{all_users}{user.id}/",  # as `reverse` says, which is slow for every row
        name=user.display_name,
        username=user.username,
        username_or_none=user.username or _NONE,
        email=user.email,
        email_or_none=user.email or _NONE,
        population=user.population_name,
        population_or_none=user.population_name or _NONE,
        told="" if standing.is_active else _TOLD,
        case=standing.key,
        answer=standing.answer,
        status=_status(user, standing),
        last_sign_in=_("Unknown") if user.has_signed_on is None else when(user.last_sign_on_at, _("Never")),
    )


def _status(user: User, standing: Standing) -> Text:
    if standing.key != "account-locked" or user.unlock_at is None:
        return standing.word
    return format_html(str(_("Locked until {unlock_at}")), unlock_at=when(user.unlock_at))
