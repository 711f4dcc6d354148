"""Telling the user afterwards: after every operation, whatever the way in, and without waiting for anything."""

import logging

from console.actions.affected import Affected
from console.audit.entries import Outcome
from console.models import AuditEntry, Organization
from console.user_mails.tell import tell
from pingone_integration.users import User

logger = logging.getLogger(__name__)


def tell_user(
    organization: Organization, affected: Affected, entry: AuditEntry, before: User | None, after: User | None
) -> None:
    """Tell the user what the operation of this closed entry did to their account. Raises nothing: it is done anyway.

    A changed contact is told to the old and to the new address, and also if the outcome is unknown. `after` None: the
    user was not read back. What users do themselves is told by the page where they do it.
    """
    if affected.tells is None or before is None or entry.actor == AuditEntry.Actor.USER:
        return
    told = {Outcome.SUCCEEDED, Outcome.UNKNOWN} if affected.contacts else {Outcome.SUCCEEDED}
    if entry.outcome not in told or (affected.contacts and after and _contacts(after) == _contacts(before)):
        return
    addresses = [user.email for user in (before, after) if user and affected.contacts]
    try:
        tell(organization, affected.tells, before, addresses=addresses, entry=entry.entry)
    except Exception:
        logger.exception("The user was not told of %s", entry.entry)


def _contacts(user: User) -> tuple[str, str, str]:
    return user.email.casefold(), user.primary_phone, user.mobile_phone
