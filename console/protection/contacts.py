"""Contacts that an operator changed lately: they prove nothing for a while, and the former address is told."""

import json
from datetime import timedelta
from uuid import UUID

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.actions.affected import Affected
from console.audit.api_requests import ACTION as CALL_API
from console.models import AuditEntry, Organization
from console.outbox import emails
from console.protection.why import Protection, Why
from pingone_integration.users import User

_WORTH_FOR = timedelta(hours=72)  # the email to the former address

_MAY_HAVE_HAPPENED = (AuditEntry.Outcome.STARTED, AuditEntry.Outcome.SUCCEEDED, AuditEntry.Outcome.UNKNOWN)


def too_new(organization: Organization, user_id: UUID | None, user: User | None) -> Protection | None:
    """Return the reason if an operator changed the email address here during the cooling-off time."""
    if user_id is None:
        return None
    hours = organization.cooling_off_hours
    since = timezone.now() - timedelta(hours=hours)
    lately = AuditEntry.objects.current().filter(
        organization=organization, at__gt=since, outcome__in=_MAY_HAVE_HAPPENED
    )
    by_actions = lately.filter(subject_id=str(user_id), action="user.update")
    by_requests = lately.filter(action=CALL_API, subject_name__icontains=str(user_id))
    changed = any("email" in (row.inputs.get("changes") or ()) for row in by_actions)
    if not changed and not any(_may_change_email(row.inputs, user_id) for row in by_requests):
        return None
    return Protection(why=Why.NEW_CONTACT, user=user.display_name if user else "", hours=hours)


def tell_former_address(
    organization: Organization, affected: Affected, before: User | None, after: User | None
) -> None:
    """Email the address that the user had before, if an operation changed it or a phone number.

    `after` None: the user was not read back.
    """
    if not affected.contacts or before is None or not _is_address(before.email):
        return
    if after and _contacts(after) == _contacts(before):
        return
    context = {"name": before.display_name, "username": before.username, "organization": organization}
    subject = format_lazy(_("Your contact details at {organization} were changed"), organization=organization.name)
    emails.write(
        to=before.email,
        subject=str(subject),
        body=render_to_string("console/email/contact_changed.txt", context),
        about=f"contacts of {before.id}",
        worth_for=_WORTH_FOR,
        may_repeat=True,
    )


def _contacts(user: User) -> tuple[str, str, str]:
    return user.email.casefold(), user.primary_phone, user.mobile_phone


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _may_change_email(recorded: dict[str, str], user_id: UUID) -> bool:
    """Return whether a recorded API request may have changed the user's email address."""
    if recorded.get("method") == "GET" or recorded.get("path", "").strip("/").casefold() != f"users/{user_id}":
        return False
    try:
        body = json.loads(recorded.get("body") or "{}")
    except ValueError:
        return True
    return recorded.get("method") == "PUT" or not isinstance(body, dict) or "email" in map(str.casefold, body)
