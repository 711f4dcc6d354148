"""The rows of the user list.

A template that is rendered for each row takes half of the page's time. This one is rendered once, and its {names} are
filled in for each row, each text escaped where it is put in: format_html takes several times as long.
"""

from collections.abc import Iterable
from datetime import datetime
from html import escape

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from console.page.moments import when
from console.users.standing import Known, Standing, standing_of
from pingone_integration.users import User

_NONE = "\N{EN DASH}"
_TOLD = "user-status-told"  # class of a status that is not just Active


def rows_of(users: Iterable[User], all_users: str, *, may_tick: bool = False) -> SafeString:
    """Return the rows of the table. `all_users` is the URL of the list, below which each user has their page."""
    now, row = timezone.now(), render_to_string("console/users/row.html", {"may_tick": may_tick})
    return SafeString("".join(_row(row, user, all_users, now) for user in users))


def _row(row: str, user: User, all_users: str, now: datetime) -> str:
    """Return a row with the verdict from the list's data alone, which includes the state of the password."""
    standing = standing_of(Known(user=user, now=now))
    texts = {
        "name": user.display_name,
        "username": user.username,
        "username_or_none": user.username or _NONE,
        "email": user.email,
        "email_or_none": user.email or _NONE,
        "population": user.population_name,
        "population_or_none": user.population_name or _NONE,
        "case": standing.key,
        "answer": standing.answer,
    }
    return row.format(
        id=user.id,
        url=f"{all_users}{user.id}/",  # as `reverse` says, which is slow for every row
        told="" if standing.is_active else _TOLD,
        status=_status(user, standing),
        last_sign_in=_last_sign_in(user),
        **{name: escape(text) for name, text in texts.items()},
    )


def _last_sign_in(user: User) -> str:
    return escape(str(_("Unknown"))) if user.has_signed_on is None else when(user.last_sign_on_at, _("Never"))


def _status(user: User, standing: Standing) -> str:
    if standing.key != "account-locked" or user.unlock_at is None:
        return escape(str(standing.word))
    return format_html(str(_("Locked until {unlock_at}")), unlock_at=when(user.unlock_at))
