"""Telling a user what happened to their account. Nothing here waits for a mail server, or for PingOne."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from console.models import Organization, UserMailSettings
from console.outbox import emails
from console.user_mails.events import Event
from console.user_mails.languages import language_of
from console.user_mails.links import VALID_FOR, not_me_url
from pingone_integration.users import User


def tell(
    organization: Organization,
    event: Event,
    user: User,
    *,
    addresses: Iterable[str] = (),
    entry: UUID | None = None,
) -> int:
    """Write the emails that tell of an event, each to one address. Return how many.

    `addresses`: the user's own if there are none. `entry`: in the audit log. No email if the organization does not want
    this event told.
    """
    if event.key in settings_of(organization).untold:
        return 0
    each = {address.casefold(): address for address in addresses or (user.email,) if emails.is_address(address)}
    for address in each.values():
        with transaction.atomic():
            _write(organization, event, user, address, entry=entry)
    return len(each)


def settings_of(organization: Organization) -> UserMailSettings:
    found = UserMailSettings.objects.filter(organization=organization).first()
    return found or UserMailSettings(organization=organization)


def _write(organization: Organization, event: Event, user: User, address: str, *, entry: UUID | None) -> None:
    url = not_me_url(organization, event, user, sent_to=address, entry=entry)
    subject, body = text_of(organization, event, user.username, url, language_of(user))
    emails.write(
        to=address,
        subject=subject,
        body=body,
        about=f"{event.key} {user.id}",
        worth_for=VALID_FOR,
        may_repeat=True,
    )


def text_of(organization: Organization, event: Event, username: str, url: str, language: str) -> tuple[str, str]:
    """Return the subject and the body of the email that tells of an event."""
    name = emails.one_line(organization.name)
    context = {
        "happened": event.happened,
        "username": harmless(username),
        "organization": name,
        "at": timezone.now(),
        "hours": int(VALID_FOR.total_seconds() // 3600),
        "url": url,
    }
    with translation.override(language):
        subject = str(format_lazy(_("{organization}: {happened}"), organization=name, happened=event.happened))
        return subject, render_to_string("console/email/user_event.txt", context)


def harmless(name: str) -> str:
    """Return a name that a stranger may have chosen for an email: one line, and without a link."""
    shown = emails.one_line(name)
    return "" if any(one in shown.casefold() for one in ("/", "\\", "www.")) else shown
