"""Telling the user afterwards: after every operation, whatever the way in, and without waiting for anything."""

import logging
from collections.abc import Iterable

from django.db import transaction

from console.actions.affected import Affected
from console.audit.entries import Outcome
from console.models import AuditEntry
from console.user_mails.events import CONTACT_CHANGED
from console.user_mails.tell import tell
from pingone_integration.profiles import in_words
from pingone_integration.user_search.reads import attribute
from pingone_integration.users import User

NO_PASSWORD = "NO_PASSWORD"  # noqa: S105 - a state

logger = logging.getLogger(__name__)


def tell_user(row: AuditEntry, outcome: str, affected: Affected, before: User | None, after: User | None) -> None:
    """Tell the user what an operation did to their account. Raises nothing: it is done anyway. `row` started it.

    A changed contact is told to the old and to the new address, and also if the outcome is unknown. `after` None: the
    user was not read back. What users do themselves is told by the page where they do it.
    """
    organization = row.organization
    if organization is None or before is None or row.actor == AuditEntry.Actor.USER:
        return
    private = organization.private_addresses
    changes_private = not frozenset(map(attribute, affected.attributes)).isdisjoint(map(attribute, private))
    is_contact = affected.contacts or changes_private
    event = CONTACT_CHANGED if changes_private else affected.tells
    if event is None or (event.needs_former and (row.before or {}).get("password") == NO_PASSWORD):
        return
    told = {Outcome.SUCCEEDED, Outcome.UNKNOWN} if is_contact else {Outcome.SUCCEEDED}
    if outcome not in told or (is_contact and after and _contacts(after, private) == _contacts(before, private)):
        return
    addresses = [one for user in (before, after) if user and is_contact for one in _addresses(user, private)]
    try:
        with transaction.atomic():
            tell(organization, event, before, addresses=addresses, entry=row.entry)
    except Exception:
        logger.exception("The user was not told of %s", row.entry)


def _contacts(user: User, private: Iterable[str]) -> list[str]:
    return [*(one.casefold() for one in _addresses(user, private)), user.primary_phone, user.mobile_phone]


def _addresses(user: User, private: Iterable[str]) -> list[str]:
    """Return the user's email address, and the private ones for account recovery."""
    return [user.email, *(in_words(user.custom.get(attribute)) for attribute in private)]
