"""The account part of a user's page: account and profile, their buttons, and recent audit entries."""

from typing import Any
from uuid import UUID

from django.urls import reverse

from console.access import OrgAccess, Permission
from console.actions.action import Place
from console.actions.buttons import buttons
from console.audit.search import latest
from console.audit.wording import Line
from console.users.carried import carry
from console.users.facts import profile_of
from pingone_integration.users import User

LATELY = 5  # audit entries


def account_context(access: OrgAccess, shown: User, *, is_closed: bool = False) -> dict[str, Any]:
    """Return the context of both parts. `is_closed`: every action on this user would be refused, so none is offered."""
    return {
        "user": shown,
        "user_id": shown.id,
        "known_user": carry(shown.id, shown),
        **_on_record(access, shown.id),
        "profile": profile_of(shown, manager_attribute=access.org.manager_attribute),
        "account_buttons": [] if is_closed else buttons(access, shown.id, Place.ACCOUNT, shown),
        "profile_buttons": [] if is_closed else buttons(access, shown.id, Place.PROFILE, shown),
    }


def _on_record(access: OrgAccess, user_id: UUID) -> dict[str, Any]:
    """Return the recent audit entries, if the operator may view the audit log."""
    if not access.allows(Permission.VIEW_AUDIT):
        return {}
    return {
        "history_url": reverse("audit", args=[access.org.slug], query={"user": str(user_id)}),
        "lately": [Line(entry) for entry in latest(access, most=LATELY, subject_id=str(user_id))],
    }
