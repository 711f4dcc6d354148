"""Contacts that an operator changed lately: they prove nothing for a while."""

import json
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from console.audit.api_requests import ACTION as CALL_API
from console.models import AuditEntry, Organization
from console.protection.why import Protection, Why
from pingone_integration.profiles import name_of
from pingone_integration.users import User

_WORTH_FOR = timedelta(hours=72)  # the email to the former address

_MAY_HAVE_HAPPENED = (AuditEntry.Outcome.STARTED, AuditEntry.Outcome.SUCCEEDED, AuditEntry.Outcome.UNKNOWN)


def too_new(organization: Organization, user_id: UUID | None, user: User | None) -> Protection | None:
    """Return the reason if an operator changed a contact that may prove who they are, during the cooling-off time."""
    if user_id is None:
        return None
    hours = organization.cooling_off_hours
    since = timezone.now() - timedelta(hours=hours)
    if not changed_since(organization, user_id, {"email", *organization.contact_attributes}, since):
        return None
    return Protection(why=Why.NEW_CONTACT, user=user.display_name if user else "", hours=hours)


def changed_since(organization: Organization, user_id: UUID, addresses: set[str], since: datetime) -> bool:
    """Return whether an operator may have changed one of these attributes of PingOne since then."""
    lately = AuditEntry.objects.current().filter(
        organization=organization, at__gt=since, outcome__in=_MAY_HAVE_HAPPENED
    )
    by_actions = lately.filter(subject_id=str(user_id), action="user.update")
    by_requests = lately.filter(action=CALL_API, subject_name__icontains=str(user_id))
    names = {name_of(address) for address in addresses}
    if any(not names.isdisjoint(row.inputs.get("changes") or ()) for row in by_actions):
        return True
    return any(_may_change(addresses, row.inputs, user_id) for row in by_requests)


def _may_change(addresses: set[str], recorded: dict[str, str], user_id: UUID) -> bool:
    """Return whether a recorded API request may have changed one of the user's addresses."""
    if recorded.get("method") == "GET" or recorded.get("path", "").strip("/").casefold() != f"users/{user_id}":
        return False
    try:
        body = json.loads(recorded.get("body") or "{}")
    except ValueError:
        return True
    if recorded.get("method") == "PUT" or not isinstance(body, dict):
        return True
    return not set(map(str.casefold, addresses)).isdisjoint(map(str.casefold, body))
